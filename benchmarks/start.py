"""Time to import the package and to print its help, beside a Python that does nothing.

Run: python -m benchmarks.start
"""

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


def main(times: int = 10) -> None:
    """Run each in turns and print medians in seconds."""
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(times):
        for name, command in COMMANDS.items():
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            taken[name].append(time.perf_counter() - started)
    bare = taken["python -c pass"]
    rows = []
    for name, seconds in taken.items():
        ratio = median([mine / its for mine, its in zip(seconds, bare, strict=True)])
        rows.append((name, f"{median(seconds):.3f}", f"{ratio:.1f}"))
    table(
        f"Seconds of wall clock, median of {times} taken in turns",
        ("", "seconds", "times python -c pass"),
        rows,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
