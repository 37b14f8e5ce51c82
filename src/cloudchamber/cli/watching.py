"""Live progress: a bar and a line of numbers in a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from math import isnan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloudchamber.experiment import Progress

__all__ = ["amount", "money", "pace", "span", "told", "watching"]

EVERY = 10.0
"""Seconds between two lines where there is no terminal."""


@contextmanager
def watching(quiet: bool) -> "Iterator[Callable[[Progress], None]]":
    """What a driver may tell its progress to, for as long as it works."""
    if quiet:
        yield lambda progress: None
        return
    last: list[Progress] = []
    with _bar() if sys.stderr.isatty() else nullcontext(_lines()) as tell:

        def watch(progress: "Progress") -> None:
            last[:] = [progress]
            tell(progress)

        yield watch
    if last and last[0].done == last[0].runs and not last[0].questions:
        print(f"All {last[0].runs:,} runs were there already; nothing was grown.", file=sys.stderr)


@contextmanager
def _bar() -> "Iterator[Callable[[Progress], None]]":
    from rich.console import Console, Group
    from rich.live import Live
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn
    from rich.progress import Progress as Bar
    from rich.text import Text

    bar = Bar(
        TextColumn("growing"),
        BarColumn(bar_width=28),
        TaskProgressColumn(),
        TextColumn("{task.fields[pace]}"),
    )
    task = bar.add_task("", total=None, pace="")
    line = Text(style="dim")
    shown = Group(bar, line)
    with Live(shown, console=Console(stderr=True), transient=True, refresh_per_second=4):

        def tell(progress: "Progress") -> None:
            bar.update(
                task,
                total=max(progress.expected, 1),
                completed=progress.questions,
                pace="stopping" if progress.stopped else pace(progress),
            )
            line.plain = stopping(progress) or told(progress)

        yield tell


def _lines() -> "Callable[[Progress], None]":
    last, stopped = time.monotonic(), False

    def tell(progress: "Progress") -> None:
        nonlocal last, stopped
        if progress.stopped and not stopped:
            stopped = True
            print(f"growing: {stopping(progress)}", file=sys.stderr, flush=True)
        elif time.monotonic() - last >= EVERY:
            last = time.monotonic()
            print(f"growing: {told(progress)}, {pace(progress)}", file=sys.stderr, flush=True)

    return tell


def told(progress: "Progress") -> str:
    """What is done, in words: cells, runs, questions, of which the store's, tokens, cost."""
    parts = [f"{progress.cells_done}/{progress.cells} cells"] if progress.cells else []
    parts.append(f"{progress.done}/{progress.runs} runs")
    parts += [f"{progress.failed} failed"] if progress.failed else []
    what = "questions" if progress.asked else "decisions"
    parts.append(f"{progress.questions:,}/{progress.expected:,} {what}")
    parts += [f"{progress.hits:,} from the store"] if progress.hits else []
    if progress.budget is not None and progress.budget.spent.tokens:
        spent = progress.budget.spent
        untold = f" (at most: of {amount(spent.untold)} nobody told)" if spent.untold else ""
        parts.append(f"{amount(spent.tokens)} tokens{untold}")
        if isnan(spent.cost):
            parts.append("cost unknown")
        elif spent.cost:
            parts.append(f"cost {money(spent.cost)}")
    return ", ".join(parts)


def pace(progress: "Progress") -> str:
    """The rate, and the time left."""
    return f"{progress.rate:,.1f}/s, {span(progress.left)} left"


def stopping(progress: "Progress") -> str:
    """Why it comes to an end early, and what is waited for; empty if it does not."""
    if not progress.stopped or progress.budget is None:
        return ""
    waiting = progress.budget.under_way
    if not waiting:
        return f"stopping ({progress.stopped})"
    answers = "1 answer" if waiting == 1 else f"{waiting} answers"
    return f"stopping ({progress.stopped}); waiting for {answers} under way, Ctrl-C drops them"


def span(seconds: float) -> str:
    """A span of time in words."""
    if seconds == float("inf"):
        return "?"
    if seconds >= 48 * 3600:
        return f"{seconds / 86400:,.0f} days"
    if seconds >= 5400:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def amount(number: float) -> str:
    """A large number to three digits, a small one as it is."""
    for least, unit, name in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if number >= least:
            return f"{number / unit:,.3g} {name}"
    return f"{number:,.0f}"


def money(value: float) -> str:
    """An amount of money: two decimals, or two digits where it is less than one."""
    return f"{value:,.2f}" if value >= 1 else f"{value:.2g}"
