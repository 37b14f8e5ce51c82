"""Does it begin at the same place? Where a phenomenon appears as it was grown, and as it is regrown.

Each of the two places is known with an interval, that of the regrown one widened by what the fit leaves
open. The interval of their gap takes from each the side that matters, as if each could lie anywhere in its
interval alike: so it is with sharp thresholds, which runs only enclose. Adding squares (MOVER: Zou & Donner,
Statistics in Medicine 27, 2008) covered the gap of two such searches in 162 of 180 pairs, not in 95 %. Where
a search found no place, that is what is compared: never there, always there, no dependence.
"""

from dataclasses import dataclass
from math import hypot, inf, isfinite, sqrt
from typing import TYPE_CHECKING, Literal

import numpy as np

from cloudchamber.analysis.thresholds.located import NOWHERE, Kind, Threshold, told
from cloudchamber.errors import SpecificationError
from cloudchamber.measures.estimate import Estimate

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MARGIN", "Relocated"]

Answer = Literal["sufficient", "not sufficient", "cannot tell"]
Side = Literal["passes", "never", "always", "flat", "cannot tell"]
MARGIN = 0.1
"""The least gap that matters, as a part of the range: as wide as a change may be and be a threshold."""
_DOUBT = 0.05
"""The share of draws of a fit that may come out otherwise than the fit itself."""
_SIDES: dict[Side, str] = {
    "passes": "it passes the criterion",
    "never": "it is never there",
    "always": "it is always there",
    "flat": "it does not depend on the factor",
    "cannot tell": "where it begins cannot be told",
}


@dataclass(frozen=True, slots=True)
class Relocated:
    """One search, by the agents and by a mechanism in their place.

    Raises:
        SpecificationError: the two searches are not along one axis, or a margin that is none.
    """

    factor: str
    grown: Threshold
    """By the agents."""
    regrown: Threshold
    """By the fit itself."""
    draws: tuple[Threshold, ...] = ()
    """By draws of its parameters: verdicts on the runs that the fit's own search placed."""
    margin: float = MARGIN
    """The least gap that matters, as a part of the factor's range."""

    def __post_init__(self) -> None:
        if self.grown.axis != self.regrown.axis:
            raise SpecificationError(
                f"{self.factor}: searched {self._over(self.grown)} and {self._over(self.regrown)}; "
                "compare searches along the same axis"
            )
        if not 0 < self.margin < 1:
            raise SpecificationError(
                f"margin: {self.margin:g} was given; allowed: between 0 and 1, a part of the range"
            )

    @property
    def gaps(self) -> tuple[Estimate, ...]:
        """Regrown less grown, place by place, as parts of the range; none where they are unequally many."""
        one, other = _places(self.grown), _places(self.regrown)
        if not one or len(one) != len(other):
            return ()
        return tuple(self._gap(at) for at in range(len(one)))

    @property
    def gap(self) -> Estimate:
        """The largest of them; not known where there is none."""
        return max(self.gaps, key=lambda one: abs(one.value), default=NOWHERE)

    @property
    def fit_error(self) -> float:
        """Standard deviation between draws of the place, as a part of the range; 0 without draws."""
        return max((self._wobble(at) for at in range(len(_places(self.regrown)))), default=0.0)

    @property
    def doubted(self) -> float:
        """The share of draws that come out otherwise than the fit: elsewhere than where it passes at all."""
        mine = _side(self.regrown)
        others = [_side(one) not in (mine, "cannot tell") for one in self.draws]
        return sum(others) / len(others) if others else 0.0

    @property
    def answer(self) -> Answer:
        """Whether the mechanism regrows where the phenomenon begins.

        sufficient: the interval of each gap lies within the margin, or neither passes, and both are on the
        same side. not sufficient: a gap's interval lies beyond the margin, or one passes and the other is
        shown not to. cannot tell: else, or where the fit's uncertainty leaves open which it is.
        """
        one, other = _side(self.grown), _side(self.regrown)
        if "cannot tell" in (one, other) or self.doubted > _DOUBT:
            return "cannot tell"
        if one != other:
            # What does not depend on a factor may be on either side.
            return "cannot tell" if {one, other} in _OPEN else "not sufficient"
        if one != "passes":
            return "sufficient"
        if not self.gaps:
            told = {self.grown.kind, self.regrown.kind}
            return "cannot tell" if "cannot tell" in told else "not sufficient"
        if any(gap.low > self.margin or gap.high < -self.margin for gap in self.gaps):
            return "not sufficient"
        inside = all(-self.margin < gap.low and gap.high < self.margin for gap in self.gaps)
        return "sufficient" if inside else "cannot tell"

    def sentence(self) -> str:
        """Both, the gap, and what it says."""
        head = f"along {self.factor} {self._over(self.grown)}"
        both = f"grown: {_shortly(self.grown)}; regrown: {_shortly(self.regrown)}"
        apart = ""
        if self.gaps:
            gap = self.gap
            apart = (
                f"; {gap.value:+.1%} of the range apart [{gap.low:+.1%}, {gap.high:+.1%}] "
                f"(margin {self.margin:.0%})"
            )
        open_ = ""
        if self.doubted > _DOUBT:
            open_ = f"; {self.doubted:.0%} of the draws of the fit come out otherwise"
        return f"{head}, {both}{apart}{open_}: {self.answer}."

    def row(self) -> dict[str, object]:
        """As a row of a table: factor, kind and place of both with intervals, gap, margin, answer."""
        row: dict[str, object] = {"factor": self.factor}
        for name, found in (("grown", self.grown), ("regrown", self.regrown)):
            at = next(iter(_places(found)), NOWHERE)
            row |= {f"{name}_kind": found.kind, f"{name}_told": _shortly(found)}
            row |= {name: at.value, f"{name}_low": at.low, f"{name}_high": at.high}
            row |= {f"{name}_runs": found.runs}
        gap = self.gap
        row |= {"gap": gap.value, "gap_low": gap.low, "gap_high": gap.high}
        row |= {"fit_error": self.fit_error, "margin": self.margin, "doubted": self.doubted}
        return row | {"answer": self.answer}

    def curves(self) -> "pd.DataFrame":
        """A row a level and side ("grown", "regrown"): the expected response with its interval."""
        import pandas as pd  # takes a second to import

        sides = (("grown", self.grown), ("regrown", self.regrown))
        return pd.concat([one.curve_frame().assign(side=name) for name, one in sides])

    def _gap(self, at: int) -> Estimate:
        from scipy.special import stdtrit  # quick to import, unlike scipy.stats

        axis = self.grown.axis
        one, other = _places(self.grown)[at], _places(self.regrown)[at]
        mine, low, high = (float(axis.place(x)) for x in (one.value, one.low, one.high))
        its, its_low, its_high = (
            float(axis.place(x)) for x in (other.value, other.low, other.high)
        )
        freedom = max(len(self.draws) - 1, 1)
        wobble = float(stdtrit(freedom, 0.5 + one.level / 2)) * self._wobble(at)
        below, above = hypot(its - its_low, wobble), hypot(its_high - its, wobble)
        gap = its - mine
        n = min(self.grown.runs, self.regrown.runs)
        return Estimate(
            gap,
            gap - _joint(below, high - mine, one.level),
            gap + _joint(above, mine - low, one.level),
            n,
            one.level,
            method="posterior, with the fit's uncertainty" if self.draws else "posterior",
        )

    def _wobble(self, at: int) -> float:
        """The standard deviation of a place between draws; infinite where half of them or more have none."""
        axis, count = self.regrown.axis, len(_places(self.regrown))
        told = [_places(one) for one in self.draws]
        known = [float(axis.place(one[at].value)) for one in told if len(one) == count]
        if not self.draws:
            return 0.0
        several = len(known) > max(len(self.draws) / 2, 1)
        return float(np.std(known, ddof=1)) if several else inf

    @staticmethod
    def _over(found: Threshold) -> str:
        return f"from {found.axis.low:g} to {found.axis.high:g}"


_NOT_PASSING: dict[Kind, Side] = {"never": "never", "always": "always", "flat": "flat"}
_OPEN: tuple[set[Side], ...] = ({"flat", "never"}, {"flat", "always"})


def _joint(one: float, other: float, level: float) -> float:
    """How far the difference of two numbers reaches, each alike anywhere within its own reach."""
    wide, narrow = (2 * reach / level for reach in sorted((one, other), reverse=True))
    if not isfinite(wide) or narrow <= (1 - level) * wide:
        return wide * level / 2
    return (wide + narrow) / 2 - sqrt((1 - level) * wide * narrow)


def _places(found: Threshold) -> tuple[Estimate, ...]:
    """Where it passes: no place, one, or several where it rises and falls."""
    if found.crossings:
        return found.crossings
    if not found.at.known:
        return ()
    shaped = found.probability("step", "sigmoid", "line") > found.at.level
    return (found.at,) if found.kind != "cannot tell" or shaped else ()


def _side(found: Threshold) -> Side:
    return _NOT_PASSING.get(found.kind, "passes" if _places(found) else "cannot tell")


def _shortly(found: Threshold) -> str:
    """The kind, and the place if there is one."""
    places = _places(found)
    if not places:
        return _SIDES[_side(found)]
    where = " and ".join(told(place) for place in places)
    kind = {"threshold": "a threshold", "cannot tell": "sharp or gradual"}.get(
        found.kind, found.kind
    )
    return f"{kind}, at {where}"
