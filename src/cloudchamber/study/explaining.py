"""Explaining a study: its mechanisms are fitted, compared, checked, and put in the agents' place.

From stored results alone: rules cost nothing, and no model is asked.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cloudchamber.analysis.thresholds.relocated import MARGIN, Relocated
from cloudchamber.errors import SpecificationError, TraceError
from cloudchamber.experiment import Results
from cloudchamber.experiment.manifest import placed
from cloudchamber.measures import MEASURES, Measure
from cloudchamber.mechanism import (
    AtScale,
    ChoiceData,
    Comparison,
    Fit,
    Mechanism,
    Predictions,
    Regrowth,
    Sufficiency,
    at_scale,
    compare,
    fit,
    predict,
    regrow,
)
from cloudchamber.mechanism.scaling import sized
from cloudchamber.study.battery import least_change
from cloudchamber.study.parts import Part, parts_of
from cloudchamber.study.relocating import relocated, unlike
from cloudchamber.study.sought import Sought
from cloudchamber.study.study import Study

__all__ = ["Explained", "Explanation", "explain"]

CHECKED = 15_000_000
"""Exposures that predictive checks draw anew at most, over all draws: of a long study some runs."""
CHECKS = 199
Watch = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Explained:
    """One form of asking: what the mechanisms say of the choices, and what they grow."""

    part: Part
    fits: Mapping[str, Mapping[str, Fit]]
    """By mechanism, then by group."""
    comparisons: Mapping[str, Comparison]
    """By group; empty with a single replicate."""
    predictions: Mapping[str, Mapping[str, Predictions]]
    """By mechanism, then by group: of the hypothesis' own, and of the one that predicts best."""
    regrowths: Mapping[str, Regrowth]
    """By mechanism."""
    responses: tuple[tuple[str, str], ...]
    """Pairs of cells whose difference is to be regrown: each with its null, and what was tried against it."""
    measure: str
    not_regrown: Mapping[str, str]
    """Mechanisms that could not be put in the agents' place, and why."""
    scales: Mapping[str, AtScale]
    """By mechanism: the cell at risk and its null in larger populations, where that was asked for."""
    places: Mapping[str, tuple[Relocated, ...]]
    """By mechanism: the searches for a threshold that were given, done again in the agents' place."""
    not_relocated: Mapping[str, str]
    """Searches that could not be done again, and why."""

    def sufficiency(self, mechanism: str, *, unseen: bool | None = None) -> Sufficiency:
        """Whether a mechanism grows the phenomenon's measure as the agents did.

        Args:
            mechanism: its name.
            unseen: only in cells that the fit saw (False), or never saw (True); all, if not given.

        Raises:
            SpecificationError: it was not regrown.
        """
        if mechanism not in self.regrowths:
            why = self.not_regrown.get(mechanism, "there is none of that name")
            raise SpecificationError(f"{mechanism!r} was not regrown: {why}")
        grown = self.regrowths[mechanism]
        cells = [
            cell for cell in grown.cells if unseen is None or (cell in self.part.unseen) is unseen
        ]
        pairs = [pair for pair in self.responses if pair[0] in cells]
        return grown.sufficiency(self.measure, pairs, cells=cells)


@dataclass(frozen=True, eq=False)
class Explanation:
    """A study explained: by form of asking, that of the cell at risk first."""

    study: Study
    results: Results
    hypothesis: str
    """The name of the mechanism that is the hypothesis' own."""
    parts: tuple[Explained, ...]
    left_out: Mapping[str, str]
    """Cells that are of other agents, and why."""
    margin: float
    """The least gap that matters, in the units of the phenomenon's measure."""
    draws: int

    @property
    def sufficiency(self) -> Sufficiency | None:
        """Whether the hypothesis' own mechanism suffices, where the cell at risk is; None: not regrown."""
        first = self.parts[0]
        known = self.hypothesis in first.regrowths
        return first.sufficiency(self.hypothesis) if known else None

    def __str__(self) -> str:
        lines = []
        for one in self.parts:
            lines.append(f"Where agents choose {one.part.form}:")
            lines += [str(told) for told in one.comparisons.values()]
            lines += [f"{name}: {one.sufficiency(name).sentence()}" for name in one.regrowths]
            lines += [f"{name}: not regrown, {why}" for name, why in one.not_regrown.items()]
            lines += [
                f"{name}: {place.sentence()}" for name, some in one.places.items() for place in some
            ]
            lines += [
                f"{name}: not searched again, {why}" for name, why in one.not_relocated.items()
            ]
        return "\n".join(lines)


def explain(
    study: Study,
    out: str | Path,
    *,
    mechanisms: Mapping[str, Mechanism] | None = None,
    fit_on: Sequence[str] = (),
    measures: Sequence[Measure] = (),
    margin: float | None = None,
    draws: int = 20,
    scale: Sequence[int] = (),
    searches: Sequence[str | Path] = (),
    apart: float = MARGIN,
    seed: int = 0,
    watch: Watch | None = None,
) -> Explanation:
    """Fit a study's mechanisms to what its agents chose, compare them, and regrow the study with each.

    Args:
        study: whose runs are in the folder.
        out: the folder that `study.run` wrote.
        mechanisms: by name, the hypothesis' own first; the study's, if not given.
        fit_on: the cells whose choices are fitted; if not given, the combinations of factors and further
            cells of the same world. In all others mechanisms are regrown without having seen them.
        measures: further measures to regrow, beside the phenomenon's.
        margin: the least gap between grown and regrown that matters, in the units of the phenomenon's
            measure; the phenomenon's own margin, if not given.
        draws: draws of a fit's parameters, by which its uncertainty reaches what is regrown.
        scale: sizes of populations in which the cell at risk is grown besides, by the hypothesis' own
            mechanism and the one that predicts best; by their Gini coefficient, where the phenomenon's
            measure is not one of tallies.
        searches: folders that `threshold` or `boundary` wrote of this study: each search, of a boundary
            each line, is done again with the hypothesis' own mechanism, and the one that predicts best, in
            the agents' place.
        apart: the least gap between two places that matters, as a part of the searched range.
        seed: of these draws.
        watch: told what is being done.

    Raises:
        SpecificationError: no mechanisms are named, no such cell, or no margin; a search of another study; a
            size that the cell at risk cannot have.
        TraceError: the folder is not a study's, or its trace has no exposures; no search in a folder.
    """
    named = dict(study.mechanisms if mechanisms is None else mechanisms)
    if not named:
        raise SpecificationError(
            f"mechanisms: the study {study.name!r} names none; give it some, the hypothesis' own first, "
            'e.g. mechanisms={"any like": Logit(terms=(FallOff(), Signal()))}.'
        )
    least, results = least_change(study, margin), study.results(placed(out))
    if not results.trace.sql("SELECT 1 FROM exposures LIMIT 1").fetchall():
        raise TraceError(
            f"{out} holds no exposures (it was kept at the level {'summary'!r}, or holds no run yet); "
            "mechanisms are fitted to what agents were shown: run it at the level full."
        )
    parts, left = parts_of(study, results, fit_on)
    if not parts:
        raise TraceError(f"{out}: there is nothing to fit; {next(iter(left.values()), 'no runs')}.")
    wanted = {one.name: one for one in (study.phenomenon.measure, *measures)}
    sought = tuple(one for folder in searches for one in Sought.all_of(placed(folder)))
    # What makes no sense is refused before anything is fitted.
    for one in sought:
        unlike(study, parts[0], one)
    for size in scale:
        sized(results.design[study.at_risk()].spec, size)
    told = [
        _Explaining(
            study,
            results,
            part,
            named,
            list(wanted.values()),
            least,
            draws,
            seed,
            watch,
            () if at else tuple(scale),
            () if at else sought,
            apart,
        )
        for at, part in enumerate(parts)
    ]
    first = next(iter(named))
    return Explanation(
        study, results, first, tuple(one.explained() for one in told), left, least, draws
    )


@dataclass(frozen=True, eq=False)
class _Explaining:
    """The work on one part."""

    study: Study
    results: Results
    part: Part
    named: Mapping[str, Mechanism]
    measures: Sequence[Measure]
    margin: float
    draws: int
    seed: int
    watch: Watch | None
    scale: tuple[int, ...]
    searches: tuple[Sought, ...]
    apart: float

    def explained(self) -> Explained:
        fits: dict[str, dict[str, Fit]] = {name: {} for name in self.named}
        comparisons, not_regrown = {}, {}
        predictions: dict[str, dict[str, Predictions]] = {}
        for group in self.part.groups:
            data = self.part.choices(self.results, group)
            for name, mechanism in self.named.items():
                self._say(f"fitting {name!r}")
                try:
                    fits[name][group] = fit(mechanism, data)
                except SpecificationError as error:
                    not_regrown[name] = str(error)
            able = {name: self.named[name] for name in self.named if group in fits[name]}
            if len(data.runs) > 1 and able:
                self._say("comparing on runs held out")
                comparisons[group] = compare(able, data)
            checked = self._checked(*(one for one in [comparisons.get(group)] if one))
            for name in checked:
                if group in fits[name] and not fits[name][group].impossible:
                    found = self._predicted(fits[name][group], data, group)
                    predictions.setdefault(name, {})[group] = found
        regrowths = {}
        for name, by_group in fits.items():
            why = not_regrown.get(name) or _unable(list(by_group.values()))
            if why:
                not_regrown[name] = why
                continue
            self._say(f"regrowing with {name!r}")
            regrowths[name] = regrow(
                self.results,
                by_group,
                self.measures,
                cells=self.part.cells,
                seen=self.part.fitted,
                margins={self.study.phenomenon.measure.name: self.margin},
                draws=self._draws(by_group),
                seed=self.seed,
            )
        best = self._checked(*comparisons.values())
        places, not_relocated = relocated(
            self.study,
            self.part,
            self.searches,
            {name: fits[name] for name in best if name not in not_regrown},
            draws=self._draws(fits[best[0]]),
            seed=self.seed,
            margin=self.apart,
            say=self._say,
        )
        return Explained(
            self.part,
            fits,
            comparisons,
            predictions,
            regrowths,
            self._responses(),
            self.study.phenomenon.measure.name,
            not_regrown,
            self._scaled(fits, best, not_regrown),
            places,
            not_relocated,
        )

    def _draws(self, fits: Mapping[str, Fit]) -> int:
        """Draws of the parameters: of a fit to one run there are none."""
        return self.draws if all(one.runs > 1 for one in fits.values()) else 0

    def _scaled(
        self,
        fits: Mapping[str, Mapping[str, Fit]],
        wanted: Sequence[str],
        not_regrown: Mapping[str, str],
    ) -> dict[str, AtScale]:
        """The cell at risk in larger populations, and its null."""
        risk = self.results.design[self.study.at_risk()]
        null = self.study.null_of(risk)
        measure = self.study.phenomenon.measure
        if measure.of_tally is None or measure.across_runs:
            measure = MEASURES["gini"]
        return {
            name: at_scale(
                risk.spec,
                fits[name],
                measure,
                self.scale,
                null=None if null is None or null.id == risk.id else null.spec,
                draws=min(self._draws(fits[name]), 10),
                seed=self.results.seed,
                watch=self.watch,
            )
            for name in wanted
            if self.scale and name not in not_regrown
        }

    def _say(self, what: str) -> None:
        if self.watch is not None:
            self.watch(f"{what} ({self.part.form})")

    def _checked(self, *comparisons: Comparison) -> list[str]:
        """What is looked at closely: the hypothesis' own, and what predicts best, in any of these."""
        best = [one.ranking[0] for one in comparisons]
        return list(dict.fromkeys([next(iter(self.named)), *best]))

    def _predicted(self, found: Fit, data: ChoiceData, group: str) -> Predictions:
        self._say("drawing choices anew")
        runs = self.results.ids(list(self.part.fitted))
        each = len(data) * data.options * CHECKS / max(len(runs), 1)
        some = max(len(self.part.fitted), int(CHECKED / max(each, 1)))
        return predict(
            found,
            self.results.trace,
            runs=_evenly(runs, some),
            asked=self.part.asked,
            content=data.content,
            draws=CHECKS if found.runs > 1 else 99,
            seed=self.seed,
        )

    def _responses(self) -> tuple[tuple[str, str], ...]:
        """Each judged cell against its null, each intervention and the attack against the cell at risk."""
        study, there = self.study, self.results.design
        names = {there[name].id: name for name in reversed(self.part.cells)}
        risk = names.get(there[study.at_risk()].id)
        pairs = []
        for cell in study.judged():
            null = study.null_of(cell)
            if null is not None and null.id != cell.id:
                pairs.append((names.get(cell.id), names.get(null.id)))
        tried = [f"with {one.name}" for one in study.interventions]
        tried += ["attacked"] if study.attack is not None else []
        pairs += [(names.get(there[name].id), risk) for name in tried]
        known = [(one, other) for one, other in pairs if one and other and one != other]
        return tuple(dict.fromkeys(known))


def _unable(fits: Sequence[Fit]) -> str:
    """Why fits cannot decide in the agents' place; empty if they can."""
    for one in fits:
        if one.impossible:
            return f"{one.impossible} of {one.decisions} choices cannot be under it, whatever its parameters"
    return ""


def _evenly(runs: Sequence[int], count: int) -> list[int]:
    """So many of the runs, evenly out of their order."""
    if count >= len(runs):
        return list(runs)
    return [runs[int(at)] for at in np.linspace(0, len(runs) - 1, count).astype(int)]
