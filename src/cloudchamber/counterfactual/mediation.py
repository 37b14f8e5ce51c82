"""How much of a macro effect passes through one channel of exposure.

A change takes something out of a specification, and the macro pattern differs: the total effect. Of each
channel we ask how much of it passes through what that channel says. Four worlds of the same replicates are
grown under one noise: with, without, and two that cross them. In the first of these everything is as with,
but what the channel says is what the same agent was shown there, at the same moment, without. In the other
everything is as without, but the channel says what it says with.

    direct       what is left of the effect when the channel says what it says without
    indirect     what the channel adds then: total = direct + indirect, run by run
    alone        what the channel's exposures bring about where everything else is as without
    interaction  indirect - alone: what the channel does only together with the rest

These are the natural effects of Robins & Greenland (1992) and Pearl (2001), of regimes on runs: the unit is
the run, and what the cross worlds put in is the whole course of the channel's exposures in the twin run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cloudchamber.counterfactual.coupled import Coupled
from cloudchamber.errors import SpecificationError, nearest
from cloudchamber.measures.drawn import between_draws, widened
from cloudchamber.measures.estimate import Estimate, jackknife
from cloudchamber.questions import Reals

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Crossing", "Cuts", "Mediation"]

WITH, WITHOUT = "with", "without"
EFFECTS = ("direct", "indirect", "alone", "interaction")
FOUR = ((True, True), (True, False), (False, True), (False, False))
"""Whether each of two channels says its own."""


def cell(both: tuple[bool, bool]) -> str:
    """The world in which each of two channels says its own, or not."""
    return " / ".join("own" if own else "without" for own in both)


def past(channel: str) -> str:
    """The world with, but for what the channel says."""
    return f"with, but for {channel}"


def alone(channel: str) -> str:
    """The world without, but for what the channel says."""
    return f"without, but for {channel}"


@dataclass(frozen=True, eq=False)
class Mediation:
    """The total effect of what is taken out, and how much of it passes through each channel."""

    coupled: Coupled
    channels: tuple[str, ...]
    unmatched: int
    """Decisions of the cross worlds for which there was none in the twin; they were shown their own."""

    def total(self, level: float = 0.95) -> Estimate:
        """With minus without, by pairs of runs."""
        return self.coupled.contrast((WITH, 1), (WITHOUT, -1), level=level)

    def direct(self, channel: str, level: float = 0.95) -> Estimate:
        """The natural direct effect: past the channel."""
        return self._of("direct", channel, level)

    def indirect(self, channel: str, level: float = 0.95) -> Estimate:
        """The natural indirect effect: through the channel; with `direct` it sums to the total."""
        return self._of("indirect", channel, level)

    def alone(self, channel: str, level: float = 0.95) -> Estimate:
        """The pure indirect effect: the channel's exposures put into the world without."""
        return self._of("alone", channel, level)

    def interaction(self, channel: str, level: float = 0.95) -> Estimate:
        """Indirect minus alone: what the channel does only together with the rest."""
        return self._of("interaction", channel, level)

    def share(self, channel: str, level: float = 0.95) -> Estimate:
        """The share of the total that is indirect, by the jackknife over runs.

        There is no interval where the total is not told from 0: a share of nothing can be any number.
        """
        total, coupled = self.total(level), self.coupled
        values = np.stack(
            [
                coupled.by_draw((WITH, 1), (past(channel), -1)),
                coupled.by_draw((WITH, 1), (WITHOUT, -1)),
            ],
            axis=-1,
        )
        if not total.known or total.low <= 0 <= total.high:
            return Estimate(float("nan"), float("nan"), float("nan"), len(coupled), level)

        def ratio(rows: Reals) -> float:
            return float(rows[:, 0].mean() / rows[:, 1].mean())

        found = jackknife(values[0], ratio, level=level)
        return widened(found, between_draws(values, ratio))

    def table(self, level: float = 0.95) -> "pd.DataFrame":
        """A row an effect: channel (empty for the total), effect, value, low, high, runs."""
        found = [("", "total", self.total(level))]
        for channel in self.channels:
            found += [(channel, effect, self._of(effect, channel, level)) for effect in EFFECTS]
        return _table(found)

    def _of(self, effect: str, channel: str, level: float) -> Estimate:
        if channel not in self.channels:
            raise SpecificationError(f"channel: {channel!r}; {nearest(channel, self.channels)}")
        crossed, put_in = past(channel), alone(channel)
        signs = {
            "direct": ((crossed, 1.0), (WITHOUT, -1.0)),
            "indirect": ((WITH, 1.0), (crossed, -1.0)),
            "alone": ((put_in, 1.0), (WITHOUT, -1.0)),
            "interaction": ((WITH, 1.0), (crossed, -1.0), (put_in, -1.0), (WITHOUT, 1.0)),
        }
        return self.coupled.contrast(*signs[effect], level=level)

    def __str__(self) -> str:
        coupled = self.coupled
        lines = [
            f"{coupled.measure}: {coupled.mean(WITH)} with, {coupled.mean(WITHOUT)} without",
            f"total effect: {self.total()}",
        ]
        for channel in self.channels:
            lines += [
                f"through {channel}: {self.indirect(channel)}; past it: {self.direct(channel)}",
                f"  alone it brings about {self.alone(channel)}; only together with the rest: "
                f"{self.interaction(channel)}",
            ]
        if self.unmatched:
            lines.append(
                f"{self.unmatched} decisions had none in the twin run and were shown their own"
            )
        lines += [f"replicate {one} is left out: {why}" for one, why in coupled.left_out.items()]
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class Crossing:
    """Two channels, each saying its own or what it says without: four worlds, all else as with."""

    coupled: Coupled
    first: str
    second: str
    unmatched: int

    def effect(self, channel: str, *, other: bool = True, level: float = 0.95) -> Estimate:
        """What a channel adds, where the other says its own (`other`) or what it says without."""
        if channel not in (self.first, self.second):
            raise SpecificationError(
                f"channel: {channel!r}; allowed: {self.first!r}, {self.second!r}"
            )
        mine = channel == self.first
        with_it = (True, other) if mine else (other, True)
        without_it = (False, other) if mine else (other, False)
        return self.coupled.contrast((cell(with_it), 1), (cell(without_it), -1), level=level)

    def interaction(self, level: float = 0.95) -> Estimate:
        """How much more either adds where the other says its own."""
        signs = ((both, 1.0 if both[0] == both[1] else -1.0) for both in FOUR)
        return self.coupled.contrast(*((cell(both), sign) for both, sign in signs), level=level)

    def table(self, level: float = 0.95) -> "pd.DataFrame":
        """A row an effect: channel, effect, value, low, high, runs."""
        found = [
            (
                one,
                f"where {other} says {'its own' if live else 'what it says without'}",
                self.effect(one, other=live, level=level),
            )
            for one, other in ((self.first, self.second), (self.second, self.first))
            for live in (True, False)
        ]
        both = f"{self.first} x {self.second}"
        return _table([*found, (both, "interaction", self.interaction(level))])

    def __str__(self) -> str:
        lines = [f"{self.coupled.measure}, by what two channels say"]
        for one, other in ((self.first, self.second), (self.second, self.first)):
            lines += [
                f"{one} adds {self.effect(one)}, where {other} says its own",
                f"  and where {other} says what it says without: {self.effect(one, other=False)}",
            ]
        return "\n".join([*lines, f"interaction: {self.interaction()}"])


@dataclass(frozen=True, eq=False)
class Cuts:
    """What is lost when a channel stops telling what it tells; one world for each channel."""

    coupled: Coupled
    channels: tuple[str, ...]
    how: str

    def effect(self, channel: str, level: float = 0.95) -> Estimate:
        """As it is, minus with the channel cut."""
        if channel not in self.channels:
            raise SpecificationError(f"channel: {channel!r}; {nearest(channel, self.channels)}")
        return self.coupled.contrast((WITH, 1), (channel, -1), level=level)

    def table(self, level: float = 0.95) -> "pd.DataFrame":
        """A row a channel: channel, effect, value, low, high, runs."""
        return _table([(name, self.how, self.effect(name, level)) for name in self.channels])

    def __str__(self) -> str:
        lines = [f"{self.coupled.measure}: {self.coupled.mean(WITH)}"]
        lines += [f"lost with {name} {self.how}: {self.effect(name)}" for name in self.channels]
        return "\n".join(lines)


def _table(found: Sequence[tuple[str, str, Estimate]]) -> "pd.DataFrame":
    import pandas as pd  # 300 ms that `import cloudchamber` need not pay

    rows = [(channel, effect, e.value, e.low, e.high, e.n) for channel, effect, e in found]
    return pd.DataFrame(rows, columns=["channel", "effect", "value", "low", "high", "runs"])
