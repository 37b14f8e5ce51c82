"""The table of effects: every comparison between cells a row, tidy, with all that a claim rests on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite, nan
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from cloudchamber.analysis.effects.across import across, ends, named
from cloudchamber.analysis.effects.adjustment import Correction, adjusted
from cloudchamber.analysis.effects.cells import pairs, tables
from cloudchamber.analysis.effects.effect_sizes import cohens_dz, hedges_g, superiority
from cloudchamber.analysis.effects.equivalence import (
    Test,
    decide,
    fewest_runs,
    p_value,
    spread,
    tost,
)
from cloudchamber.analysis.effects.power import runs_to_decide
from cloudchamber.analysis.effects.resampling import Interval, bootstrap_difference
from cloudchamber.errors import SpecificationError, nearest
from cloudchamber.measures import Measure
from cloudchamber.measures.estimate import (
    FEW,
    Estimate,
    about,
    difference,
    mean,
    ratio,
)
from cloudchamber.trace import TraceFolder

if TYPE_CHECKING:
    import pandas as pd

    from cloudchamber.experiment import Results

__all__ = ["effects", "sentence"]


Kind = str | Measure | Callable[[TraceFolder], Any]
"""What may be compared by."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What each comparison is made with."""

    paired: bool
    in_sd: bool
    level: float
    test: Test
    interval: Interval
    seed: int


def effects(
    source: "Results | pd.DataFrame",
    measure: "Kind | Sequence[Kind]" = (),
    *,
    against: str | Mapping[str, str] | None = None,
    paired: bool = True,
    correct: Correction = "holm",
    by_measure: bool = False,
    margin: float | Mapping[str, float] | None = None,
    in_sd: bool = False,
    level: float = 0.95,
    test: Test = "permutation",
    interval: Interval = "t",
    seed: int = 0,
) -> "pd.DataFrame":
    """Compare cells by a measure: a row a comparison.

    Args:
        source: results of a design. Or a frame: wide, a row a replicate and a column a cell (as
            `Results.measure` gives it), or long, with columns cell (or name), replicate, value, and
            measure where there are several.
        measure: of results, the measure or measures, by name, as such, or as a function of the trace that
            gives a number by run; of a long frame which of them, all if not given; of a
            wide frame what it is called.
        against: one cell, with which all others are compared; or for each cell to be compared its own
            baseline, e.g. its null; all pairs, if not given.
        paired: whether runs of the same replicate share their noise, as those of one design do.
        correct: how p-values are adjusted for the number of comparisons (see `adjust`).
        by_measure: each measure is a family of its own; else all comparisons of the table are one.
        margin: of equivalence, the least difference that would matter, for all or by measure; without
            one "no effect" cannot be told.
        in_sd: the margin is in standard deviations between runs of the baseline (see `tost`).
        level: confidence of the intervals, each by itself; 1 - level is the alpha of the verdicts.
        test: "permutation" or "t" (see `tost`).
        interval: of the difference: "t", "percentile-t" or "bca" (see `bootstrap_difference`).
        seed: of what is drawn.

    Returns:
        Columns measure, cell, against, paired, n and n_against (pairs, or runs of each), mean, mean_against,
        estimate, low, high (the difference of means); ratio, ratio_low, ratio_high (NaN where a mean is not
        positive); effect_size, effect_size_low, effect_size_high and effect_size_kind (d_z of pairs, Hedges'
        g else); superiority, superiority_low, superiority_high (the chance of a run to be above its
        partner, or above any of the other cell); p, p_adjusted; margin, p_equivalence,
        p_equivalence_adjusted; verdict ("effect", "no effect" (none beyond the margin), "undecided"), by
        the adjusted p-values; runs_needed to decide, as an order of magnitude; level, test, interval,
        correction, unit.

    Fewer than four runs decide nothing. Of a measure that compares runs with one another (unpredictability)
    the runs' numbers are not independent; its difference takes a jackknife over whole replicates, which needs
    results and pairs, and it has no ratio, effect size or permutation.

    Raises:
        SpecificationError: an unknown cell, measure, test, interval or correction, nothing to compare, a
            level that is none, a margin that is not above 0, or values that are infinite.
    """
    import pandas as pd  # 300 ms that `import cloudchamber` need not pay

    asked = _asked(_Asked(paired, in_sd, level, test, interval, seed))
    rows = []
    found = tables(source, measure)
    for name in margin if isinstance(margin, Mapping) else ():
        if name not in (known := [one for one, _, _ in found]):
            raise SpecificationError(f"margin: of {name!r}; {nearest(name, known)}")
    for name, table, tallies in found:
        width = margin.get(name) if isinstance(margin, Mapping) else margin
        if np.isinf(table.to_numpy(dtype=np.float64)).any():
            raise SpecificationError(
                f"{name}: some runs have an infinite one; give finite numbers or NaN"
            )
        for cell, baseline in pairs([str(c) for c in table.columns], against):
            head = {"measure": name, "cell": cell, "against": baseline, "paired": paired}
            if tallies is not None:
                told = across(tallies(cell, baseline), width, level=level, in_sd=in_sd)
            else:
                told = _compared(table[cell], table[baseline], width, asked)
            rows.append(head | told)
    if not rows:
        raise SpecificationError("effects: there is nothing to compare; give at least two cells")
    frame = pd.DataFrame(rows)
    family = "measure" if by_measure else ()
    for column in ("p", "p_equivalence"):
        frame = adjusted(frame, column, method=correct, by=family)
    size = frame.groupby("measure")["p"].transform("count") if by_measure else frame["p"].count()
    return _judged(frame, size, correct, asked)


def _asked(given: _Asked) -> _Asked:
    """What was asked for, if it can be.

    Raises:
        SpecificationError: a test or an interval that there is not, or a level that is none.
    """
    for name, one, known in (("test", given.test, Test), ("interval", given.interval, Interval)):
        if one not in (allowed := get_args(known)):
            raise SpecificationError(f"{name}: {one!r}; {nearest(one, allowed)}")
    if not 0.5 < given.level < 1:
        raise SpecificationError(
            f"level: {given.level:g}; allowed: above 0.5 and below 1, e.g. 0.95"
        )
    return given


def _judged(frame: "pd.DataFrame", size: Any, correct: Correction, asked: _Asked) -> "pd.DataFrame":
    """The table with its verdicts and what would decide, in the order of columns that is promised."""
    alpha = 1 - asked.level
    frame["verdict"] = [
        decide(p, q, alpha) if n >= FEW else "undecided"
        for p, q, n in zip(
            frame["p_adjusted"],
            frame["p_equivalence_adjusted"],
            frame[["n", "n_against"]].min(axis=1),
            strict=True,
        )
    ]
    # Holm asks alpha / m of the least p: enough for any comparison.
    each = np.broadcast_to(alpha / np.maximum(size, 1) if correct == "holm" else alpha, len(frame))
    frame["runs_needed"] = [
        runs_to_decide(
            row["estimate"],
            row["spread"],
            margin=row["margin"] if row["margin"] > 0 else None,
            paired=asked.paired,
            alpha=float(one),
        )
        if row["verdict"] == "undecided" and isfinite(row["estimate"])
        else nan
        for (_, row), one in zip(frame.iterrows(), each, strict=True)
    ]
    frame["level"], frame["test"] = asked.level, asked.test
    frame["interval"], frame["correction"] = asked.interval, correct
    frame["unit"] = "pair of runs" if asked.paired else "run"
    jackknifed = frame.pop("jackknife")
    frame.loc[jackknifed, ["test", "interval"]] = ["t", "jackknife"]
    after = ["p", "p_adjusted", "margin", "p_equivalence", "p_equivalence_adjusted", "verdict"]
    last = [*after, "runs_needed", "level", "test", "interval", "correction", "unit"]
    first = [name for name in frame.columns if name not in (*last, "spread")]
    return frame[[*first, *last]]


def _compared(one: Any, other: Any, margin: float | None, asked: _Asked) -> dict[str, Any]:
    """One comparison's numbers, but for what the family of comparisons decides."""
    paired, level = asked.paired, asked.level
    if asked.interval == "t":
        gap = difference(one, other, paired=paired, level=level)
    else:
        gap = bootstrap_difference(
            one, other, paired=paired, method=asked.interval, level=level, seed=asked.seed
        )
    if paired:
        both = one.notna() & other.notna()
        one, other = one[both], other[both]
    size = cohens_dz(one, other, level=level) if paired else hedges_g(one, other, level=level)
    p = p_value(one, other, paired=paired, test=asked.test, seed=asked.seed)
    width, q = nan, nan
    if margin is not None:
        found = tost(
            one, other, margin, paired=paired, in_sd=asked.in_sd, test=asked.test, seed=asked.seed
        )
        width, q = found.margin, found.p
    return {
        "n": int(one.notna().sum()),
        "n_against": int(other.notna().sum()),
        "mean": mean(one).value,
        "mean_against": mean(other).value,
        **named(gap, ("estimate", "low", "high")),
        **named(ratio(one, other, paired=paired, level=level), ends("ratio")),
        **named(size, ends("effect_size")),
        "effect_size_kind": "d_z" if paired else "Hedges' g",
        **named(superiority(one, other, paired=paired, level=level), ends("superiority")),
        "p": p,
        "margin": width,
        "p_equivalence": q,
        "spread": spread(one, other, paired) if fewest_runs(one, other, paired) > 1 else nan,
        "jackknife": False,
    }


def sentence(row: "Mapping[str, Any] | pd.Series[Any]") -> str:
    """A row of `effects` as it is read aloud, with all that the claim rests on."""
    gap = Estimate(
        float(row["estimate"]),
        float(row["low"]),
        float(row["high"]),
        int(row["n"]) if row["paired"] else int(row["n"]) + int(row["n_against"]),
        float(row["level"]),
        str(row["unit"]),
    )
    cell, against, measure = row["cell"], row["against"], row["measure"]
    claim = {
        "effect": f"{cell} differs from {against} in {measure}",
        "no effect": f"{cell} and {against} differ in {measure} by less than {row['margin']:.3g}",
        "undecided": f"Whether {cell} differs from {against} in {measure} cannot be told",
    }[str(row["verdict"])]
    p = row["p_equivalence_adjusted" if row["verdict"] == "no effect" else "p_adjusted"]
    told = f"p = {p:.2g}" if isfinite(p) else "no test"
    by = f", {row['correction']}" if row["correction"] != "none" else ""
    whole = f"{claim}: {gap} ({told}{by})"
    needed = float(row["runs_needed"])
    if row["verdict"] == "undecided" and (isfinite(needed) or needed == inf):
        whole += f"; {about(needed, 'pairs' if row['paired'] else 'runs of each')} would decide"
    return f"{whole}."
