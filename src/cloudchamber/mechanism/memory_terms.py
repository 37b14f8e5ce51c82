"""Terms of what an agent remembers: what its acts led to, and tables of what it did after what."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from cloudchamber.mechanism.features import Dense, Features, Levels
from cloudchamber.mechanism.shown import HeardOn, Recalled, Shown
from cloudchamber.mechanism.term import TermOf
from cloudchamber.microspec.value import Real, Whole
from cloudchamber.questions import Reals

__all__ = ["MemoryTable", "Reinforcement"]

Share = Annotated[Real, Field(gt=0, le=1)]
Positive = Annotated[Real, Field(gt=0)]
NotNegative = Annotated[Real, Field(ge=0)]
Bent = tuple[tuple[int, int, Reals], ...]
NEVER = 60.0
"""Log-odds of what is (all but) certain: e^-60 is 0 to any number of observations."""


class Reinforcement(TermOf):
    """Propensities by what acts led to: S(i) = sum over acts on i of keep^ago * (result - least).

    exponential: strength * S (softmax); proportional: log(start + S), so that choices are proportional to
    propensities (Roth & Erev 1995; a sum below 0 counts as 0). Forgetting goes by acts since ("always",
    Erev & Roth 1998), or by acts on the same option since ("when tried": a Q-value, but for its scale).
    Without a result acts are counted; of the channel "met" that is fictitious play, with keep < 1 the
    weighted one (Cheung & Friedman 1997).
    """

    kind: Literal["reinforcement"] = "reinforcement"
    result: str = "payoff"
    """What acts led to, by the world's name for it; "" counts 1 for each."""
    least: Real = 0.0
    """The result that counts 0; propensities that are to stay above 0 need the least that is paid."""
    channel: HeardOn = "own"
    form: Literal["exponential", "proportional"] = "exponential"
    strength: Real = 1.0
    """For the form "exponential"."""
    start: Positive = 1.0
    """The propensity before any act, for the form "proportional"; its logarithm is a parameter."""
    keep: Share = 0.9
    """What each act since leaves; the log-odds of it are a parameter. 1: all, and no parameter."""
    forgets: Literal["always", "when tried"] = "always"

    @property
    def names(self) -> tuple[str, ...]:
        """Its strength or start, and what it keeps."""
        own = f"{self.channel} {self.result}".strip()
        first = own if self.form == "exponential" else f"log start of {own}"
        return (first,) if self.keep == 1 else (first, f"log-odds of keeping {own}")

    @property
    def values(self) -> tuple[float, ...]:
        """Their values."""
        first = self.strength if self.form == "exponential" else float(np.log(self.start))
        return (first,) if self.keep == 1 else (first, float(np.log(self.keep / (1 - self.keep))))

    def with_values(self, values: tuple[float, ...]) -> Self:
        """The same with other values."""
        changed: dict[str, float] = {}
        if self.form == "exponential":
            changed["strength"] = values[0]
        else:
            changed["start"] = float(np.exp(np.clip(values[0], -600, 600)))
        if self.keep != 1:
            # Short of 1, where it would be no parameter.
            changed["keep"] = 1 / (1 + float(np.exp(-np.clip(values[1], -600, 30))))
        return self.altered(**changed)

    @property
    def starts(self) -> Mapping[int, tuple[float, ...]]:
        """What is kept: a fifth, a half, four fifths; and the start."""
        found = {} if self.form == "exponential" else {0: (0.0, 2.3, 4.6, 6.9)}
        return found if self.keep == 1 else found | {1: (-1.4, 0.0, 1.4)}

    @property
    def singly(self) -> bool:
        """It does."""
        return True

    def log_weight(self, shown: Shown) -> Reals:
        """Strength times the propensity, or the logarithm of it."""
        s = self._moments(shown, 1)[0]
        return self.strength * s if self.form == "exponential" else np.log(self.start + _above(s))

    def features(self, shown: Shown) -> Features:
        """How the log weight moves with strength or start, and with what is kept."""
        s, ds, dds = self._moments(shown, 3)
        keep = self.keep != 1
        if self.form == "exponential":
            if not keep:
                return Dense((s,))
            bent: Bent = ((0, 1, ds), (1, 1, self.strength * dds))
            return Dense((s, self.strength * ds), bent, ((1, self._typical(shown)),))
        up = s > 0
        first = self.start / (self.start + _above(s))
        bent = ((0, 0, first * (1 - first)),)
        if not keep:
            return Dense((first,), bent, ((0, 0.25),))
        slope = np.where(up, ds, 0.0) / (self.start + _above(s))
        bend = np.where(up, dds, 0.0) / (self.start + _above(s)) - slope**2
        bent = (*bent, (0, 1, -first * slope), (1, 1, bend))
        return Dense((first, slope), bent, ((0, 0.25), (1, 0.25)))

    def _typical(self, shown: Shown) -> float:
        """How large the effect of what is kept may become, from one act alone."""
        return (
            abs(self.strength)
            * float(np.abs(self._counts(shown.acts(self.channel))).max(initial=0))
            / 4
        )

    def _counts(self, acts: Recalled) -> Reals:
        """(n, m): what each act counts."""
        weight = np.asarray(acts.weight, np.float64)
        if not self.result:
            return weight
        known = acts.results.get(self.result)
        if known is None:
            return np.zeros(weight.shape)
        return weight * np.nan_to_num(np.asarray(known, np.float64) - self.least, nan=0.0)

    def _moments(self, shown: Shown, number: int) -> list[Reals]:
        """(n, k) each: S, and its first and second derivative by the log-odds of keeping."""
        acts = shown.acts(self.channel)
        told = [self._counts(acts)]
        ago = _ago(acts, self.forgets == "always")
        kept = self.keep**ago
        if number > 1:
            lost = 1 - self.keep
            told += [
                told[0] * ago * lost * kept,
                told[0] * ago * lost * kept * (ago * lost - self.keep),
            ]
        told[0] = told[0] * kept
        found = [np.zeros(shown.item.shape) for _ in told]
        for column in range(acts.item.shape[1]):
            on = (shown.item == acts.item[:, column, None]) & (shown.item >= 0)
            for at, part in enumerate(told):
                found[at] += on * part[:, column, None]
        return found

    def equation(self) -> str:
        """Strength times the propensity, or the logarithm of it."""
        what = self.result or "1"
        if self.least and self.result:
            what = f"({what} - {self.least:g})".replace("- -", "+ ")
        since = "ago" if self.forgets == "always" else "tries ago"
        total = f"Σ {self.channel}(i) {self.keep:.3g}^{since}·{what}"
        if self.form == "exponential":
            return f"{self.strength:.3g}·{total}"
        return f"log({self.start:.3g} + {total})"


Reads = Literal["length", "own", "met", "others", "last own", "last met"]


class MemoryTable(TermOf):
    """A table: log-odds for each value of a small discrete summary of memory.

    The key of an option holds whole numbers: how much is remembered, how often oneself and those one met
    chose it, or whether the latest of them did. A key without a row adds nothing, so that what stands beside
    the table decides there; smoothing draws rows with few observations towards that. Alone, with an option
    `of`, of two, the table gives P(of) = sigmoid(log-odds) (`MemoryTable.of_probabilities`).
    """

    kind: Literal["memory-table"] = "memory-table"
    reads: Annotated[tuple[Reads, ...], Field(min_length=1)] = ("length", "met", "own")
    of: Annotated[Whole, Field(ge=0)] | None = None
    """The item that the table is about; None: each option has its own key, whichever item it is."""
    keys: tuple[tuple[Whole, ...], ...] = ()
    """The keys that have a row; filled in by `fit` where empty."""
    effects: tuple[Real, ...] = ()
    """The log-odds of each row."""
    smoothing: NotNegative = 0.0
    """Observations, half of them for and half against, that are added to each row (the log-F prior of
    Greenland & Mansournia 2015, https://doi.org/10.1002/sim.6537)."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.keys) != len(self.effects):
            raise ValueError(f"effects: {len(self.effects)} given for {len(self.keys)} keys")
        if any(len(key) != len(self.reads) or min(key) < 0 for key in self.keys):
            raise ValueError(
                f"keys: each holds {len(self.reads)} numbers from 0 on, as `reads` says"
            )
        if len(set(self.keys)) < len(self.keys) or len(set(self.reads)) < len(self.reads):
            raise ValueError("keys and reads: one is given twice; give each once")
        return self

    @classmethod
    def of_probabilities(
        cls,
        table: Mapping[Any, float],
        of: int,
        reads: tuple[Reads, ...] = ("length", "met", "own"),
    ) -> "MemoryTable":
        """The table of an item's probability against one other option."""
        odds = []
        for share in table.values():
            with np.errstate(divide="ignore"):
                odds.append(float(np.clip(np.log(share) - np.log1p(-share), -NEVER, NEVER)))
        return cls(reads=reads, of=of, keys=tuple(table), effects=tuple(odds))

    @property
    def names(self) -> tuple[str, ...]:
        """One for each key."""
        about = "" if self.of is None else f" of {self.of}"
        return tuple(f"after {' '.join(map(str, key))}{about}" for key in self.keys)

    @property
    def values(self) -> tuple[float, ...]:
        """The log-odds."""
        return self.effects

    def with_values(self, values: tuple[float, ...]) -> Self:
        """The same with other log-odds."""
        return self.altered(effects=tuple(values))

    @property
    def singly(self) -> bool:
        """It does."""
        return True

    def log_weight(self, shown: Shown) -> Reals:
        """The log-odds of each option's row."""
        effects = np.atleast_2d(np.asarray(self.effects, np.float64))
        return np.take_along_axis(np.pad(effects, ((0, 0), (0, 1))), self._row(shown), axis=1)

    def features(self, shown: Shown) -> Features:
        """Which row it is."""
        return Levels(self._row(shown), len(self.keys))

    def fitting(self, shown: Shown) -> Self:
        """With a row for each key that occurs."""
        if self.keys:
            return self
        told = self._told(shown)
        about = shown.item >= 0 if self.of is None else shown.item == self.of
        keys = np.unique(told[about], axis=0)
        return self.altered(keys=tuple(map(tuple, keys.tolist())), effects=(0.0,) * len(keys))

    def prior(self) -> tuple[float, Reals, Reals] | None:
        """Half of the smoothing for, half against, in each row."""
        if not self.smoothing or not self.effects:
            return None
        odds = np.asarray(self.effects)
        share = 1 / (1 + np.exp(np.minimum(-odds, 700.0)))
        total = float((odds / 2 - np.logaddexp(0, odds)).sum())
        s = self.smoothing
        return s * total, s * (0.5 - share), s * share * (1 - share)

    def _row(self, shown: Shown) -> NDArray[np.int64]:
        """(n, k): the row of each option, past the last where it has none."""
        if not self.keys:
            return np.full(shown.item.shape, 0)
        told, keys = self._told(shown), np.asarray(self.keys, np.int64)
        base = int(max(told.max(initial=0), keys.max())) + 1
        power = base ** np.arange(len(self.reads))
        known = keys @ power
        order = np.argsort(known)
        wanted = told @ power
        place = np.minimum(np.searchsorted(known[order], wanted), len(known) - 1)
        found = np.where(known[order][place] == wanted, order[place], len(known))
        return found if self.of is None else np.where(shown.item == self.of, found, len(known))

    def _told(self, shown: Shown) -> NDArray[np.int64]:
        """(n, k, numbers): the key of each option."""
        whole = np.zeros((*shown.item.shape, len(self.reads)), np.int64)
        for number, read in enumerate(self.reads):
            channel = read.removeprefix("last ")
            acts = shown.acts("own" if read == "length" else channel)
            if read == "length":
                whole[:, :, number] = acts.weight.sum(axis=1)[:, None]
            elif read.startswith("last "):
                if acts.item.shape[1]:
                    whole[:, :, number] = shown.item == acts.item[:, :1]
            else:
                for column in range(acts.item.shape[1]):
                    on = shown.item == acts.item[:, column, None]
                    whole[:, :, number] += (on * acts.weight[:, column, None]).astype(np.int64)
        return whole

    def equation(self) -> str:
        """The table of the key."""
        about = "" if self.of is None else f"·1[i = {self.of}]"
        return f"table({', '.join(self.reads)}){about}"


def _above(s: Reals) -> Reals:
    return np.maximum(s, 0.0)


def _ago(acts: Recalled, always: bool) -> Reals:
    """(n, m): how many acts came after each: all of them, or those on the same item."""
    n, m = acts.item.shape
    if always:
        return np.broadcast_to(np.arange(m, dtype=np.float64), (n, m))
    same = acts.item[:, :, None] == acts.item[:, None, :]
    return np.asarray((same & np.tri(m, k=-1, dtype=bool)).sum(axis=2), np.float64)
