"""What suffices, in words: what is claimed, on how many runs, and what part of it does not do."""

from collections.abc import Sequence
from math import ceil, log
from typing import TYPE_CHECKING

from cloudchamber.measures.estimate import Estimate

if TYPE_CHECKING:
    from cloudchamber.analysis.sufficiency.conditions import Sufficiency, SufficientSet

__all__ = ["in_runs", "nothing_alone", "told_sets"]


def told_sets(found: "Sufficiency") -> str:
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


def _told(one: "SufficientSet", certain: float) -> str:
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


def nothing_alone(without: Sequence[Estimate], certain: float) -> str:
    """Whether each of several conditions is needed beside the others."""
    needed = [rest.known and rest.high < certain for rest in without]
    if all(needed):
        return "neither alone does" if len(without) == 2 else "none can be left out"
    return "whether each is needed cannot be told"


def in_runs(one: Estimate) -> str:
    """A share with what it rests on: "97 % [93, 99] of 212 runs", or "of the runs of 70 cells"."""
    of = "" if one.unit == "run" else "the runs of "
    return f"{percent(one)} of {of}{one.n:,} {one.unit}{'' if one.n == 1 else 's'}"


def percent(one: Estimate) -> str:
    """A share with its interval: "97 % [93, 99]"; no end that is not 0 or 100 is rounded to it."""
    if not one.known:
        return "an unknown share"
    value, low, high = (_rounded(100 * number) for number in (one.value, one.low, one.high))
    return f"{value} % [{low}, {high}]"


def _rounded(number: float) -> str:
    if 0 < number < 0.5 or 99.5 <= number < 100:
        return f"{min(max(number, 0.1), 99.9):.1f}"
    return f"{number:.0f}"
