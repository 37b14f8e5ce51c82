"""One core, medians, and a plain table: what every benchmark shares."""

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence

__all__ = ["median", "one_core", "rounds", "table"]


def one_core() -> None:
    """Pin this process and its libraries to one core; call it before NumPy is imported."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = "1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def rounds(
    rivals: Mapping[str, Callable[[], object]], times: int
) -> dict[str, list[tuple[float, float]]]:
    """(processor, wall) seconds of each rival, taken in turns so that a busy moment hits all alike."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in rivals}
    for _ in range(times):
        for name, act in rivals.items():
            wall, used = time.perf_counter(), time.process_time()
            act()
            found[name].append((time.process_time() - used, time.perf_counter() - wall))
    return found


def median(seconds: Sequence[float]) -> float:
    """The median."""
    return statistics.median(seconds)


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a small table: the first column to the left, numbers to the right."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    print(f"\n{title}")
    for number, row in enumerate(cells):
        first = row[0].ljust(widths[0])
        rest = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        print("  ".join([first, *rest]).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))
