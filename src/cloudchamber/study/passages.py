"""Through which channels a study's effect passes, and who moved whom: grown from what its folder says.

The effect is that of the influence: a cell less its own null. Whoever decides there decides again, in worlds
that cross the two; in the place of agents who ask a language model, a mechanism that was fitted to them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from cloudchamber.agents.society import models_of
from cloudchamber.analysis.saved import load, save
from cloudchamber.counterfactual import (
    Coupled,
    Crossing,
    Influence,
    Mediation,
    PastRuns,
    channels_of,
    cross,
    influence,
    mediate,
)
from cloudchamber.errors import SpecificationError, TraceError, nearest
from cloudchamber.experiment import Cell, Results
from cloudchamber.experiment.manifest import placed
from cloudchamber.mechanism import fit
from cloudchamber.mechanism.growing import decided_by, put
from cloudchamber.microspec import Microspec
from cloudchamber.study.parts import parts_of
from cloudchamber.study.study import Study

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Passages", "channels"]

NAME = "channels.json"
LOOKED_AT = 3_000_000
"""Decisions that are gone through to find who moved whom, at most: of long runs that is some of them."""
Watch = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Passages:
    """What passes through each channel, and who moved whom."""

    cell: str
    """The world with."""
    null: str
    """The world without."""
    by: str
    """The mechanism that decided in the agents' place; empty where they did themselves."""
    mediation: Mediation
    crossings: tuple[Crossing, ...]
    """Pairs of channels."""
    influence: Influence | None

    def __str__(self) -> str:
        whose = f", by {self.by!r} in the agents' place" if self.by else ""
        told = [f"{self.cell}, less {self.null}{whose}", self.mediation, *self.crossings]
        return "\n".join(map(str, [*told, *([self.influence] if self.influence else [])]))

    def save(self, folder: Path) -> None:
        """Keep it under results/ in a study's folder."""
        found, results = self.mediation, folder / "results"
        facts = {
            "cell": self.cell,
            "null": self.null,
            "by": self.by,
            "measure": found.coupled.measure,
            "channels": found.channels,
            "unmatched": found.unmatched,
            "crossings": [(one.first, one.second, one.unmatched) for one in self.crossings],
            "influence": None
            if self.influence is None
            else {"reached": self.influence.reached, "asked": self.influence.asked},
        }
        for name, frame in self._frames():
            save(frame, results / f"{name}.parquet")
        (results / NAME).write_bytes(msgspec.json.format(msgspec.json.encode(facts), indent=2))

    @classmethod
    def read(cls, folder: Path) -> "Passages | None":
        """What a folder keeps; None where there is nothing.

        Raises:
            TraceError: it is damaged.
        """
        path = folder / "results" / NAME
        try:
            told: dict[str, Any] = msgspec.json.decode(path.read_bytes())
            worlds = _coupled(told["measure"], path.with_name("channel_worlds.parquet"))
            crossings = tuple(
                Crossing(
                    _coupled(told["measure"], path.with_name(f"channel_worlds_{at}.parquet")), *one
                )
                for at, one in enumerate(told["crossings"])
            )
            moved = told["influence"] and Influence(
                _columns(path.with_name("influence_decisions.parquet")),
                _columns(path.with_name("influence_edges.parquet")),
                **told["influence"],
            )
            found = Mediation(worlds, tuple(told["channels"]), told["unmatched"])
            return cls(told["cell"], told["null"], told["by"], found, crossings, moved)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError, KeyError, TypeError) as error:
            raise TraceError(
                f"{path} cannot be read ({type(error).__name__}); remove it, or ask for the channels again."
            ) from None

    def _frames(self) -> "Iterator[tuple[str, pd.DataFrame]]":
        import pandas as pd  # 300 ms that `import cloudchamber` need not pay

        yield "channel_worlds", self.mediation.coupled.frame()
        for at, one in enumerate(self.crossings):
            yield f"channel_worlds_{at}", one.coupled.frame()
        if self.influence is not None:
            yield "influence_decisions", pd.DataFrame(dict(self.influence.decisions))
            yield "influence_edges", pd.DataFrame(dict(self.influence.pairs))


def channels(
    study: Study,
    out: str | Path,
    *,
    cell: str = "",
    through: Sequence[str] = (),
    by: str = "",
    runs: int | None = None,
    moved: bool = True,
    watch: Watch | None = None,
) -> Passages:
    """How much of a study's effect passes through each channel, and who moved whom.

    Args:
        study: whose runs are in the folder; it has a null.
        out: the folder that `study.run` wrote. The same replicates are grown, under the same noise.
        cell: the world with; the cell at risk, if not given. The world without is its null.
        through: channels; all that there are, if none is given. Each pair of them is crossed, too.
        by: the name of one of the study's mechanisms, fitted to the folder's choices, that decides in the
            agents' place (the fit itself: its uncertainty is not in the intervals). Needed where a language
            model is asked.
        runs: how many replicates; all that are complete, if not given.
        moved: whether it is asked, too, who moved whom; in some of the runs, where they are long.
        watch: told what is being done.

    Raises:
        SpecificationError: no null, cell, channel or mechanism of that name; agents who ask a language model.
        TraceError: no run of the cell is complete.
    """
    say = watch or (lambda text: None)
    results = study.results(placed(out))
    world = results.require(cell or study.at_risk())
    null = study.null_of(world)
    if null is None or null.id == world.id:
        raise SpecificationError(
            f"cell: {world.name!r} has no null but itself, so there is no effect to trace; give the study a "
            "null, e.g. null=isolate(), and a cell in which agents heed one another."
        )
    replicates = _replicates(results, world)[:runs]
    live, dead = _decided(study, results, (world, null), by, say)
    names = _through(live, dead, through)
    say(f"crossing worlds for {', '.join(names)}")
    seed, measure = results.seed, study.phenomenon.measure
    found = mediate(live, dead, names, measure=measure, replicates=replicates, seed=seed)
    crossings = []
    for one, other in combinations(names, 2):
        say(f"crossing {one} and {other}")
        crossings.append(
            cross(live, dead, one, other, measure=measure, replicates=replicates, seed=seed)
        )
    graph = None
    if moved:
        some = replicates[: max(1, LOOKED_AT // max(_decisions(live) ** 2, 1))]
        say(f"asking who moved whom, in {len(some)} run{'' if len(some) == 1 else 's'}")
        graph = influence(PastRuns(live, some, seed=seed))
    return Passages(world.name, null.name, by, found, tuple(crossings), graph)


def _decided(
    study: Study, results: Results, cells: tuple[Cell, Cell], by: str, say: Watch
) -> tuple[Microspec, Microspec]:
    """Both worlds, with a mechanism in the agents' place if one is named."""
    live, dead = cells[0].spec, cells[1].spec
    if by:
        fits = _fitted(study, results, cells[0].name, by, say)
        live, dead = (put(one, decided_by(one, fits)[0]) for one in (live, dead))
    asked = sorted({*models_of(live), *models_of(dead)})
    if asked:
        known = ", ".join(repr(name) for name in study.mechanisms) or "none yet"
        raise SpecificationError(
            f"agents ask a language model ({asked[0]}), which crossed worlds would ask again; let a fitted "
            f"rule decide in their place, --by NAME (by=...) with NAME one of: {known}. In Python "
            "cloudchamber.counterfactual.mediate(..., models=...) asks the model."
        )
    return live, dead


def _fitted(study: Study, results: Results, cell: str, by: str, say: Watch) -> Mapping[str, Any]:
    """A mechanism's fits, by group."""
    if by not in study.mechanisms:
        raise SpecificationError(f"by: no mechanism {by!r}; {nearest(by, study.mechanisms)}")
    parts, left = parts_of(study, results)
    part = next((one for one in parts if cell in one.cells), None)
    if part is None:
        raise SpecificationError(
            f"by: nothing can be fitted for {cell!r}: {left.get(cell, 'no runs')}"
        )
    say(f"fitting {by!r}")
    return {group: fit(study.mechanisms[by], part.choices(results, group)) for group in part.groups}


def _through(live: Microspec, dead: Microspec, wanted: Sequence[str]) -> tuple[str, ...]:
    there = dict.fromkeys((*channels_of(live), *channels_of(dead)))
    if wanted:
        return tuple(wanted)
    if live.visibility.top is not None or dead.visibility.top is not None:
        there.pop("order", None)  # of which only the top is shown
    if not there:
        raise SpecificationError("channels: there are none in this cell; agents are shown nothing.")
    return tuple(there)


def _replicates(results: Results, cell: Cell) -> list[int]:
    runs = set(results.ids(cell))
    done = results.done.drop_duplicates("run")
    return sorted(int(one) for one in done[done["run"].isin(runs)]["replicate"])


def _decisions(spec: Microspec) -> int:
    """About how many decisions a run has."""
    each = spec.world.items if spec.affordances.presentation == "one at a time" else 1
    return spec.population.count * spec.turns.steps * each


def _coupled(measure: str, path: Path) -> Coupled:
    frame = load(path)
    worlds = {str(name): frame[name].to_numpy(np.float64) for name in frame.columns[1:]}
    return Coupled(measure, frame["replicate"].to_numpy(np.int64), worlds)


def _columns(path: Path) -> dict[str, Any]:
    frame = load(path)
    return {str(name): frame[name].to_numpy() for name in frame.columns}
