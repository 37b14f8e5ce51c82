"""What the engine asks and what it is answered, a batch at a time, as columns.

A batch is a row for each (run, agent) that decides; its exposures are columns too: the options of row r are
`items[r]` in the order shown, with one matrix for each signal; whatever else the agent is shown (others'
acts, its own past, its score) is flat, with offsets. A rule answers a whole batch with array operations; a
language model's agent turns each row into a prompt.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cloudchamber import randomness
from cloudchamber.errors import AnswerError
from cloudchamber.trace.tables import Kind, Readout, Status

__all__ = ["Address", "Answers", "Choose", "Heard", "Ints", "Questions", "Reals", "Taken", "draw"]

Ints = NDArray[np.integer[Any]]
Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Choose:
    """How many options may be chosen: exactly one, up to `most`, or any number of them."""

    how: Literal["one", "up to", "any"] = "one"
    most: int = 1
    may_decline: bool = False


@dataclass(frozen=True, slots=True)
class Address:
    """Where in the experiment each row stands; every draw for the row is keyed by it."""

    seed: int
    replicate: Ints
    step: int
    agent: Ints
    occasion: Ints

    def keys(self, stream: str) -> NDArray[np.uint64]:
        """Keys of draws that belong to each row's decision."""
        return randomness.keys(
            self.seed, self.replicate, stream, self.step, self.agent, self.occasion
        )

    def run_keys(self, stream: str) -> NDArray[np.uint64]:
        """Keys of draws that are the same for every agent and step of a run."""
        return randomness.keys(self.seed, self.replicate, stream, 0, -1)

    def take(self, rows: Ints) -> "Address":
        """The addresses of some rows."""
        return replace(
            self,
            replicate=self.replicate[rows],
            agent=self.agent[rows],
            occasion=self.occasion[rows],
        )


@dataclass(frozen=True, slots=True)
class Heard:
    """What is shown beside the options, flat: row r owns entries offsets[r] to offsets[r + 1]."""

    offsets: Ints
    channel: NDArray[np.int8]
    item: Ints
    source: Ints
    origin: Ints
    latency: Ints
    value: Reals
    """A tally (summary) or a score; NaN where there is none."""

    @classmethod
    def nothing(cls, rows: int) -> "Heard":
        """Nothing shown to any of `rows` rows."""
        none = np.zeros(0, np.int64)
        return cls(
            np.zeros(rows + 1, np.int64), none.astype(np.int8), none, none, none, none, np.zeros(0)
        )

    def row(self) -> Ints:
        """The row of each entry."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def take(self, rows: Ints) -> "Heard":
        """The entries of some rows, in the order of `rows`."""
        lengths = np.diff(self.offsets)[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
        at = np.repeat(self.offsets[:-1][rows], lengths) + within
        rest = (getattr(self, part.name)[at] for part in fields(self)[1:])
        return Heard(offsets, *rest)

    @classmethod
    def joined(cls, parts: Iterable["Heard"], rows: int) -> "Heard":
        """Several channels' entries, each row's in the order of the parts."""
        given = [part for part in parts if part.offsets[-1]]
        if not given:
            return cls.nothing(rows)
        if len(given) == 1:
            return given[0]
        row = np.concatenate([part.row() for part in given])
        order = np.argsort(row, kind="stable")
        offsets = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=rows))])
        rest = (
            np.concatenate([getattr(part, column.name) for part in given])[order]
            for column in fields(cls)[1:]
        )
        return cls(offsets, *rest)


@dataclass(frozen=True, slots=True)
class Taken:
    """What agents that are asked again have picked so far, and the noise that this used up.

    A pick at time T of a race of exponential clocks with rates w leaves each other clock E - w T, which is
    an exponential of mean 1 again, independent of the pick (they are memoryless). So whatever the next
    distribution is, its draw is a draw from it; and if it is the same distribution, the picks are those
    that one answer drawn without replacement would have given.
    """

    options: NDArray[np.bool_]
    """(n, k): the options picked."""
    noise: Reals
    """(n, k): what is gone of each option's exponential."""
    decline: Reals
    """(n,): what is gone of that of choosing nothing."""

    @classmethod
    def nothing(cls, rows: int, options: int) -> "Taken":
        """Nothing picked by any of `rows` rows."""
        shape = (rows, options)
        return cls(np.zeros(shape, bool), np.zeros(shape), np.zeros(rows))

    def take(self, rows: Ints) -> "Taken":
        """Those of some rows."""
        return Taken(self.options[rows], self.noise[rows], self.decline[rows])

    def after(self, questions: "Questions", answers: "Answers") -> "Taken":
        """What is taken after the first pick of each row's answer; every row must have one.

        A pick that was sampled elsewhere used up no noise of ours.
        """
        row, pick = np.arange(len(questions)), answers.picks[:, 0]
        options = self.options.copy()
        options[row, pick] = True
        if answers.weights is None:
            return Taken(options, self.noise, self.decline)
        weights = np.nan_to_num(answers.weights, nan=0.0)
        left = _noise(questions, questions.items)[row, pick]
        with np.errstate(divide="ignore", invalid="ignore"):
            when = np.nan_to_num(left / weights[row, pick], nan=0.0, posinf=0.0)[:, None]
        none = 0.0 if answers.decline is None else np.nan_to_num(answers.decline)
        return Taken(options, self.noise + weights * when, self.decline + none * when[:, 0])


@dataclass(frozen=True, slots=True)
class Questions:
    """A batch of questions of one kind.

    Shapes: n rows; k options each. `content` holds per-item arrays that belong to the item itself
    (a headline's quality) and so reach whoever is shown the item.
    """

    kind: Kind
    choose: Choose
    address: Address
    run: Ints
    group: NDArray[np.int16]
    decision: Ints
    items: Ints
    signals: Mapping[str, Reals]
    heard: Heard
    content: Mapping[str, Reals] = field(default_factory=dict)
    labels: Ints | None = None
    taken: "Taken | None" = None
    """Where an agent is asked again after each pick: what it has picked of these options."""

    def __len__(self) -> int:
        return len(self.items)

    @property
    def agent(self) -> Ints:
        """The agent that decides, for each row."""
        return self.address.agent

    def take(self, rows: Ints) -> "Questions":
        """The questions of some rows."""
        return replace(
            self,
            address=self.address.take(rows),
            run=self.run[rows],
            group=self.group[rows],
            decision=self.decision[rows],
            items=self.items[rows],
            signals={name: shown[rows] for name, shown in self.signals.items()},
            heard=self.heard.take(rows),
            labels=None if self.labels is None else self.labels[rows],
            taken=None if self.taken is None else self.taken.take(rows),
        )

    def open(self) -> NDArray[np.bool_]:
        """(n, k): the options that may be picked; short rows are filled with what may not."""
        there = self.items >= 0
        return there if self.taken is None else there & ~self.taken.options

    def shown(self, signal: str) -> Reals:
        """A signal as the agents see it, with 0 where it is hidden: what is not shown cannot attract."""
        if signal not in self.signals:
            return np.zeros(self.items.shape)
        shown = self.signals[signal]
        return shown if np.isfinite(shown).all() else np.nan_to_num(shown, nan=0.0)


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

    def _check_picks(self, questions: Questions) -> None:
        """Picks are no more than allowed, no option twice, none after the agent stopped."""
        picks, most = self.picks, questions.choose.most
        if questions.choose.how != "any" and (picks[:, most:] >= 0).any():
            raise AnswerError(f"an agent picked more than the {most} option(s) allowed.")
        if questions.kind is Kind.next or questions.taken is not None:
            may = np.take_along_axis(questions.open(), np.maximum(picks, 0), 1)
            if not may[picks >= 0].all():
                raise AnswerError(
                    "an agent named someone it was not offered."
                    if questions.kind is Kind.next
                    else "an agent picked an option again that it had picked before."
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


def draw(questions: Questions, weights: Reals, decline: Reals | None = None) -> Answers:
    """Draw every row's picks from its distribution, under the noise of its address.

    Args:
        questions: n rows of k options.
        weights: (n, k), for one or up to m picks proportional to the probability of each option; for any
            number of picks, and for judgements, the probability of each.
        decline: (n,), the weight of choosing nothing (more), where the question allows it.

    One noise serves all: an exponential E of mean 1 for each (address, item). The option with the least
    E / weight is a draw from the weights, the next least the next pick without replacement (Plackett-Luce;
    Gumbel-max by another name), and an option is included on its own when E < -log(1 - p). So the same
    agent under two specifications differs only where its distribution does.
    """
    if questions.taken is not None:
        weights = np.where(questions.taken.options, 0.0, weights)
    places = _places(weights)
    offered, items = weights[:, places], questions.items[:, places]
    noise = _noise(questions, items, places)
    if questions.choose.how == "any" or questions.kind == Kind.judge:
        with np.errstate(divide="ignore"):
            included = noise < -np.log1p(-np.minimum(offered, 1.0))
        picks = _ranked(included)
        return Answers(np.where(picks < 0, -1, places[picks]).astype(np.int32), weights)
    with np.errstate(divide="ignore", over="ignore"):
        arrival = np.divide(noise, offered, out=noise)
    picks = _first(arrival) if questions.choose.how == "one" else _several(questions, arrival)
    arrived = np.take_along_axis(arrival, picks, axis=1)
    stopped = ~np.isfinite(arrived)
    if decline is not None and questions.choose.may_decline:
        own = randomness.exponentials(questions.address.keys("decline"), 1)[:, 0]
        if questions.taken is not None:
            own = np.maximum(own - questions.taken.decline, np.finfo(np.float64).tiny)
        with np.errstate(divide="ignore"):
            stopped |= arrived > (own / decline)[:, None]
    else:
        decline = None
    return Answers(np.where(stopped, -1, places[picks]).astype(np.int32), weights, decline)


def _noise(questions: Questions, items: Ints, places: Ints | slice = slice(None)) -> Reals:
    """The exponential of each option, less what earlier picks of the same options used up."""
    noise = randomness.exponentials(questions.address.keys("choice"), items)
    if questions.taken is None:
        return noise
    # Above 0, so that what has no weight is never first.
    left = noise - questions.taken.noise[:, places]
    return np.maximum(left, np.finfo(np.float64).tiny)


def _places(weights: Reals) -> Ints:
    """The places where any row would take an option; at the others nobody needs noise."""
    taken = np.flatnonzero(weights.any(axis=0))
    return taken if len(taken) else np.zeros(1, np.int64)


def _first(arrival: Reals) -> NDArray[np.int32]:
    return np.asarray(arrival.argmin(axis=1)[:, None], np.int32)


def _several(questions: Questions, arrival: Reals) -> NDArray[np.int32]:
    most = min(questions.choose.most, arrival.shape[1])
    return np.argsort(arrival, axis=1, kind="stable")[:, :most].astype(np.int32)


def _ranked(included: NDArray[np.bool_]) -> NDArray[np.int32]:
    """A mask as picks: the included places in the order shown, then -1."""
    width = max(int(included.sum(axis=1).max(initial=0)), 1)
    order = np.argsort(~included, axis=1, kind="stable")[:, :width]
    kept = np.take_along_axis(included, order, axis=1)
    return np.where(kept, order, -1).astype(np.int32)
