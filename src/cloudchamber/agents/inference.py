"""Rules that infer which of two options is right, from a private sign and from others' choices.

They reckon with what they are shown, and as if it were all there is. The public evidence is the log-odds of
the first option that others' choices amount to; one's own sign adds its log-odds, and the sum decides.
"""

from abc import abstractmethod
from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cloudchamber.agents.comparing import Comparing
from cloudchamber.errors import AnswerError
from cloudchamber.microspec.value import Real
from cloudchamber.questions import Questions, Reals
from cloudchamber.trace.tables import Channel

__all__ = ["Bayesian", "OwnSign", "Quantal"]

Share = Annotated[Real, Field(ge=0, le=1)]
MOST_COUNTED = 2000
"""Choices that a rule which reckons with errors can infer from where only counts are shown."""
_NOTHING = 1e-9
"""Log-odds below this are none, beside those of a sign."""


class _OfTwo(Comparing):
    """A rule that takes one of two options."""

    sign: Annotated[str, Field(min_length=1)] = "sign"
    """The private field that points to an option."""

    def weights(self, questions: Questions) -> Reals:
        """The probability of each of the two; an option that stands alone is taken."""
        options = questions.items.shape[1]
        if options > 2:
            raise AnswerError(
                f"the rule {self.kind!r} chooses between two options; {options} were shown."
            )
        if options == 1:
            return np.ones(questions.items.shape)
        first = self.of_first(questions)
        return np.stack([first, 1 - first], axis=1)

    @abstractmethod
    def of_first(self, questions: Questions) -> Reals:
        """(rows,): the probability of the first option shown."""

    def _own(self, questions: Questions) -> Reals:
        """(rows,): 1 where the sign points to the first option shown, -1 to the other, 0 for neither."""
        shown = questions.shown(self.sign)
        return np.sign(shown[:, 0] - shown[:, 1])


class OwnSign(_OfTwo):
    """Follow one's own sign, whatever others do (Huck & Oechssler 2000)."""

    kind: Literal["own-sign"] = "own-sign"
    slip: Share = 0.0
    """Probability of choosing at random instead."""

    def of_first(self, questions: Questions) -> Reals:
        """By the sign; both alike without one."""
        return np.asarray(0.5 + 0.5 * (1 - self.slip) * self._own(questions))

    def aloud(self) -> str:
        """The rule in words."""
        slips = f", and at random with probability {self.slip:g}" if self.slip else ""
        return f"a rule that follows its own sign{slips}"


class _Inferring(_OfTwo):
    """A rule that takes others for such as itself, and works out what their choices say.

    Of choices shown one by one it takes each to have been made in sight of those before; where only
    counts are shown, in sight of the counts; and if more were counted than are shown one by one, it
    goes by the counts. Choices that such as itself would never have made say nothing.
    """

    precision: Annotated[Real, Field(ge=0.5, le=1)] | None = None
    """How precise it takes signs to be; as it is told, if not given."""
    choices: Annotated[str, Field(min_length=1)] = "choices"
    """The field that counts earlier choices."""

    @abstractmethod
    def chances(self, evidence: Reals, own: Reals) -> Reals:
        """The probability of the first option, by its log-odds and by where the own sign points."""

    @property
    def settles(self) -> bool:
        """Whether from some evidence on nobody goes by the own sign, so that nothing more is learnt."""
        return False

    @property
    def errs(self) -> bool:
        """Whether such agents at times choose what they hold for less probable."""
        return True

    def of_first(self, questions: Questions) -> Reals:
        """By others' choices and the own sign."""
        own = self._own(questions)
        sign = _log_odds(self._precision(questions))
        return self.chances(self._public(questions, sign) + sign * own, own)

    def _precision(self, questions: Questions) -> float:
        if self.precision is not None:
            return self.precision
        told = questions.content.get("precision")
        if told is None:
            raise AnswerError(
                f"the rule {self.kind!r} was not told how precise signs are; set its precision."
            )
        return float(told[questions.items[0, 0]])

    def _public(self, questions: Questions, sign: float) -> Reals:
        """(rows,): log-odds of the first option, by what others chose."""
        history = _history(questions)
        heard = (history != 0).sum(axis=1)
        counted = questions.shown(self.choices)
        listed = heard >= counted.sum(axis=1)
        public = np.zeros(len(questions))
        if listed.any():
            public[listed] = self._from_history(history[listed], sign)
        if not listed.all():
            public[~listed] = self._from_counts(counted[~listed], sign)
        return public

    def _from_history(self, history: NDArray[np.int8], sign: float) -> Reals:
        public = np.zeros(len(history))
        for choice in history.T:
            public += self._says(public, choice, sign)
            if self.settles and (np.abs(public) > sign + _NOTHING).all():
                break
        return public

    def _says(self, public: Reals, choice: NDArray[np.int8], sign: float) -> Reals:
        """The log-odds that a choice adds: 1 the first option, -1 the other, 0 none."""
        for_first, for_other = _chances(self, public, sign)
        of_first = np.where(choice > 0, for_first, 1 - for_first)
        of_other = np.where(choice > 0, for_other, 1 - for_other)
        with np.errstate(divide="ignore", invalid="ignore"):
            said = np.log(of_first) - np.log(of_other)
        return np.where((choice == 0) | ~np.isfinite(said), 0.0, said)

    def _from_counts(self, counted: Reals, sign: float) -> Reals:
        if not self.errs:
            # On the path of such agents counts two apart mean a cascade, and one apart one sign more.
            apart = counted[:, 0] - counted[:, 1]
            return np.asarray(sign * np.clip(np.rint(apart), -2, 2), np.float64)
        counts = np.rint(np.maximum(counted, 0)).astype(np.int64)
        most = int(counts.sum(axis=1).max())
        if most > MOST_COUNTED:
            raise AnswerError(
                f"the rule {self.kind!r} was shown counts of {most} choices; it can infer from at most "
                f"{MOST_COUNTED}; show the latest choices one by one."
            )
        table = _table(self, sign, 1 << max(most, 1).bit_length())
        return table[counts[:, 0], counts[:, 1]]


class Bayesian(_Inferring):
    """Choose what is more probably right (Bikhchandani, Hirshleifer & Welch 1992)."""

    kind: Literal["bayesian"] = "bayesian"
    tie: Literal["coin", "own sign"] = "coin"
    """Where both are equally probable: a coin, or the own sign (Anderson & Holt 1997)."""
    slip: Share = 0.0
    """Probability of choosing at random instead; others are taken to slip as often."""

    @property
    def settles(self) -> bool:
        """A cascade is for good: whoever slips in it slips whatever its sign."""
        return True

    @property
    def errs(self) -> bool:
        """Where it slips."""
        return self.slip > 0

    def chances(self, evidence: Reals, own: Reals) -> Reals:
        """1, 0, or by the tie."""
        even = np.abs(evidence) <= _NOTHING
        tied = 0.5 + 0.5 * own if self.tie == "own sign" else np.full(own.shape, 0.5)
        better = np.where(even, tied, (evidence > 0).astype(np.float64))
        return np.asarray((1 - self.slip) * better + self.slip / 2)

    def aloud(self) -> str:
        """The rule in words."""
        tie = "tosses a coin" if self.tie == "coin" else "follows its own sign"
        slips = f", and slips with probability {self.slip:g}" if self.slip else ""
        return f"a Bayesian rule that {tie} where both are as likely{slips}"


class Quantal(_Inferring):
    """Choose by a logistic of the gain in the probability of being right (Goeree et al. 2007).

    P = 1 / (1 + exp(-strength (2 q - 1))), with q the probability that the option is right.
    """

    kind: Literal["quantal"] = "quantal"
    strength: Annotated[Real, Field(ge=0)] = 5.0

    def chances(self, evidence: Reals, own: Reals) -> Reals:
        """The logistic; 2 q - 1 is the hyperbolic tangent of half the log-odds."""
        return np.asarray(0.5 + 0.5 * np.tanh(0.5 * self.strength * np.tanh(0.5 * evidence)))

    def aloud(self) -> str:
        """The rule in words."""
        return f"a rule that leans to the more probable option the more so it is (strength {self.strength:g})"


def _log_odds(precision: float) -> float:
    """Of a sign; finite, so that two signs that contradict each other say nothing."""
    known = min(precision, 1 - 1e-12)
    return float(np.log(known) - np.log1p(-known))


def _history(questions: Questions) -> NDArray[np.int8]:
    """(rows, choices): others' choices, oldest first: 1 the first option shown, -1 another, 0 none."""
    heard = questions.heard
    others = np.flatnonzero(heard.channel == Channel.others)
    row = heard.row()[others]
    each = np.bincount(row, minlength=len(questions))
    place = np.arange(len(row)) - np.repeat(np.cumsum(each) - each, each)
    history = np.zeros((len(questions), int(each.max(initial=0))), np.int8)
    history[row, place] = np.where(heard.item[others] == questions.items[row, 0], 1, -1)
    return history


def _chances(rule: _Inferring, public: Reals, sign: float) -> tuple[Reals, Reals]:
    """The probability that one such agent chooses the first option: if it is right, and if the other is."""
    precision = 1 / (1 + np.exp(-sign))
    agrees = rule.chances(public + sign, np.ones_like(public))
    differs = rule.chances(public - sign, -np.ones_like(public))
    first = precision * agrees + (1 - precision) * differs
    other = (1 - precision) * agrees + precision * differs
    return first, other


@lru_cache(maxsize=8)
def _table(rule: _Inferring, sign: float, most: int) -> Reals:
    """(first, other): the log-odds that counts amount to, if each who chose saw the counts before.

    The probability of every pair of counts, if either option is right, follows from those with one
    choice fewer.
    """
    known = np.zeros((most + 1, most + 1))
    # Log-probability of each split of so many choices, by how many of them are of the first option.
    if_first, if_other = np.zeros(1), np.zeros(1)
    for number in range(most):
        split = np.arange(number + 1)
        public = _difference(if_first, if_other)
        known[split, number - split] = public
        chances = _chances(rule, public, sign)
        if_first, if_other = (
            _one_more(now, chance)
            for now, chance in zip((if_first, if_other), chances, strict=True)
        )
    split = np.arange(most + 1)
    known[split, most - split] = _difference(if_first, if_other)
    return known


def _difference(if_first: Reals, if_other: Reals) -> Reals:
    """The log-odds of the first; none where such counts cannot come about."""
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(if_first - if_other, nan=0.0, posinf=0.0, neginf=0.0)


def _one_more(now: Reals, chance: Reals) -> Reals:
    """The log-probability of each split after one more choice."""
    never = np.full(1, -np.inf)
    with np.errstate(divide="ignore"):
        up, down = np.log(chance), np.log1p(-chance)
    first, other = np.concatenate([never, now + up]), np.concatenate([now + down, never])
    return np.asarray(np.logaddexp(first, other), np.float64)
