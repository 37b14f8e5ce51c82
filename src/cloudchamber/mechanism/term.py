"""A term: what a mechanism weighs, as one value with its parameters.

Every term adds to the log weight of an option. A parameter is a number that `fit` may estimate; what
shapes a term without a slope (a gate's width, a threshold, a decay) is compared between mechanisms.
"""

from collections.abc import Mapping
from typing import Self

from cloudchamber.mechanism.features import Dense, Features
from cloudchamber.mechanism.shown import Shown
from cloudchamber.microspec.value import Real, Value
from cloudchamber.questions import Reals

__all__ = ["Strength", "TermOf"]


class TermOf(Value):
    """A term; its `names` and `values` are its parameters, in order."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its parameters."""
        raise NotImplementedError

    @property
    def values(self) -> tuple[float, ...]:
        """Their values."""
        raise NotImplementedError

    def with_values(self, values: tuple[float, ...]) -> Self:
        """The same term with other values of its parameters."""
        raise NotImplementedError

    def log_weight(self, shown: Shown) -> Reals:
        """What it adds to the log weight of each option: (n, k), or (k,) where only the place counts."""
        raise NotImplementedError

    def features(self, shown: Shown) -> Features:
        """Its derivative by each parameter."""
        raise NotImplementedError

    @property
    def singly(self) -> bool:
        """Whether it reads what was heard act by act."""
        return False

    @property
    def starts(self) -> Mapping[int, tuple[float, ...]]:
        """Parameters by which the likelihood may have several tops, and where a fit begins beside here."""
        return {}

    def fitting(self, shown: Shown) -> Self:
        """The same term with a parameter for each place, item, label or key there is."""
        return self

    def prior(self) -> tuple[float, Reals, Reals] | None:
        """What smoothing adds to the log-likelihood, its slope and minus its curvature by each parameter."""
        return None

    def equation(self) -> str:
        """What it adds, as it would be printed; i is the option."""
        raise NotImplementedError


class Strength(TermOf):
    """A term of one parameter: strength times a number for each option."""

    strength: Real = 1.0

    @property
    def names(self) -> tuple[str, ...]:
        """The name of its strength."""
        raise NotImplementedError

    @property
    def values(self) -> tuple[float, ...]:
        """Its strength."""
        return (self.strength,)

    def with_values(self, values: tuple[float, ...]) -> Self:
        """The same with another strength."""
        return self.altered(strength=values[0])

    def says(self, shown: Shown) -> Reals:
        """(n, k): the number that strength multiplies."""
        raise NotImplementedError

    def log_weight(self, shown: Shown) -> Reals:
        """Strength times that number."""
        return self.strength * self.says(shown)

    def features(self, shown: Shown) -> Features:
        """That number."""
        return Dense((self.says(shown),))
