"""Searches for a threshold, done again with a mechanism in the agents' place: does it begin where it began?

The fit itself is searched as the agents were: as many runs, placed where they tell most, each with its twin
without influence, under the noise of the agents' search. Draws of its parameters ride along: each run that
the fit's search places is grown under every draw, and each draw is judged by what came of these runs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cloudchamber.analysis.thresholds.located import Threshold
from cloudchamber.analysis.thresholds.relocated import MARGIN, Relocated
from cloudchamber.analysis.thresholds.seeking import answered, seek
from cloudchamber.errors import CloudchamberError, SpecificationError
from cloudchamber.measures import Measure
from cloudchamber.mechanism.growing import Deciding, decided_by, numbers_by
from cloudchamber.mechanism.plausible import Fitted
from cloudchamber.microspec import Microspec
from cloudchamber.questions import Reals
from cloudchamber.study.levels import Along, line_of
from cloudchamber.study.parts import Part
from cloudchamber.study.sought import Sought
from cloudchamber.study.study import Study

__all__ = ["relocate", "relocated", "unlike"]


def relocate(
    study: Study,
    sought: Sought,
    found: "Fitted | Mapping[str, Fitted]",
    *,
    draws: int = 20,
    seed: int = 0,
    margin: float = MARGIN,
) -> Relocated:
    """Search a study's threshold again, with a mechanism in the agents' place.

    Args:
        study: whose threshold it is.
        sought: the agents' search; `Sought.all_of` the folder that `threshold` or `boundary` wrote.
        found: a fit for every group, or one for each of some groups, by name; of a mechanism that is no fit
            the parameters are taken as known.
        draws: of the fit's parameters, beside the fit itself.
        seed: of these draws; runs are grown under the seed of the agents' search.
        margin: the least gap between the two places that matters, as a part of the factor's range.

    Raises:
        SpecificationError: the search is not of this study, or as `cloudchamber.mechanism.regrow`.
        RunFailed: a mechanism could not answer.
    """
    growing = _Growing(study, sought, _base(study, sought), found, draws, seed)
    line = line_of(sought.factor)
    search = seek(
        line.low,
        line.high,
        runs=sought.runs,
        coverage=sought.found.first.level,
        criterion=sought.found.criterion,
        width=sought.width,
        batch=sought.batch,
        logarithmic=line.logarithmic,
        levels=line.levels,
        start=sought.start,
        replicate=sought.first,
        shares=False,
    )
    probes, told = next(search), []
    while True:
        told.append(growing.responses([(one.level, one.replicate) for one in probes]))
        try:
            probes = search.send(told[-1][0].tolist())
        except StopIteration as end:
            regrown: Threshold = end.value
            break
    others = np.concatenate(told, axis=1)[1:]
    judged = tuple(answered(regrown, row) for row in others.tolist())
    return Relocated(sought.name, sought.found, regrown, judged, margin)


def relocated(
    study: Study,
    part: Part,
    searches: Sequence[Sought],
    fits: Mapping[str, Mapping[str, Fitted]],
    *,
    draws: int,
    seed: int,
    margin: float,
    say: Callable[[str], None],
) -> tuple[dict[str, tuple[Relocated, ...]], dict[str, str]]:
    """Some searches with each of some mechanisms; and why others were not done again.

    Args:
        study: whose they are.
        part: the form of asking that the mechanisms were fitted to.
        searches: by the agents.
        fits: by mechanism, then by group.
        draws: of each fit.
        seed: of the draws.
        margin: see `relocate`.
        say: told what is being done.

    Raises:
        SpecificationError: a search is not of this study.
    """
    done: dict[str, tuple[Relocated, ...]] = {}
    left: dict[str, str] = {}
    for sought in searches:
        why = unlike(study, part, sought)
        if why:
            left[sought.name] = why
            continue
        for name, fitted in fits.items():
            say(f"searching along {sought.name} with {name!r}")
            try:
                one = relocate(study, sought, fitted, draws=draws, seed=seed, margin=margin)
            except CloudchamberError as error:
                left[f"{sought.name}, with {name!r}"] = str(error).rstrip(".")
            else:
                done[name] = (*done.get(name, ()), one)
    return done, left


def unlike(study: Study, part: Part, sought: Sought) -> str:
    """Why mechanisms of a part cannot take the agents' place in a search; empty if they can.

    Raises:
        SpecificationError: it is not of this study.
    """
    base, line = _base(study, sought), line_of(sought.factor)
    risk = study.design()[study.at_risk()].spec
    along = Along(study, base, sought.factors)
    for level in (line.low, line.high):
        if why := part.unlike(along.pair(sought.at(level))[0].spec, risk):
            return f"at {level:g} {why}; a mechanism in their place has nothing that could be varied so"
    return ""


def _base(study: Study, sought: Sought) -> Microspec:
    """The specification that a search departs from."""
    known = {cell.spec.hash: cell.spec for cell in study.design()}
    if sought.spec not in known:
        raise SpecificationError(
            f"the search along {sought.name} departs from a specification ({sought.cell!r}) that the "
            f"study {study.name!r} does not have; give one of the same study, built with the same options"
        )
    return known[sought.spec]


@dataclass(frozen=True, eq=False)
class _Growing:
    """Grows the runs of a search with a mechanism, all draws together."""

    study: Study
    sought: Sought
    base: Microspec
    found: "Fitted | Mapping[str, Fitted]"
    draws: int
    seed: int

    @cached_property
    def deciding(self) -> tuple[Deciding, ...]:
        """Who decides, draw by draw."""
        return decided_by(self.base, self.found, self.draws, seed=self.seed)

    @cached_property
    def along(self) -> Along:
        """The cells of the search."""
        return Along(self.study, self.base, self.sought.factors)

    def responses(self, asked: Sequence[tuple[float, int]]) -> Reals:
        """(draws + 1, runs): the excess of each run, in the phenomenon's direction."""
        whole = np.full((self.draws + 1, len(asked)), np.nan)
        for level in dict.fromkeys(level for level, _ in asked):
            mine = [at for at, (one, _) in enumerate(asked) if one == level]
            cell, twin = self.along.pair(self.sought.at(level))
            replicates = [asked[at][1] for at in mine]
            values = self._values(cell.spec, replicates)
            if twin is not None:
                values = self.along.sign * (values - self._values(twin.spec, replicates))
            whole[:, mine] = values
        return whole

    def _values(self, spec: Microspec, replicates: Sequence[int]) -> Reals:
        measure: Measure = self.study.phenomenon.measure
        return numbers_by(
            spec, self.deciding, measure, seed=self.sought.seed, replicates=replicates
        )
