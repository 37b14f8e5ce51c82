"""What a search along a factor found: a verdict with its intervals, in words and as tables."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import inf, isfinite, nan
from typing import TYPE_CHECKING, Any, Literal

from cloudchamber.analysis.thresholds.axis import Axis
from cloudchamber.analysis.thresholds.hysteresis import Loop
from cloudchamber.analysis.thresholds.shapes import Shape
from cloudchamber.measures.estimate import Estimate, about

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NOWHERE", "CurvePoint", "Kind", "Threshold", "Trial", "number_from", "told"]

Kind = Literal[
    "threshold",
    "gradual",
    "never",
    "always",
    "flat",
    "non-monotone",
    "hysteresis",
    "cannot tell",
]
_RESPONSE = "mean response"
NOWHERE = Estimate(nan, nan, nan, 0, method="posterior")
"""There is no such number."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One run: where, which, and what came of it."""

    level: float
    replicate: int
    response: float
    """1 or 0 for grown or not; NaN for a run that failed: it is counted as spent and tells nothing."""
    batch: int
    """Runs of one batch were chosen together."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The expected response at a level, over all shapes, with its pointwise interval."""

    level: float
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Threshold:
    """Where along a factor a phenomenon appears, or why that cannot be said."""

    kind: Kind
    shape: Shape
    """The most probable shape."""
    shapes: tuple[tuple[Shape, float], ...]
    """The probability of each shape, given all runs and equal odds of flat or not beforehand."""
    at: Estimate
    """A threshold's place; of a gradual response where its mean passes the criterion (or, without
    one, half its way). Not known where there is none."""
    width: Estimate
    """How much of the factor lies between 10 and 90 % of the way, in its units; of a step or sigmoid."""
    crossings: tuple[Estimate, ...]
    """Of a non-monotone response: each place where its mean passes the criterion (or half its way)."""
    first: Estimate
    """Mean response at the low end of the factor."""
    last: Estimate
    """Mean response at its high end."""
    more: float
    """Runs that it may still take to tell; 0 where it is told, infinite where runs will not help."""
    axis: Axis
    criterion: float | None
    shares: bool
    """Whether each run only grew it or not: the mean response is then a share of runs."""
    trials: tuple[Trial, ...] = field(repr=False)
    curve: tuple[CurvePoint, ...] = field(repr=False)
    loop: Loop | None = None
    """What up and down sweeps found, where the response could be swept."""

    @property
    def runs(self) -> int:
        """How many runs were spent, those of sweeps not counted."""
        return len(self.trials)

    def aloud(self, response: str = "response") -> str:
        """In one sentence.

        Args:
            response: what each run was told by, if it was a number.
        """
        loop = f" {self.loop}." if self.loop else ""
        runs = f"{self.runs} run{'' if self.runs == 1 else 's'}"
        told = _SENTENCES[self.kind](self).replace(_RESPONSE, f"mean {response}")
        return f"{told}; {runs}.{loop}"

    def __str__(self) -> str:
        return self.aloud()

    def probability(self, *shapes: Shape) -> float:
        """Probability that the shape is one of these."""
        return sum(chance for shape, chance in self.shapes if shape in shapes)

    def as_json(self) -> dict[str, Any]:
        """All of it as plain values; what is not finite is None."""
        plain = _plain(asdict(self))
        assert isinstance(plain, dict)
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Threshold":
        """What `as_json` gave; of sweeps nothing is kept."""
        told = dict(plain)
        for name in ("at", "width", "first", "last"):
            told[name] = number_from(told[name])
        told["crossings"] = tuple(map(number_from, told["crossings"]))
        told["shapes"] = tuple((shape, chance) for shape, chance in told["shapes"])
        told["more"] = inf if told["more"] is None else told["more"]
        told["axis"] = Axis(**(told["axis"] | {"levels": tuple(told["axis"]["levels"])}))
        told["trials"] = tuple(Trial(**_numbers(one)) for one in told["trials"])
        told["curve"] = tuple(CurvePoint(**_numbers(one)) for one in told["curve"])
        return cls(**(told | {"loop": None}))

    def trials_frame(self) -> "pd.DataFrame":
        """A row a run, in the order of asking: level, replicate, response, batch."""
        import pandas as pd  # takes a second to import

        names = ["level", "replicate", "response", "batch"]
        rows = [
            (trial.level, trial.replicate, trial.response, trial.batch) for trial in self.trials
        ]
        return pd.DataFrame(rows, columns=names)

    def verdict_frame(self) -> "pd.DataFrame":
        """What was found, a row a number: what, value, low, high; what has no interval has none.

        The rows: the probability of each shape, the place, the width, the ends and each crossing.
        """
        import pandas as pd

        rows: list[tuple[str, str, float, float, float]] = [
            (self.kind, f"probability of {shape}", chance, nan, nan)
            for shape, chance in self.shapes
        ]
        told = [("at", self.at), ("width", self.width), ("first", self.first), ("last", self.last)]
        told += [("crossing", place) for place in self.crossings]
        rows += [(self.kind, name, one.value, one.low, one.high) for name, one in told]
        return pd.DataFrame(rows, columns=["kind", "what", "value", "low", "high"])

    def curve_frame(self) -> "pd.DataFrame":
        """A row a level: level, value, low, high: the expected response and its pointwise interval."""
        import pandas as pd

        names = ["level", "value", "low", "high"]
        rows = [(point.level, point.value, point.low, point.high) for point in self.curve]
        return pd.DataFrame(rows, columns=names)

    @property
    def _what(self) -> str:
        return "share of runs that grow it" if self.shares else _RESPONSE

    @property
    def _range(self) -> str:
        return f"between {self.axis.low:g} and {self.axis.high:g}"


def number_from(plain: Mapping[str, Any]) -> Estimate:
    """An estimate out of plain values, in which what is not finite is None."""
    return Estimate(**(_numbers(plain) | {"p": plain["p"]}))


def _numbers(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {name: nan if value is None else value for name, value in plain.items()}


def told(number: Estimate) -> str:
    """An estimate and its interval, without what it rests on."""
    if not isfinite(number.value):
        return "no known number"
    if not number.known:
        return f"{number.value:.3g}"
    if number.high == number.low:
        return f"{number.value:.3g}"
    value, low, high = (number.told(x) for x in (number.value, number.low, number.high))
    return f"{value} [{low}, {high}]"


def _threshold(found: Threshold) -> str:
    verb = "jumps" if found.last.value > found.first.value else "drops"
    passes = ""
    if found.criterion is not None and not _between(found):
        passes = f" (whether it is {found.criterion:g} on either side cannot be told)"
    return (
        f"threshold at {told(found.at)}: the {found._what} {verb} from {told(found.first)} "
        f"to {told(found.last)}{passes}"
    )


def _between(found: Threshold) -> bool:
    low, high = sorted((found.first, found.last), key=lambda end: end.value)
    return found.criterion is None or low.high < found.criterion < high.low


def _gradual(found: Threshold) -> str:
    verb = "rises" if found.last.value > found.first.value else "falls"
    how = "like a sigmoid" if found.shape == "sigmoid" else "all along"
    wide = f", 10 to 90 % of it within {told(found.width)}" if found.shape == "sigmoid" else ""
    passes = ""
    if isfinite(found.at.value):
        of = "half its way" if found.criterion is None else f"{found.criterion:g}"
        passes = f"; it passes {of} at {told(found.at)}"
    return (
        f"gradual, no threshold: the {found._what} {verb} {how} from {told(found.first)} "
        f"to {told(found.last)} {found._range}{wide}{passes}"
    )


def _one_side(found: Threshold) -> str:
    side = "stays below" if found.kind == "never" else "is at least"
    assert found.criterion is not None
    return (
        f"{found.kind} {found._range}: the {found._what} {side} {found.criterion:g} "
        f"({told(found.first)} at the low end, {told(found.last)} at the high end)"
    )


def _flat(found: Threshold) -> str:
    which = (
        "" if found.criterion is None else f"; whether that is {found.criterion:g} cannot be told"
    )
    less = "a fifth" if found.shares else "half a standard deviation between runs"
    return (
        f"the {found._what} does not depend on the factor {found._range} (it changes by less than "
        f"{less}): {told(found.first)}{which}"
    )


def _non_monotone(found: Threshold) -> str:
    extreme = max((point.value for point in found.curve), key=lambda x: abs(x - found.first.value))
    verbs = "rises and falls again" if extreme > found.first.value else "falls and rises again"
    of = "half its way" if found.criterion is None else f"{found.criterion:g}"
    where = " and ".join(told(place) for place in found.crossings)
    passes = f"; it passes {of} at {where}" if where else ""
    return (
        f"non-monotone {found._range}: the {found._what} {verbs}, turning at {extreme:.2g}{passes}"
    )


def _hysteresis(found: Threshold) -> str:
    return f"hysteresis {found._range}: where it appears depends on where the factor comes from"


def _cannot_tell(found: Threshold) -> str:
    likely = sorted(found.shapes, key=lambda pair: -pair[1])[:2]
    odds = " or ".join(f"{shape} ({chance:.2f})" for shape, chance in likely)
    where = ""
    if found.at.known and found.probability("step", "sigmoid", "line") > found.at.level:
        where = f"; if sharp or gradual, it passes at {told(found.at)}"
    if not isfinite(found.more):
        need = "more runs alone will not tell"
    else:
        need = f"it may take {about(found.more, 'runs')} more than these"
    return f"cannot tell {found._range}: most likely {odds}{where}; {need}"


_SENTENCES = {
    "threshold": _threshold,
    "gradual": _gradual,
    "never": _one_side,
    "always": _one_side,
    "flat": _flat,
    "non-monotone": _non_monotone,
    "hysteresis": _hysteresis,
    "cannot tell": _cannot_tell,
}


def _plain(value: Any) -> Any:
    """Plain values for JSON."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not isfinite(value):
        return None
    return value
