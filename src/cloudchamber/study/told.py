"""An explanation as tables and facts: what is kept of it beside the results, and what the report rests on."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import inf, isfinite, nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from cloudchamber.analysis.saved import load, save
from cloudchamber.analysis.thresholds.located import number_from
from cloudchamber.errors import TraceError
from cloudchamber.measures.estimate import Estimate
from cloudchamber.mechanism.comparing import BEST, UNIFORM
from cloudchamber.study.explaining import Explained, Explanation
from cloudchamber.study.pictured import expectations, gate_of, signal_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TABLES", "Told", "read", "tell"]

NAME = "explanation.json"
TABLES = (
    "mechanism_parameters",
    "mechanism_scores",
    "mechanism_checks",
    "mechanism_places",
    "mechanism_signals",
    "regrowth",
    "regrowth_courses",
    "mechanism_scale",
    "thresholds_regrown",
    "thresholds_courses",
)


@dataclass(frozen=True, eq=False)
class Told:
    """An explanation without what it was made of."""

    facts: dict[str, Any]
    tables: "dict[str, pd.DataFrame]"
    """By name, see `TABLES`; those that have nothing to tell are empty."""

    @property
    def first(self) -> dict[str, Any]:
        """The facts of the part that the cell at risk is in."""
        part: dict[str, Any] = self.facts["parts"][0]
        return part

    def advantage(self, rival: dict[str, Any]) -> Estimate:
        """How far the hypothesis is ahead of a rival; infinitely, where what happened cannot be under it."""
        if rival["impossible"]:
            return Estimate(inf, nan, nan, rival["advantage"]["n"])
        return number_from(rival["advantage"])

    def save(self, folder: Path) -> None:
        """Keep it under results/ in a study's folder."""
        results = folder / "results"
        results.mkdir(parents=True, exist_ok=True)
        for name in TABLES:
            path, frame = results / f"{name}.parquet", self.tables.get(name)
            if frame is None or frame.empty:
                path.unlink(missing_ok=True)
            else:
                save(frame, path)
        body = msgspec.json.format(msgspec.json.encode(self.facts), indent=2)
        (results / NAME).write_bytes(body)


def read(folder: Path) -> Told | None:
    """What was kept of a folder's explanation; None where there is none.

    Raises:
        TraceError: it is damaged.
    """
    import pandas as pd  # 300 ms that `import cloudchamber` need not pay

    path = folder / "results" / NAME
    try:
        facts = msgspec.json.decode(path.read_bytes())
        if not isinstance(facts, dict) or "parts" not in facts:
            raise TraceError(f"{path} is damaged; remove it, or explain the study again.")
        tables = {}
        for name in TABLES:
            table = path.with_name(f"{name}.parquet")
            tables[name] = load(table) if table.exists() else pd.DataFrame()
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise TraceError(
            f"{path} cannot be read ({type(error).__name__}); explain again."
        ) from None
    return Told(facts, tables)


def tell(explanation: Explanation) -> Told:
    """Its tables and facts."""
    import pandas as pd  # as above

    rows: dict[str, list[pd.DataFrame]] = {name: [] for name in TABLES}
    for one in explanation.parts:
        for name, frame in _frames(explanation, one):
            if not frame.empty:
                rows[name].append(frame.assign(form=one.part.form))
    tables = {
        name: pd.concat(some, ignore_index=True) if some else pd.DataFrame()
        for name, some in rows.items()
    }
    study = explanation.study
    facts = {
        "hypothesis": explanation.hypothesis,
        "measure": study.phenomenon.measure.aloud(),
        "margin": explanation.margin,
        "draws": explanation.draws,
        "runs": len(explanation.results.done.drop_duplicates("run")),
        "left_out": dict(explanation.left_out),
        "parts": [_facts(explanation, one) for one in explanation.parts],
    }
    return Told(facts, tables)


def _facts(explanation: Explanation, one: Explained) -> dict[str, Any]:
    hypothesis, part = explanation.hypothesis, one.part
    sufficiency = {name: one.sufficiency(name) for name in one.regrowths}
    comparisons = one.comparisons
    return {
        "form": part.form,
        "groups": part.groups,
        "fitted": part.fitted,
        "unseen": part.unseen,
        "equations": {
            name: {group: found.mechanism.equation() for group, found in by_group.items()}
            for name, by_group in one.fits.items()
        },
        "flat": {
            name: sorted({told for found in by_group.values() for told in found.flat})
            for name, by_group in one.fits.items()
        },
        "decisions": sum(found.decisions for found in next(iter(one.fits.values()), {}).values()),
        "replicates": max(
            (found.runs for by_group in one.fits.values() for found in by_group.values()), default=0
        ),
        "as_good": {group: told.as_good for group, told in comparisons.items()},
        "simplest": {group: told.simplest for group, told in comparisons.items()},
        "shares": {
            group: {name: _number(told.share(name)) for name in told.scores}
            for group, told in comparisons.items()
        },
        "rivals": [
            {
                "name": name,
                "group": group,
                "advantage": _plain(told.difference(hypothesis, name, level)),
                "holds": _holds(one, name, hypothesis),
                "impossible": _impossible(one, name),
            }
            for group, told in comparisons.items()
            if hypothesis in told.scores
            for level in (1 - 0.05 / max(len(told.scores) - 1, 1),)
            for name in told.scores
            if name != hypothesis
        ],
        "sufficiency": {
            name: {
                "answer": told.answer,
                "sentence": told.sentence(),
                "counts": {
                    "sufficient": len(told.matches) - len(told.failing) - len(told.open),
                    "not sufficient": len(told.failing),
                    "cannot tell": len(told.open),
                },
            }
            for name, told in sufficiency.items()
        },
        "unseen_sufficiency": {
            name: one.sufficiency(name, unseen=True).answer for name in one.regrowths if part.unseen
        },
        "not_regrown": dict(one.not_regrown),
        "places": {
            name: [
                {"factor": place.factor, "answer": place.answer, "sentence": place.sentence()}
                for place in some
            ]
            for name, some in one.places.items()
        },
        "not_relocated": dict(one.not_relocated),
        "impossible": {name: _impossible(one, name) for name in one.fits},
        "missed": {
            name: sorted({told for found in by_group.values() for told in found.missed})
            for name, by_group in one.predictions.items()
        },
    }


def _number(value: float) -> float | None:
    """JSON knows no NaN."""
    return value if isfinite(value) else None


def _plain(found: Estimate) -> dict[str, Any]:
    return {
        name: _number(value) if isinstance(value, float) else value
        for name, value in asdict(found).items()
    }


def _impossible(one: Explained, name: str) -> int:
    """How many choices cannot be under a mechanism."""
    return sum(found.impossible for found in one.fits[name].values())


def _holds(one: Explained, rival: str, hypothesis: str) -> bool:
    """Whether a mechanism has all parameters of another, and more, and works alike."""
    for group, found in one.fits[hypothesis].items():
        other = one.fits[rival].get(group)
        if other is None or type(other.mechanism) is not type(found.mechanism):
            return False
        if not set(found.names) < set(other.names):
            return False
    return True


def _frames(explanation: Explanation, one: Explained) -> "Iterator[tuple[str, pd.DataFrame]]":
    import pandas as pd  # as above

    for name, by_group in one.fits.items():
        for group, found in by_group.items():
            table = found.table().reset_index()
            yield "mechanism_parameters", table.assign(mechanism=name, group=group)
    for group, told in one.comparisons.items():
        table = told.table().reset_index()
        count = table["mechanism"].map(dict(told.parameters))
        ends = table["mechanism"].isin([BEST, UNIFORM])
        yield "mechanism_scores", table.assign(group=group, parameters=count, end=ends)
    for name, checked in one.predictions.items():
        for group, predictions in checked.items():
            yield "mechanism_checks", predictions.table().assign(mechanism=name, group=group)
    for name, grown in one.regrowths.items():
        measures = dict.fromkeys(measure for _, measure in grown.regrown)
        for measure in measures:
            table = grown.table(measure, one.responses)
            yield "regrowth", table.assign(mechanism=name)
        rows = [
            {
                "cell": cell, "step": step, "mechanism": name,
                "grown": match.grown.value, "grown_low": match.grown.low,
                "grown_high": match.grown.high, "regrown": match.regrown.value,
                "regrown_low": match.regrown.low, "regrown_high": match.regrown.high,
            }
            for cell in grown.cells
            for step, match in zip(
                _steps(grown, cell, one.measure), grown.course(cell, one.measure), strict=True
            )
        ]  # fmt: skip
        yield "regrowth_courses", pd.DataFrame(rows)
    for name, scale in one.scales.items():
        yield "mechanism_scale", scale.table().assign(mechanism=name, measure=scale.measure)
    for name, places in one.places.items():
        yield (
            "thresholds_regrown",
            pd.DataFrame([place.row() for place in places]).assign(mechanism=name),
        )
        for place in places:
            told_ = place.curves().assign(factor=place.factor, mechanism=name)
            log = place.grown.axis.logarithmic
            yield "thresholds_courses", told_.assign(criterion=place.grown.criterion, log=log)
    yield from _pictures(explanation, one)


def _steps(grown: Any, cell: str, measure: str) -> list[float]:
    known = grown.courses.get((cell, measure))
    return [] if known is None else [float(step) for step in known.step]


def _pictures(explanation: Explanation, one: Explained) -> "Iterator[tuple[str, pd.DataFrame]]":
    for group in one.part.groups:
        comparison = one.comparisons.get(group)
        wanted = [explanation.hypothesis]
        wanted += [] if comparison is None else [comparison.ranking[0]]
        shown = {
            name: one.fits[name][group].mechanism
            for name in dict.fromkeys(wanted)
            if group in one.fits.get(name, {})
        }
        every = {name: found[group].mechanism for name, found in one.fits.items() if group in found}
        places, signals = expectations(
            one.part, explanation.results, group, shown, signal_of(every), gate_of(every)
        )
        yield "mechanism_places", places.assign(group=group) if len(places) else places
        yield "mechanism_signals", signals.assign(group=group) if len(signals) else signals
