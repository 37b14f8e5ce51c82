"""What `estimate` prints: what a run comes to, by model and cell, and how well that is known."""

from collections.abc import Iterable
from math import isnan
from typing import TYPE_CHECKING

from cloudchamber.cli.telling import say, table
from cloudchamber.cli.watching import amount, money, span

if TYPE_CHECKING:
    from cloudchamber.experiment import CostEstimate, Limits

__all__ = ["tell"]


def tell(estimate: "CostEstimate", limits: "Limits") -> None:
    """Print an estimate."""
    say(
        f"{estimate.conditions} specifications, {estimate.runs:,} runs, of which {estimate.missing:,} are "
        "missing."
    )
    if not estimate.missing:
        say("Nothing is left to be grown: it costs nothing.")
        return
    _comes_to(estimate, limits, _known(estimate))


def tell_new(estimate: "CostEstimate", limits: "Limits") -> None:
    """Print an estimate of worlds that are grown beside a folder's runs."""
    _comes_to(estimate, limits, _said(estimate))


def _comes_to(estimate: "CostEstimate", limits: "Limits", known: Iterable[str]) -> None:
    if estimate.asked():
        _cells(estimate)
        _sums(estimate)
    if estimate.decisions:
        say(f"Rules decide {estimate.decisions:,} times, which costs nothing but time.")
    for cap in estimate.beyond(limits):
        say(f"It will stop at the cap: {cap}.")
    if estimate.asked():
        say()
        for line in known:
            say(f"  {line}")


def _cells(estimate: "CostEstimate") -> None:
    several = len(estimate.prices) > 1
    rows: list[tuple[str, ...]] = [("cell", "runs", "questions", "sent", "tokens in", "tokens out")]
    for one in estimate.asked():
        rows.append(
            (
                f"{one.cell}, {one.model}" if several else one.cell,
                f"{one.runs:,}",
                f"{one.questions:,}",
                f"{one.sent:,}",
                amount(one.tokens_in),
                amount(one.tokens_out),
            )
        )
    sums = (estimate.questions, estimate.sent)
    tokens = (estimate.tokens_in, estimate.tokens_out)
    rows.append(("all", "", *(f"{n:,}" for n in sums), *map(amount, tokens)))
    say()
    table(rows, left=("cell",))
    say()


def _sums(estimate: "CostEstimate") -> None:
    say(f"Cost: {_cost(estimate)}")
    if isnan(estimate.seconds):
        say("Time: unknown; give --rate, or grow a first run.")
    else:
        source = "as in the folder's earlier runs" if estimate.measured else "as given"
        say(
            f"Time: {span(estimate.seconds)}, at {estimate.rate:,.1f} questions a second, {source}."
        )


def _cost(estimate: "CostEstimate") -> str:
    unknown = [name for name, price in estimate.prices.items() if price is None]
    if unknown:
        return (
            f"unknown, for nobody said what {', '.join(unknown)} costs; give --price-in and --price-out, "
            "for a million tokens each."
        )
    sources = sorted({price.source for price in estimate.prices.values() if price is not None})
    most, likely = estimate.most_cost, estimate.cost
    if most == 0:
        return f"0; {'; '.join(sources)}."
    upto = f", at most {money(most)} if answers are as long as they may be" if most > likely else ""
    return f"about {money(likely)}{upto}; prices: {'; '.join(sources)}."


def _known(estimate: "CostEstimate") -> Iterable[str]:
    yield from _built(estimate)
    if estimate.store:
        yield from _held(estimate)
    else:
        yield "There is no store yet whose answers could be taken off."
    yield from _sent(estimate)


def _said(estimate: "CostEstimate") -> Iterable[str]:
    yield from _built(estimate)
    yield "What a store holds of them was not looked up: it is free."
    yield from _sent(estimate)


def _built(estimate: "CostEstimate") -> Iterable[str]:
    asked = estimate.asked()
    built = sum(one.prompts for one in asked)
    yield (
        f"From {built:,} prompts, built as a run builds them in up to two runs of each cell, where everybody "
        "picks at random;"
    )
    yield f"tokens: {', '.join(sorted({one.counted for one in asked}))}."
    part = [one for one in asked if not one.whole]
    if part:
        yield (
            f"In {len(part)} of {len(asked)} cells a sample of the prompts stands for the rest, and none is "
            "counted as asked before."
        )


def _sent(estimate: "CostEstimate") -> Iterable[str]:
    asked = estimate.asked()
    shares = [one for one in asked if one.shares]
    if any(one.sent + one.held.known + one.held.thought < one.questions for one in shares):
        yield (
            "What is asked in the same words again is answered by the store and not sent; by and by more is: "
            "take what is sent for the most."
        )
    if len(shares) < len(asked):
        yield from _remote(estimate)
    if not all(one.model.startswith(("embedded", "gguf:", "llamacpp:", "fake:")) for one in asked):
        yield "Models that think before they answer write more than a label."
        yield "The probe of a server (nine requests of a few tokens at most) and retries are not in it."


def _held(estimate: "CostEstimate") -> Iterable[str]:
    held, where = estimate.held, estimate.store
    if not held.walked:
        yield f"{where} holds no answers of these models."
        return
    yield (
        f"{where} answers {held.known:,} questions: looked up in {held.walked:,} runs, in each up to the "
        "first answer that is missing; later questions depend on it, and more of them may be answered."
    )
    if held.thought:
        yield (
            f"Another {held.thought:,} were not looked up: as many for each run as in the last one of its "
            "cell."
        )


def _remote(estimate: "CostEstimate") -> Iterable[str]:
    fewer = estimate.sent - estimate.alike
    yield (
        "Servers: whether exact distributions can be had is not known before one is asked, so equal prompts "
        f"are counted each time; if they can, {fewer:,} fewer are sent, and hardly anything is written."
    )
