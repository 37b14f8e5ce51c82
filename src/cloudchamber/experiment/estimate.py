"""What a design will come to before it is grown: runs, questions, tokens, cost, time; how well that is known.

The questions are counted and a sample of prompts is built as a run builds them (`prompts`). What cannot be
known is said: a price that nobody gave is unknown, and so is the time without a rate.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from math import ceil, nan
from pathlib import Path

from cloudchamber.agents.society import models_of
from cloudchamber.experiment.expected import CostEstimate, Expected, Held
from cloudchamber.experiment.prices import OWN, Prices, price_of
from cloudchamber.experiment.progress import questions_of
from cloudchamber.experiment.prompts import WALKED, Sample, characters, sample, tokens_out
from cloudchamber.experiment.unit import Unit
from cloudchamber.experiment.vocabulary import Counter, counter
from cloudchamber.trace import TraceFolder
from cloudchamber.trace.layout import check_mark

__all__ = ["estimate", "measured_rate"]

PROMPTS = 10_000
"""Prompts that are built for an estimate, about, over all cells."""

BATCHES = 6000
"""Times that agents are asked together on the walks, over all cells."""

LOOKED_UP = 20_000
"""Questions that are looked up in a store, about, over all cells."""


def estimate(
    units: Iterable[Unit],
    *,
    seed: int,
    conditions: int,
    runs: int,
    prices: Prices | None = None,
    rate: float | None = None,
    trace: Path | None = None,
    store: Path | None = None,
    servers: Mapping[str, str] | None = None,
    sends: bool = True,
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
        store: answers that will not be asked for again; none if None.
        servers: what servers were found to do, by the model's name.
        sends: whether a model is asked what the store does not hold.

    Raises:
        StoreError: the store is not there, or cannot be read.
    """
    lacking: dict[str, list[Unit]] = {}
    for unit in units:
        lacking.setdefault(unit.cell.id, []).append(unit)
    known: set[int] = set()
    expected: list[Expected] = []
    counters: dict[str, Counter] = {}
    needs = [questions_of(mine[0].cell) * min(len(mine), WALKED) for mine in lacking.values()]
    batches = BATCHES // max(len(lacking), 1)
    there = _held(lacking, seed, store)
    for mine, most in zip(lacking.values(), _shared(PROMPTS, needs), strict=True):
        cell = mine[0].cell
        replicates = tuple(sorted(r for unit in mine for r in unit.replicates))
        seen = sample(cell, seed, replicates, most, max(batches, 20), known)
        for name, one in seen.items():
            if name not in counters:
                counters[name] = counter(name)
            shares = name.startswith(OWN) or _lists((servers or {}).get(name, ""))
            there_is = there.get(cell.id, {}).get(name, Held())
            expected.append(
                _expected(
                    cell.name,
                    name,
                    one,
                    len(replicates),
                    counters[name],
                    there_is,
                    shares,
                    sends,
                )
            )
        rules = questions_of(cell) * len(replicates) - sum(
            round(one.each * len(replicates)) for one in seen.values()
        )
        # Fewer than at most are no rule's: turns vary, and who picks one by one may stop.
        mixed = any(not group.decides.reads_text for group in cell.spec.population.groups)
        if not seen or (mixed and rules > 0):
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
        str(store or ""),
    )


def _held(
    lacking: Mapping[str, list[Unit]], seed: int, store: Path | None
) -> dict[str, dict[str, Held]]:
    """What the store holds, by cell and model."""
    names = sorted({name for mine in lacking.values() for name in models_of(mine[0].cell.spec)})
    if store is None or not names:
        return {}
    from cloudchamber.experiment.held import held, opened  # sqlite3 only where it is used

    needs = [questions_of(mine[0].cell) * len(mine) for mine in lacking.values()]
    told = {}
    with opened(store, names) as there:
        for (cell, mine), most in zip(lacking.items(), _shared(LOOKED_UP, needs), strict=True):
            if set(models_of(mine[0].cell.spec)) & there.keys():
                replicates = sorted(r for unit in mine for r in unit.replicates)
                told[cell] = held(mine[0].cell, seed, replicates, there, most)
    return told


def _lists(found: str) -> bool:
    """Whether a server was found to give distributions, by what was said of it."""
    return bool(found) and ("no log-probabilities" not in found or "scores" in found)


def _shared(whole: int, needs: Sequence[int]) -> list[int]:
    """A number shared out: to each what it needs, or else the same as the others that need more."""
    given = [0] * len(needs)
    left = len(needs)
    for at in sorted(range(len(needs)), key=lambda i: needs[i]):
        given[at] = min(needs[at], max(whole // left, 1))
        whole, left = whole - given[at], left - 1
    return given


def _expected(
    cell: str,
    model: str,
    seen: Sample,
    runs: int,
    count: Counter,
    there: Held,
    shares: bool,
    sends: bool,
) -> Expected:
    """One model's part in a cell, from what was seen of it to all runs that are lacking."""
    open_yet = round(seen.each * (runs - there.whole))
    questions = (
        there.wholly + open_yet
    )  # a run that the store answers to its end is as long as it is
    alike = questions
    if seen.whole:
        first, *later = seen.fresh[: seen.replicates]
        alike = min(questions, first + (runs - 1) * (later[-1] if later else first))
    left = max(open_yet - there.part, 0) if sends else 0
    alike = min(alike, left)
    sent = alike if shares else left
    size = sum(count.prompt(request) for request in seen.kept)
    per = size / max(sum(map(characters, seen.kept)), 1)
    each = per * seen.characters / max(seen.prompts, 1)
    sampled = [request for request in seen.kept if request.sampled or not shares]
    texts = seen.texts / max(seen.prompts, 1)
    # Of choices the rest is read off, and nothing is written.
    share = (1 - texts) * len(sampled) / max(len(seen.kept), 1)
    out = sum(tokens_out(request, count.text) for request in sampled) / max(len(sampled), 1)
    most = sum(request.max_tokens for request in sampled) / max(len(sampled), 1)
    longest = seen.longest / max(seen.prompts, 1)
    return Expected(
        cell,
        model,
        runs,
        questions,
        sent,
        ceil(each * sent),
        ceil((out * share + longest) * sent),
        ceil((most * share + longest) * sent),
        seen.prompts,
        seen.whole,
        count.told,
        there,
        alike,
        shares,
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
