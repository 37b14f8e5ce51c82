"""Shares in words, with their intervals and what they rest on."""

from collections.abc import Sequence

from cloudchamber.measures.estimate import Estimate

__all__ = ["in_runs", "nothing_alone", "percent"]


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
