"""Time to import the package and to print its help, beside a Python that does nothing.

Run: python -m benchmarks.start
"""

import resource
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.timing import median, table

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import cloudchamber": [sys.executable, "-c", "import cloudchamber"],
    "cloudchamber --help": [str(Path(sys.executable).with_name("cloudchamber")), "--help"],
    "import numpy": [sys.executable, "-c", "import numpy"],
    "from cloudchamber import Microspec": [
        sys.executable,
        "-c",
        "from cloudchamber import Microspec",
    ],
    "from cloudchamber import Study": [sys.executable, "-c", "from cloudchamber import Study"],
}


def used() -> float:
    """Processor seconds of all processes started so far that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def main(times: int = 10) -> None:
    """Run each in turns and print medians in seconds; on an idle machine both kinds are alike."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for _ in range(times):
        for name, command in COMMANDS.items():
            wall, processor = time.perf_counter(), used()
            subprocess.run(command, check=True, capture_output=True)
            taken[name].append((time.perf_counter() - wall, used() - processor))
    bare = taken["python -c pass"]
    rows = []
    for name, seconds in taken.items():
        ratio = median([mine[1] / its[1] for mine, its in zip(seconds, bare, strict=True)])
        walls, processors = (median(list(part)) for part in zip(*seconds, strict=True))
        rows.append((name, f"{walls:.3f}", f"{processors:.3f}", f"{ratio:.1f}"))
    table(
        f"Seconds, median of {times} taken in turns",
        ("", "wall", "processor", "times python -c pass"),
        rows,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
