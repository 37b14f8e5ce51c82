"""What is expected of a design before it is grown: numbers by model and cell, and their sums."""

from dataclasses import dataclass, field
from math import nan

from cloudchamber.experiment.limits import Limits
from cloudchamber.experiment.prices import Price

__all__ = ["CostEstimate", "Expected", "Held"]


@dataclass(slots=True)
class Held:
    """What a store holds of one model's part in a cell."""

    known: int = 0
    """Questions that it answers, in the runs walked."""
    thought: int = 0
    """Questions that it is thought to answer in the others: each as many as in the last run."""
    walked: int = 0
    """Runs that were walked until an answer was missing, or to their end."""
    whole: int = 0
    """Runs that it answers to their end, or is thought to."""
    part: int = 0
    """Questions that it answers, or is thought to, in the runs that are not whole."""

    @property
    def wholly(self) -> int:
        """Questions of the runs that are whole: neither more nor fewer."""
        return self.known + self.thought - self.part


@dataclass(frozen=True, slots=True)
class Expected:
    """What one model, or rules, will be asked in one cell, over the runs that are lacking."""

    cell: str
    model: str
    """Its name; empty for rules."""
    runs: int
    questions: int
    sent: int
    """Questions less those that the store answers, or will have answered because another asked the same."""
    tokens_in: int
    """Of the prompts sent."""
    tokens_out: int
    """Of the answers, if choices are labels, and texts as long as they may be."""
    most_out: int
    """Of the answers, if they are as long as they may be."""
    prompts: int
    """Built for the estimate."""
    whole: bool
    """Whether those were all prompts of the replicates walked."""
    counted: str = ""
    """How tokens were counted."""
    held: Held = field(default_factory=Held)
    """What the store holds already."""
    alike: int = 0
    """As `sent`, if equal prompts are asked once."""
    shares: bool = False
    """Whether they are: the model is known to answer by exact distributions."""


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What is expected of a design."""

    conditions: int
    runs: int
    """Asked for."""
    missing: int
    """Not complete yet: what the rest is about."""
    expected: tuple[Expected, ...]
    prices: dict[str, Price | None]
    """By model."""
    rate: float
    """Questions a second; NaN if nobody knows."""
    measured: bool = False
    """Whether that is as in earlier runs, and counts what the store answered in them."""
    store: str = ""
    """The store that was looked into; empty if there is none."""

    def asked(self) -> list[Expected]:
        """What language models are expected to be asked."""
        return [one for one in self.expected if one.model]

    @property
    def questions(self) -> int:
        """To language models, whoever answers them."""
        return sum(one.questions for one in self.asked())

    @property
    def decisions(self) -> int:
        """Of rules, which cost nothing."""
        return sum(one.questions for one in self.expected if not one.model)

    @property
    def sent(self) -> int:
        """Questions that reach a model."""
        return sum(one.sent for one in self.asked())

    @property
    def alike(self) -> int:
        """Questions that reach a model, if every server gives distributions."""
        return sum(one.alike for one in self.asked())

    @property
    def held(self) -> Held:
        """What the store holds already, over all cells."""
        all_of = [one.held for one in self.asked()]
        known, thought, walked = (
            sum(getattr(one, name) for one in all_of) for name in ("known", "thought", "walked")
        )
        return Held(known, thought, walked)

    @property
    def tokens_in(self) -> int:
        """Of prompts."""
        return sum(one.tokens_in for one in self.asked())

    @property
    def tokens_out(self) -> int:
        """Of answers that are labels."""
        return sum(one.tokens_out for one in self.asked())

    @property
    def most_out(self) -> int:
        """Of answers that are as long as they may be."""
        return sum(one.most_out for one in self.asked())

    @property
    def cost(self) -> float:
        """With answers that are labels; NaN where a price is unknown."""
        return sum((self._cost(one, one.tokens_out) for one in self.asked()), 0.0)

    @property
    def most_cost(self) -> float:
        """With answers as long as they may be; NaN where a price is unknown."""
        return sum((self._cost(one, one.most_out) for one in self.asked()), 0.0)

    def _cost(self, one: Expected, out: int) -> float:
        price = self.prices[one.model]
        return price.of(one.tokens_in, out) if price is not None else nan

    @property
    def seconds(self) -> float:
        """At the rate; NaN if there is none."""
        questions = self.questions if self.measured else self.sent
        return questions / self.rate if questions else 0.0

    def beyond(self, limits: Limits) -> list[str]:
        """The caps that this will not fit, each in words."""
        whole = {
            "cost": self.cost,
            "tokens": self.tokens_in + self.tokens_out,
            "questions": self.sent,
            "seconds": self.seconds,
        }
        return [
            f"{name} {cap:g} (about {value:,.4g} expected)"
            for name, value in whole.items()
            if (cap := getattr(limits, name)) is not None and value > cap
        ]
