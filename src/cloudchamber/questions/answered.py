"""What the engine is answered: the picks of a batch, and the distributions they were drawn from."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import AnswerError
from cloudchamber.questions.asked import Ints, Questions, Reals, Scale
from cloudchamber.trace.tables import Kind, Readout, Status

__all__ = ["Answers"]


@dataclass(slots=True)
class Answers:
    """The answers to a batch, row for row.

    `picks[r]` are the places (0-based columns of `items`) that row r chose, in order, -1 from where it
    stopped; `weights` are proportional to the probability of each option (for any number of options and
    for judgements: the probability of each), `decline` that of none; absent where only a sample was had.
    """

    picks: NDArray[np.int32]
    weights: Reals | None = None
    decline: Reals | None = None
    status: NDArray[np.int8] | None = None
    readout: Readout | NDArray[np.uint8] = Readout.rule
    mass: Reals | None = None
    prompts: tuple[str, ...] | None = None
    """What each row's agent was told, where it was told in words."""
    completions: tuple[str, ...] | None = None
    """What it said, where it said anything."""
    tokens: Ints | None = None
    notes: tuple[str, ...] | None = None
    """How each answer was had, where that was not the plain way."""
    reasons: tuple[tuple[int, str], ...] = ()
    amounts: Reals | None = None
    """(n, k): how much of each option, where amounts are asked for; NaN in rows without an answer."""
    chances: Reals | None = None
    """(n, k): the probability of each amount, where it is known."""
    texts: tuple[str, ...] | None = None
    """What each row wrote, where texts are asked for; "" for nothing."""

    @classmethod
    def written(cls, texts: Iterable[str], readout: Readout = Readout.rule) -> "Answers":
        """Texts and nothing else."""
        given = tuple(texts)
        return cls(np.full((len(given), 1), -1, np.int32), readout=readout, texts=given)

    @property
    def every(self) -> bool:
        """Whether each row has every option, in the order shown."""
        # Rules say so with one row for all.
        picks = self.picks[:1] if self.picks.strides[0] == 0 else self.picks
        options = picks.shape[1] if self.amounts is None else self.amounts.shape[1]
        return picks.shape[1] == options and bool((picks == np.arange(options)).all())

    def statuses(self) -> NDArray[np.int8]:
        """The status of each row; ok where none was given."""
        if self.status is not None:
            return self.status
        return np.full(len(self.picks), Status.ok, np.int8)

    def check(self, questions: Questions) -> None:
        """Refuse answers of the wrong shape, unknown options or weights that are not a distribution."""
        n, k = questions.items.shape
        if len(self.picks) != n or self.picks.ndim != 2:
            raise AnswerError(
                f"an agent answered {self.picks.shape} picks to {n} questions; allowed: ({n}, m)."
            )
        if self.picks.size and (self.picks.max() >= k or self.picks.min() < -1):
            raise AnswerError(f"an agent picked an option outside 0..{k - 1}; -1 means none.")
        self._check_picks(questions)
        if questions.kind is Kind.write:
            self._check_texts(questions)
        elif questions.scale is not None:
            self._check_amounts(questions, questions.scale)
        if self.weights is None:
            return
        # NaN says that a row was sampled; a sum is infinite or negative only with an entry that is.
        if (
            self.weights.shape != (n, k)
            or self.weights.min(initial=0) < 0
            or np.isinf(self.weights.sum())
        ):
            raise AnswerError(
                f"an agent's weights must be finite, not negative, of shape ({n}, {k})."
            )
        if questions.taken is not None and (self.weights[questions.taken.options] > 0).any():
            raise AnswerError("an agent gave weight to an option that it had picked before.")

    def _check_texts(self, questions: Questions) -> None:
        """A text for each row, and no picks."""
        if (self.picks >= 0).any():
            raise AnswerError("an agent picked an option where it was asked to write.")
        ok = self.statuses() == Status.ok
        if self.texts is None and not ok.any():
            return
        if self.texts is None or len(self.texts) != len(questions):
            given = "none" if self.texts is None else len(self.texts)
            raise AnswerError(
                f"an agent was asked to write {len(questions)} texts and gave {given}; give one a row, "
                '"" for nothing.'
            )

    def _check_amounts(self, questions: Questions, scale: Scale) -> None:
        """An amount of each option, on the scale, or no answer at all."""
        if self.amounts is None and (self.picks < 0).all():
            return
        if self.amounts is None or self.amounts.shape != questions.items.shape:
            raise AnswerError(
                f"an agent was asked for amounts of {questions.items.shape[1]} options each; give "
                f"amounts of shape {questions.items.shape}."
            )
        given = self.amounts if self.every else self.amounts[(self.picks >= 0).any(axis=1)]
        slack = 1e-9 * max(abs(scale.least), abs(scale.most), 1.0)
        within = (given >= scale.least - slack) & (given <= scale.most + slack)
        less = (
            np.isinf(scale.together)
            or (given @ np.ones(given.shape[1]) <= scale.together + slack * 10).all()
        )
        if not (within.all() and less):
            together = "" if np.isinf(scale.together) else f", {scale.together:g} in all"
            raise AnswerError(
                f"an agent gave amounts of {np.nanmin(given):g} to {np.nanmax(given):g}; allowed: "
                f"{scale.least:g} to {scale.most:g} of each{together}."
            )

    def _check_picks(self, questions: Questions) -> None:
        """Picks are no more than allowed, no option twice, none after the agent stopped."""
        picks, most = self.picks, questions.choose.most
        if self.every and questions.kind is Kind.amount and not questions.gaps:
            return
        limited = questions.choose.how not in ("any", "amount")
        if limited and (picks[:, most:] >= 0).any():
            raise AnswerError(f"an agent picked more than the {most} option(s) allowed.")
        if questions.kind is Kind.next or questions.taken is not None or questions.gaps:
            may = np.take_along_axis(questions.open(), np.maximum(picks, 0), 1)
            if not may[picks >= 0].all():
                raise AnswerError(
                    "an agent named someone it was not offered."
                    if questions.kind is Kind.next
                    else "an agent picked an option that is not open to it, or no longer."
                )
        if picks.shape[1] < 2:
            return
        if ((picks[:, :-1] < 0) & (picks[:, 1:] >= 0)).any():
            raise AnswerError("an agent picked an option after it stopped; -1 comes last.")
        ordered = np.sort(picks, axis=1)
        if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
            raise AnswerError("an agent picked the same option twice in one decision.")

    def probabilities(self, questions: Questions, rows: Ints) -> Reals:
        """The probability of each option, for some rows; NaN where only a sample was had."""
        if self.weights is None:
            return np.full((len(rows), questions.items.shape[1]), np.nan)
        weights = self.weights[rows]
        if questions.choose.how == "any" or questions.kind == Kind.judge:
            return weights
        total = weights.sum(axis=1, keepdims=True)
        if self.decline is not None:
            total = total + self.decline[rows][:, None]
        # A row that was sampled stays NaN: its probabilities are unknown, not 0.
        return np.asarray(weights / np.where(total == 0, 1.0, total))
