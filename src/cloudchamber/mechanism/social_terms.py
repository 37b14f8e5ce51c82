"""Terms of what others did, and of what one did oneself: shown signals, and acts heard of."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cloudchamber.agents.majority import majorities
from cloudchamber.mechanism.features import Dense, Features
from cloudchamber.mechanism.shown import HEARD, HeardOn, Shown
from cloudchamber.mechanism.term import Strength, TermOf
from cloudchamber.microspec.value import Real, Whole
from cloudchamber.questions import Reals

__all__ = ["HeardEffect", "Majority", "Signal"]


Positive = Annotated[Real, Field(gt=0)]


class Signal(Strength):
    """A shown signal: any of it, a threshold, its size, its logarithm, its rank, or its size saturating.

    log with strength s is the weight (1 + x)^s: at s = 1, with one like a decision, a Polya urn. rank is
    the share of the other options that show less. saturating is strength * x / (x + half).
    """

    kind: Literal["signal"] = "signal"
    field: Annotated[str, Field(min_length=1)] = "likes"
    form: Literal["any", "threshold", "linear", "log", "rank", "saturating"] = "any"
    threshold: Annotated[Real, Field(ge=0)] = 1.0
    """From how much on, for the form "threshold"."""
    half: Positive = 1.0
    """Where half the strength is reached, for the form "saturating"; its logarithm is a parameter."""

    @property
    def names(self) -> tuple[str, ...]:
        """Its strength; of the saturating form also where half of it is reached."""
        own = f"{self.field}, {self.form}"
        return (own, f"log half of {self.field}") if self.form == "saturating" else (own,)

    @property
    def values(self) -> tuple[float, ...]:
        """Strength, and the logarithm of `half`."""
        return (self.strength, *([float(np.log(self.half))] if self.form == "saturating" else []))

    @property
    def starts(self) -> Mapping[int, tuple[float, ...]]:
        """Half of the strength at 1, 5 or 25."""
        return {1: (0.0, 1.6, 3.2)} if self.form == "saturating" else {}

    def with_values(self, values: tuple[float, ...]) -> Self:
        """The same with other values."""
        if self.form != "saturating":
            return self.altered(strength=values[0])
        return self.altered(strength=values[0], half=float(np.exp(np.clip(values[1], -600, 600))))

    def features(self, shown: Shown) -> Features:
        """What the signal says."""
        said = self.says(shown)
        if self.form != "saturating":
            return Dense((said,))
        # By t = log half: d said/dt = -said (1 - said), and again: said (1 - said) (1 - 2 said).
        slope = -said * (1.0 - said)
        bend = -slope * (1.0 - 2.0 * said)
        bent = ((0, 1, slope), (1, 1, self.strength * bend))
        return Dense((said, self.strength * slope), bent, ((1, self.strength / 4),))

    def says(self, shown: Shown) -> Reals:
        """What the signal says of each option."""
        signal = shown.signal(self.field)
        if self.form == "any":
            return (signal > 0).astype(np.float64)
        if self.form == "threshold":
            return (signal >= self.threshold).astype(np.float64)
        if self.form == "log":
            return np.log1p(signal)
        if self.form == "saturating":
            return signal / (signal + self.half)
        return signal if self.form == "linear" else _rank(signal, shown.item >= 0)

    def equation(self) -> str:
        """Strength times what the signal says."""
        says = {
            "any": f"1[{self.field}(i) > 0]",
            "threshold": f"1[{self.field}(i) >= {self.threshold:g}]",
            "linear": f"{self.field}(i)",
            "log": f"log(1 + {self.field}(i))",
            "rank": f"rank({self.field}(i))",
            "saturating": f"{self.field}(i) / ({self.field}(i) + {self.half:.3g})",
        }
        return f"{self.strength:.3g}·{says[self.form]}"


class HeardEffect(Strength):
    """What is heard of an option: one's own past acts on it, or others'.

    any: whether there is one; count: how many; recent: decay^(steps since the latest).
    """

    kind: Literal["heard"] = "heard"
    channel: HeardOn = "own"
    form: Literal["any", "count", "recent"] = "count"
    decay: Annotated[Real, Field(gt=0, le=1)] = 0.9
    """What a step leaves, for the form "recent"."""

    @property
    def names(self) -> tuple[str, ...]:
        """Its strength."""
        return (f"{self.channel}, {self.form}",)

    def says(self, shown: Shown) -> Reals:
        """What was heard of each option."""
        heard = shown.heard.get(self.channel)
        if heard is None:
            return np.zeros(shown.item.shape)
        if self.form == "recent":
            return np.asarray(self.decay ** np.asarray(heard.age, np.float64) * (heard.count > 0))
        return np.asarray(heard.count > 0 if self.form == "any" else heard.count, np.float64)

    def equation(self) -> str:
        """Strength times what was heard."""
        says = {
            "any": f"1[{self.channel}(i) > 0]",
            "count": f"{self.channel}(i)",
            "recent": f"{self.decay:g}^age({self.channel}(i))",
        }
        return f"{self.strength:.3g}·{says[self.form]}"


class Majority(TermOf):
    """The force of a majority: of two options P(i) = (tanh(beta m + h) + 1) / 2 (De Marzo et al. 2024).

    m is what is shown of i less what is shown of the other, over both together; 0 where nothing is. h leans
    towards one item. Of more than two options the log weight is beta (share of i - share of the rest).
    """

    kind: Literal["majority"] = "majority"
    field: Annotated[str, Field(min_length=1)] = "likes"
    """The signal that counts; or "own", "met", "others" for what was heard of."""
    beta: Real = 1.0
    toward: Annotated[Whole, Field(ge=0)] | None = None
    """The item that h leans towards; None: there is no h."""
    h: Real = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """Those of beta and h."""
        own = f"majority of {self.field}"
        return (own,) if self.toward is None else (own, f"lean towards item {self.toward}")

    @property
    def values(self) -> tuple[float, ...]:
        """Their values."""
        return (self.beta,) if self.toward is None else (self.beta, self.h)

    def with_values(self, values: tuple[float, ...]) -> Self:
        """The same with other values."""
        if self.toward is None:
            return self.altered(beta=values[0])
        return self.altered(beta=values[0], h=values[1])

    def log_weight(self, shown: Shown) -> Reals:
        """This is beta m, with h for the one item and minus h for the others."""
        told = self.beta * self._m(shown)
        return told if self.toward is None else told + self.h * self._sign(shown)

    def features(self, shown: Shown) -> Features:
        """m, and the sign of h."""
        m = self._m(shown)
        return Dense((m,) if self.toward is None else (m, self._sign(shown)))

    def _m(self, shown: Shown) -> Reals:
        if self.field in HEARD:
            heard = shown.heard.get(self.field)
            if heard is None:
                return np.zeros(shown.item.shape)
            count = np.asarray(heard.count, np.float64)
        else:
            count = shown.signal(self.field)
        return majorities(count, shown.item)

    def _sign(self, shown: Shown) -> Reals:
        return np.where(shown.item == self.toward, 1.0, -1.0)

    def equation(self) -> str:
        """The sum of beta m and h."""
        told = f"{self.beta:.3g}·m({self.field}(i))"
        return told if self.toward is None else f"{told} + {self.h:.3g}·(±1: i = {self.toward})"


def _rank(signal: Reals, there: NDArray[np.bool_]) -> Reals:
    """The share of a row's other options that show less."""
    fewer = np.zeros(signal.shape, np.float64)
    for column in range(signal.shape[1]):
        fewer += (signal > signal[:, column, None]) & there[:, column, None]
    others = np.maximum(there.sum(axis=1) - 1, 1)
    return np.asarray(fewer / others[:, None])
