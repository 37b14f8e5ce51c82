"""What suffices: sets of conditions with what they rest on, as a table and in words."""

from dataclasses import dataclass
from math import ceil, log
from typing import TYPE_CHECKING

from cloudchamber.analysis.sufficiency.prim import Box
from cloudchamber.analysis.sufficiency.wording import in_runs, nothing_alone, percent
from cloudchamber.measures.estimate import Estimate

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Sufficiency", "SufficientSet"]


@dataclass(frozen=True)
class SufficientSet:
    """Conditions, and how often the phenomenon grew where they hold, in runs that did not find them."""

    conditions: Box
    share: Estimate
    outside: Estimate
    """Of the runs where not all of them hold."""
    without: tuple[Estimate, ...]
    """The share where each one, in turn, is not asked for, and the others hold."""
    p: float
    """That cells inside and outside are alike."""
    coverage: float
    """Of the runs in which the phenomenon grew, the part in which these conditions hold."""

    def __str__(self) -> str:
        return " AND ".join(map(str, self.conditions))


@dataclass(frozen=True)
class Sufficiency:
    """Which sets of conditions suffice."""

    sets: tuple[SufficientSet, ...]
    """Those that are claimed."""
    anywhere: Estimate
    """The share in all runs that judge."""
    certain: float
    """The share from which the phenomenon is called certain."""
    everywhere: bool
    """Whether it is certain without any condition."""
    refuted: SufficientSet | None = None
    """The first set that was found and could not be claimed."""

    def table(self) -> "pd.DataFrame":
        """A row a set: conditions, claimed, share, low, high, runs, outside, p, coverage."""
        import pandas as pd

        refuted = (self.refuted,) if self.refuted else ()
        rows = [
            {
                "conditions": str(one),
                "claimed": one in self.sets,
                "share": one.share.value,
                "low": one.share.low,
                "high": one.share.high,
                "runs": one.share.n,
                "outside": one.outside.value,
                "p": one.p,
                "coverage": one.coverage,
            }
            for one in (*self.sets, *refuted)
        ]
        columns = ["conditions", "claimed", "share", "low", "high", "runs", "outside", "p"]
        return pd.DataFrame(rows, columns=[*columns, "coverage"])

    def __str__(self) -> str:
        return _told_sets(self)


def _told_sets(found: Sufficiency) -> str:
    """A sentence for each set, or what was found instead."""
    if found.everywhere:
        return (
            f"no condition is needed: grown in {in_runs(found.anywhere)} under all that was varied"
        )
    if found.sets:
        return "\n".join(_told(one, found.certain) for one in found.sets)
    base = f"grown in {in_runs(found.anywhere)} overall"
    if found.refuted is None:
        return f"nothing found: no set of conditions makes it certain ({base})"
    one = found.refuted
    fewest = ceil(log((1 - one.share.level) / 2) / log(found.certain))
    return (
        f"nothing found: {one} looked sufficient, but the runs held back do not show it, where it grew in "
        f"{in_runs(one.share)} ({base}); it would take {fewest} {one.share.unit}s that all grow, or more"
    )


def _told(one: SufficientSet, certain: float) -> str:
    several = len(one.conditions) > 1
    verb = "suffice" if several else "suffices"
    head = f"{one} {verb} (grown in {in_runs(one.share)})"
    if not several:
        return f"{head}; without it: {in_runs(one.outside)}"
    names = [str(condition) for condition in one.conditions]
    pairs = [
        f"without {name}: {percent(rest)}" for name, rest in zip(names, one.without, strict=True)
    ]
    return f"{head}; {', '.join(pairs)}; {nothing_alone(one.without, certain)}"
