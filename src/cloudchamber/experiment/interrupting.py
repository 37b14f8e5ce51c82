"""Growing until it is done, or until somebody interrupts it: once gently, twice at once.

At the first interrupt nothing more is sent, and what is under way is waited for; at the second it is dropped.
That holds in a program, and where an event loop is running already, as in a notebook.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from cloudchamber.errors import Unfinished
from cloudchamber.experiment.limits import Budget

__all__ = ["run", "until_interrupted"]

R = TypeVar("R")


async def until_interrupted(
    budget: Budget, working: Coroutine[Any, Any, R], remind: Callable[[], None] = lambda: None
) -> R:
    """Work; when first cancelled, send nothing more and wait for what is under way; then, at once.

    Args:
        budget: what the work spends from.
        working: the work.
        remind: called when it is stopped.
    """
    task = asyncio.ensure_future(working)
    try:
        done = await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.done():
            budget.stop("interrupted", at_once=True)
            remind()
            try:
                with suppress(Unfinished):
                    await task
                await budget.drained()
            finally:
                task.cancel()
        raise
    except Unfinished:
        await budget.drained()
        raise
    if budget.stopped:
        await budget.drained()
    return done


def run(grow: Callable[[], Any]) -> None:
    """Run to the end, also where an event loop is running already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(grow())
        return
    at_work: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any] | None]] = []

    async def here() -> None:
        at_work.append((asyncio.get_running_loop(), asyncio.current_task()))
        await grow()

    with ThreadPoolExecutor(1) as thread:
        growing = thread.submit(asyncio.run, here())
        for attempt in ("gently", "at once", "and no more"):
            try:
                growing.result()
                return
            except asyncio.CancelledError:
                raise KeyboardInterrupt from None
            # It reaches this thread alone, and the other would go on to the end.
            except KeyboardInterrupt:
                for loop, task in at_work:
                    if task is not None:
                        with suppress(RuntimeError):  # it has just ended
                            loop.call_soon_threadsafe(task.cancel)
                if attempt == "and no more":
                    raise
