"""Sufficiency: the smallest sets of conditions under which a phenomenon is certain.

Boxes are looked for by PRIM in some runs and judged on others. Of a sampled design a third of the cells
and of the replicates finds, and the rest of both judges: no run that found a box judges it, nor one that
shares its draws. Other designs are all the cells that there are; there only replicates are split. A
set is claimed where, in what judges,

- the lower end of the interval of its share reaches what is called certain, and
- it grows more often inside than outside (a permutation test at 1 - level: over cells that were sampled,
  else over replicates, in each of which all cells share their draws).

Sets are judged in the order in which they were found, and after the first that is not claimed none is, so
that the chance of any false claim is that of one. Where outcomes do not depend on conditions, nothing is
claimed in at least 95 % of studies; where the phenomenon is certain everywhere, that is said instead.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from math import inf, nan, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cloudchamber.analysis.effects.estimates import permutation_p
from cloudchamber.analysis.sufficiency.prim import Box, Condition, peel, within
from cloudchamber.analysis.sufficiency.sets import Sufficiency, SufficientSet
from cloudchamber.analysis.sufficiency.shares import share_of
from cloudchamber.errors import SpecificationError
from cloudchamber.experiment.design import Design
from cloudchamber.experiment.sampling import Sample
from cloudchamber.measures.estimate import Estimate

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["sufficient_conditions"]

Reals = NDArray[np.float64]
Mask = NDArray[np.bool_]
LEAST_REPLICATES = 3
"""Of a sample: one to find, and two to judge; with one, what replicates share could not be told."""
LEAST_REPLICATES_OF_ALL = 12
"""Where replicates alone are split: six signs can make a p-value of 0.03."""
LEAST_CELLS = 16
"""Of a sample."""
FINDS = 3
"""One part in so many finds; to judge takes more."""
MOSTLY = 0.5
"""Share of a cell's runs from which a box may end at it."""
LEAST_RUNS = 10
"""That find a box."""
MOST_LISTED = 100
"""Cells of which every combination of levels is looked at, beside what PRIM finds."""


@dataclass(frozen=True)
class _Runs:
    """Cells by what they are, and in which of some replicates the phenomenon grew."""

    conditions: "pd.DataFrame"
    grown: Reals
    """[replicates, cells]; NaN where a run is lacking."""
    sampled: bool
    """Whether the cells stand for others."""

    def among(self, cells: Mask) -> "_Runs":
        there = self.conditions.loc[cells].reset_index(drop=True)
        return replace(self, conditions=there, grown=self.grown[:, cells])

    @property
    def counts(self) -> Reals:
        return np.asarray((~np.isnan(self.grown)).sum(axis=0), dtype=np.float64)

    @property
    def shares(self) -> Reals:
        return np.asarray(np.nansum(self.grown, axis=0) / np.maximum(self.counts, 1))

    def share(self, cells: Mask) -> float:
        runs = self.counts[cells]
        return float(self.shares[cells] @ runs / runs.sum()) if runs.sum() else 0.0

    def estimate(self, cells: Mask, level: float) -> Estimate:
        return share_of(self.grown, cells, level, sampled=self.sampled)


def sufficient_conditions(
    design: Design,
    grown: "pd.DataFrame",
    *,
    certain: float = 0.9,
    most: int = 4,
    sets: int = 3,
    level: float = 0.95,
    seed: int = 0,
) -> Sufficiency:
    """The smallest sets of conditions that make a phenomenon certain, from a sampled or factorial design.

    Args:
        design: its cells stand on factors.
        grown: whether the phenomenon grew, 1 or 0 (NaN: no run), a row a replicate and a column a cell,
            as ``results.measure(...) > threshold`` gives it.
        certain: the share of runs from which it is called certain.
        most: conditions of a set at most.
        sets: how many are looked for.
        level: confidence of each interval, and 1 minus the chance of a false claim.
        seed: of the split into what finds and what judges.

    Raises:
        SpecificationError: too few replicates or cells; values other than 0 and 1; no factor.
    """
    if not 0.5 <= certain < 1:
        raise SpecificationError(f"certain: {certain} was given; allowed: from 0.5 to below 1.")
    find, judge = _split(_runs(design, grown), seed)
    judged: list[SufficientSet] = []
    refuted = None
    all_cells = np.ones(judge.grown.shape[1], dtype=np.bool_)
    anywhere = judge.estimate(all_cells, level)
    everywhere = anywhere.known and anywhere.low >= certain
    left = find
    while not everywhere and len(judged) < sets:
        known = {frozenset(c.factor for c in one.conditions) for one in judged}
        box = _found(left, find, certain, most, known)
        if box is None:
            break
        one = _judged(judge, box, level)
        if not (one.share.known and one.share.low >= certain and one.p <= 1 - level):
            refuted = one
            break
        judged.append(one)
        left = left.among(~within(left.conditions, box))
    return Sufficiency(tuple(judged), anywhere, certain, everywhere, refuted)


def _runs(design: Design, grown: "pd.DataFrame") -> _Runs:
    table = design.table()
    table = table[table["same_as"] == ""].reset_index(drop=True)
    factors = [name for name in table.columns if name not in ("name", "specification", "same_as")]
    sampled = isinstance(design, Sample)
    empty = [
        name for name in table["name"] if name not in grown.columns or grown[name].isna().all()
    ]
    if empty and not sampled and len(empty) < len(table):
        raise SpecificationError(
            f"sufficiency: no run is there of {', '.join(empty)}, so nothing can be said of all that was "
            "varied; grow what is missing, or give a design without."
        )
    table = table[table["name"].isin(grown.columns)].reset_index(drop=True)
    least = LEAST_CELLS if sampled else 2
    if not factors or len(table) < least:
        raise SpecificationError(
            f"sufficiency: {len(table)} cells that stand on {len(factors)} factors are there; allowed: "
            f"{least} cells or more, on one factor or more."
        )
    values = grown[table["name"].tolist()].to_numpy(dtype=np.float64)
    values = values[~np.isnan(values).all(axis=1)]
    if not np.isin(values[~np.isnan(values)], (0.0, 1.0)).all():
        raise SpecificationError(
            "grown: numbers other than 0 and 1 were given; say of each run whether the phenomenon grew, "
            "e.g. results.measure('gini') > 0.4."
        )
    fewest = LEAST_REPLICATES if sampled else LEAST_REPLICATES_OF_ALL
    if len(values) < fewest:
        raise SpecificationError(
            f"sufficiency: {len(values)} replicates are there; allowed: {fewest} or more, for cells share "
            "the draws of a replicate, and what finds may not judge. Grow more; only what is missing is "
            "computed."
        )
    return _Runs(table[factors], values, sampled)


def _split(runs: _Runs, seed: int) -> tuple[_Runs, _Runs]:
    """What finds and what judges."""
    replicates, cells = runs.grown.shape
    first = max(replicates // FINDS, 1)
    finds = replace(runs, grown=runs.grown[:first])
    judges = replace(runs, grown=runs.grown[first:])
    if not runs.sampled:
        return finds, judges
    chosen = np.zeros(cells, dtype=np.bool_)
    chosen[np.random.default_rng(seed).permutation(cells)[: cells // FINDS]] = True
    return finds.among(chosen), judges.among(~chosen)


def _found(
    left: _Runs, whole: _Runs, certain: float, most: int, known: set[frozenset[str]]
) -> Box | None:
    """The smallest set that looks certain in what finds; of its size the one that does so most surely.

    Where none is sure enough, the surest of those whose share is high enough. No two sets are of the same
    factors.
    """
    if not np.nansum(left.grown):
        return None
    best: tuple[int, float] | None = None
    chosen: Box | None = None
    for box in dict.fromkeys(_candidates(left, most)):
        inside = within(whole.conditions, box)
        runs, share = float(whole.counts[inside].sum()), whole.share(inside)
        if runs < LEAST_RUNS or share < certain or {c.factor for c in box} in known:
            continue
        if not left.share(within(left.conditions, box)):
            continue  # all that it holds is in an earlier set
        surely = _lower(share, runs)
        score = (most - len(box) if surely >= certain else -1, surely)
        if best is None or score > best:
            best, chosen = score, box
    return chosen


def _lower(share: float, runs: float, z: float = 1.645) -> float:
    """Lower end of Wilson's interval (1927)."""
    middle = share + z**2 / (2 * runs)
    half = z * sqrt(share * (1 - share) / runs + (z / (2 * runs)) ** 2)
    return (middle - half) / (1 + z**2 / runs)


def _candidates(runs: _Runs, most: int) -> Iterator[Box]:
    """Every box that PRIM passes through, less some conditions, and of few cells all combinations."""
    for peeled in peel(runs.conditions, runs.shares, runs.counts):
        for size in range(1, min(len(peeled.box), most) + 1):
            yield from combinations(_settled(runs, peeled.box), size)
    if not runs.sampled and len(runs.conditions) <= MOST_LISTED:
        listed = [_at(runs.conditions, row) for row in range(len(runs.conditions))]
        for box in listed:
            for size in range(1, min(len(box), most) + 1):
                yield from combinations(box, size)


def _settled(runs: _Runs, box: Box) -> Box:
    """No end half way to the next cell: a box reaches as far as it grew, and not beyond."""
    inside = within(runs.conditions, box) & (runs.shares >= MOSTLY)
    if not inside.any():
        return box
    return tuple(_reaching(runs.conditions, one, inside) for one in box)


def _reaching(conditions: "pd.DataFrame", one: Condition, inside: Mask) -> Condition:
    if one.levels is not None:
        return one
    values = conditions[one.factor].to_numpy(dtype=np.float64)
    low, high = float(values[inside].min()), float(values[inside].max())
    single = low == high
    return replace(
        one,
        low=low if one.low > -inf or single else -inf,
        high=high if one.high < inf or single else inf,
    )


def _at(conditions: "pd.DataFrame", row: int) -> Box:
    """The conditions that single out what one cell stands on; of two levels it is one."""
    box = []
    for name in conditions.columns:
        value, column = conditions[name].iloc[row], conditions[name]
        if column.dtype.kind in "if":
            box.append(Condition(name, float(value), float(value)))
        else:
            levels = frozenset([str(value)])
            others = frozenset(column.astype(str)) - levels
            box.append(Condition(name, levels=levels, others=others))
    return tuple(box)


def _judged(runs: _Runs, box: Box, level: float) -> SufficientSet:
    inside = within(runs.conditions, box)
    larger = runs.share(inside) > runs.share(~inside)
    covered = float(np.nansum(runs.grown[:, inside]))
    return SufficientSet(
        box,
        runs.estimate(inside, level),
        runs.estimate(~inside, level),
        tuple(runs.estimate(_relaxed(runs, box, one), level) for one in box),
        _p(runs, inside) if larger else 1.0,
        covered / max(float(np.nansum(runs.grown)), 1.0),
    )


def _p(runs: _Runs, inside: Mask) -> float:
    """That it grows as often inside as outside."""
    if runs.sampled:
        shares, there = runs.shares, runs.counts > 0
        return permutation_p(shares[inside & there], shares[~inside & there], paired=False)
    both = [runs.grown[:, cells] for cells in (inside, ~inside)]
    whole = [~np.isnan(part).all(axis=1) if part.size else False for part in both]
    kept = whole[0] & whole[1]
    if not np.any(kept):
        return nan
    one, other = (np.nanmean(part[kept], axis=1) for part in both)
    return permutation_p(one, other, paired=True)


def _relaxed(runs: _Runs, box: Box, dropped: Condition) -> Mask:
    """Where a condition does not hold and all others do."""
    others = tuple(one for one in box if one is not dropped)
    return within(runs.conditions, others) & ~dropped.holds(runs.conditions[dropped.factor])
