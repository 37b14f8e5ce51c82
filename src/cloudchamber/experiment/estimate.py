"""What a design will come to before it is grown: runs, questions, tokens, cost, time; how well that is known.

The questions are counted and a sample of prompts is built as a run builds them (`prompts`). What cannot be
known is said: a price that nobody gave is unknown, and so is the time without a rate.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import ceil, nan
from pathlib import Path

from cloudchamber.experiment.limits import Limits
from cloudchamber.experiment.prices import OWN, Price, Prices, price_of
from cloudchamber.experiment.progress import questions_of
from cloudchamber.experiment.prompts import WALKED, Sample, characters, sample, tokens_out
from cloudchamber.experiment.unit import Unit
from cloudchamber.experiment.vocabulary import Counter, counter
from cloudchamber.trace import TraceFolder
from cloudchamber.trace.layout import check_mark

__all__ = ["CostEstimate", "Expected", "estimate", "measured_rate"]

PROMPTS = 10_000
"""Prompts that are built for an estimate, about, over all cells."""

BATCHES = 6000
"""Times that agents are asked together on the walks, over all cells."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What one model, or rules, will be asked in one cell, over the runs that are lacking."""

    cell: str
    model: str
    """Its name; empty for rules."""
    runs: int
    questions: int
    sent: int
    """Questions less those that the store will have answered already because another asked the same."""
    tokens_in: int
    """Of the prompts sent."""
    tokens_out: int
    """Of the answers, if they are labels."""
    most_out: int
    """Of the answers, if they are as long as they may be."""
    prompts: int
    """Built for the estimate."""
    whole: bool
    """Whether those were all prompts of the replicates walked."""
    counted: str = ""
    """How tokens were counted."""

    @property
    def exact(self) -> bool:
        """Whether the model is known to answer by exact distributions, which equal prompts share."""
        return self.model.startswith(OWN)


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


def estimate(
    units: Iterable[Unit],
    *,
    seed: int,
    conditions: int,
    runs: int,
    prices: Prices | None = None,
    rate: float | None = None,
    trace: Path | None = None,
) -> CostEstimate:
    """What growing some units comes to.

    Args:
        units: what is missing.
        seed: of the experiment.
        conditions: different specifications, grown or not.
        runs: asked for, grown or not.
        prices: of models; the table that ships, if not given.
        rate: questions sent a second; as in the trace's earlier runs, if not given.
        trace: folder of earlier runs.
    """
    lacking: dict[str, list[Unit]] = {}
    for unit in units:
        lacking.setdefault(unit.cell.id, []).append(unit)
    known: set[int] = set()
    expected: list[Expected] = []
    counters: dict[str, Counter] = {}
    needs = [questions_of(mine[0].cell) * min(len(mine), WALKED) for mine in lacking.values()]
    batches = BATCHES // max(len(lacking), 1)
    for mine, most in zip(lacking.values(), _shared(PROMPTS, needs), strict=True):
        cell = mine[0].cell
        replicates = tuple(sorted(r for unit in mine for r in unit.replicates))
        seen = sample(cell, seed, replicates, most, max(batches, 20), known)
        for name, one in seen.items():
            if name not in counters:
                counters[name] = counter(name)
            expected.append(_expected(cell.name, name, one, len(replicates), counters[name]))
        rules = questions_of(cell) * len(replicates) - sum(
            round(one.each * len(replicates)) for one in seen.values()
        )
        if not seen or rules > 0:
            expected.append(
                Expected(cell.name, "", len(replicates), max(rules, 0), 0, 0, 0, 0, 0, True)
            )
    named = {one.model for one in expected if one.model}
    measured = rate is None
    if rate is None:
        rate = measured_rate(trace) if trace is not None else nan
    return CostEstimate(
        conditions,
        runs,
        sum(len(unit.replicates) for mine in lacking.values() for unit in mine),
        tuple(expected),
        {name: price_of(name, prices) for name in sorted(named)},
        rate,
        measured,
    )


def _shared(whole: int, needs: Sequence[int]) -> list[int]:
    """A number shared out: to each what it needs, or else the same as the others that need more."""
    given = [0] * len(needs)
    left = len(needs)
    for at in sorted(range(len(needs)), key=lambda i: needs[i]):
        given[at] = min(needs[at], max(whole // left, 1))
        whole, left = whole - given[at], left - 1
    return given


def _expected(cell: str, model: str, seen: Sample, runs: int, count: Counter) -> Expected:
    """One model's part in a cell, from what was seen of it to all runs that are lacking."""
    questions = round(seen.each * runs)
    sent = questions
    own = model.startswith(OWN)
    if own and seen.whole:
        first, *later = seen.fresh[: seen.replicates]
        sent = min(questions, first + (runs - 1) * (later[-1] if later else first))
    size = sum(count.prompt(request) for request in seen.kept)
    per = size / max(sum(map(characters, seen.kept)), 1)
    each = per * seen.characters / max(seen.prompts, 1)
    sampled = [request for request in seen.kept if request.sampled or not (own and request.options)]
    share = len(sampled) / max(len(seen.kept), 1)  # the rest is read off, and nothing is written
    out = sum(tokens_out(request, count.text) for request in sampled) / max(len(sampled), 1)
    most = sum(request.max_tokens for request in sampled) / max(len(sampled), 1)
    return Expected(
        cell,
        model,
        runs,
        questions,
        sent,
        ceil(each * sent),
        ceil(out * share * sent),
        ceil(most * share * sent),
        seen.prompts,
        seen.whole,
        count.told,
    )


def measured_rate(trace: Path) -> float:
    """Questions to language models a second while a trace's runs were grown; NaN if there were none.

    Runs are open several at a time, and there may be days between two calls: what counts is the time in
    which any was open, which each unit's name and seconds tell.
    """
    if not check_mark(trace):
        return nan
    begun = {}
    for path in (trace / "runs").glob("*.parquet"):
        name = path.stem.split("-")
        with suppress(ValueError, IndexError):
            begun[name[0], int(name[1]), int(name[2])] = int(name[-1], 16) / 1e9
    runs = TraceFolder(trace).runs()
    asked = runs[(runs["status"] == "done") & (runs["questions"] > 0)]
    spans = []
    for row in asked[["cell", "seed", "replicate", "seconds"]].itertuples(index=False):
        start = begun.get((str(row[0]), int(row[1]), int(row[2])))
        if start is not None:
            spans.append((start, start + float(row[3])))
    busy = _covered(spans)
    return float(asked["questions"].sum()) / busy if busy > 0 else nan


def _covered(spans: list[tuple[float, float]]) -> float:
    """The length of what some spans cover together."""
    whole, until = 0.0, float("-inf")
    for start, end in sorted(spans):
        whole += max(end - max(start, until), 0.0)
        until = max(until, end)
    return whole
