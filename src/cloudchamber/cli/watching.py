"""Live progress: a bar in a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloudchamber.experiment import Progress

__all__ = ["span", "told", "watching"]

EVERY = 10.0
"""Seconds between two lines where there is no terminal."""


@contextmanager
def watching(quiet: bool) -> "Iterator[Callable[[Progress], None]]":
    """What a driver may tell its progress to, for as long as it works."""
    if quiet:
        yield lambda progress: None
    elif sys.stderr.isatty():
        with _bar() as tell:
            yield tell
    else:
        yield _lines()


@contextmanager
def _bar() -> "Iterator[Callable[[Progress], None]]":
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("growing"),
        BarColumn(bar_width=28),
        TextColumn("{task.fields[told]}"),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True, refresh_per_second=4) as bar:
        task = bar.add_task("", total=1, told="")

        def tell(progress: "Progress") -> None:
            total = max(progress.expected, 1)
            bar.update(task, total=total, completed=progress.questions, told=told(progress))

        yield tell


def _lines() -> "Callable[[Progress], None]":
    last = time.monotonic()

    def tell(progress: "Progress") -> None:
        nonlocal last
        if time.monotonic() - last >= EVERY:
            last = time.monotonic()
            print(f"growing: {told(progress)}", file=sys.stderr, flush=True)

    return tell


def told(progress: "Progress") -> str:
    """The progress in words: runs, questions, rate, time left."""
    failed = f", {progress.failed} failed" if progress.failed else ""
    return (
        f"{progress.done}/{progress.runs} runs{failed}, "
        f"{progress.questions:,}/{progress.expected:,} decisions, {progress.rate:,.1f}/s, "
        f"{span(progress.left)} left"
    )


def span(seconds: float) -> str:
    """A span of time in words."""
    if seconds == float("inf"):
        return "?"
    if seconds >= 48 * 3600:
        return f"{seconds / 86400:,.0f} days"
    if seconds >= 5400:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
