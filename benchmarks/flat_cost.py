"""Time of a step against the length of the trace before it: it must not grow.

Readers on a small world see their neighbours' likes three steps late and remember their own latest acts.
The rival asks the trace instead: what a plain program would do, and what makes a step cost what came
before it.

Run: python -m benchmarks.flat_cost
"""

from benchmarks.timing import median, one_core, table

one_core()

import time

import numpy as np

from cloudchamber.agents import Society, TwoStage
from cloudchamber.engine import Runs, grow
from cloudchamber.microspec import (
    Group,
    Microspec,
    Population,
    Sequential,
    Simultaneous,
    Turns,
    Visibility,
    WattsStrogatz,
    Window,
)
from cloudchamber.trace import Trace
from cloudchamber.worlds import Feed

LATENCY, EDGE = 3, 50
"""Steps of delay, and how many steps at either end are compared."""


def spec_of(agents: int, turns: Turns) -> Microspec:
    """Organic likes of the neighbours, late, and a window of memory."""
    readers = Group(name="readers", count=agents, decides=TwoStage())
    return Microspec(
        world=Feed.of(48),
        population=Population(groups=(readers,)),
        communication=WattsStrogatz(k=4, p=0.1),
        visibility=Visibility(whose="neighbours", latency=LATENCY),
        turns=turns,
        memory=Window(k=5),
    )


def steps_of(spec: Microspec) -> tuple[list[float], Trace]:
    """Processor seconds of each step, and the trace."""
    trace, society = Trace(), Society(spec)
    runs = Runs(seed=1, replicates=np.arange(1), ids=np.array([1]))
    growth = grow(spec, runs, trace)
    seconds = [0.0] * spec.turns.steps
    questions = next(growth)
    while True:
        step, started = questions.address.step, time.process_time()
        try:
            questions = growth.send(society.answer_now(questions))
        except StopIteration:
            return seconds, trace
        finally:
            seconds[step] += time.process_time() - started


def rereading(trace: Trace, agents: int, steps: int) -> list[float]:
    """Processor seconds a step of counting every item's likes from all decisions so far."""
    decisions = trace.columns("decisions")
    ends = np.searchsorted(decisions["step"], np.arange(steps))
    seconds = []
    for step in range(steps):
        started = time.process_time()
        for _ in range(10):
            before = slice(0, ends[max(step - LATENCY, 0)])
            cell = decisions["agent"][before].astype(np.int64) * 48 + decisions["choice"][before]
            np.bincount(cell, minlength=agents * 48)
        seconds.append((time.process_time() - started) / 10)
    return seconds


def main() -> None:
    """Grow 10 and 1,000 steps each way; print first, last and ratio."""
    rows = []
    for told, agents, short, long in (
        ("simultaneous", 200, Simultaneous(steps=10), Simultaneous(steps=1000)),
        ("sequential", 10, Sequential(steps=10), Sequential(steps=1000)),
    ):
        brief, _ = steps_of(spec_of(agents, short))
        seconds, trace = steps_of(spec_of(agents, long))
        exposures = len(trace.columns("exposures")["run"])
        again = rereading(trace, agents, 1000)
        for name, found in ((told, seconds), ("  rereading the trace, counts only", again)):
            # From the step on at which everything there is to see is seen.
            first, last = median(found[10 : 10 + EDGE]), median(found[-EDGE:])
            rows.append(
                (
                    name,
                    f"{agents}" if found is seconds else "",
                    f"{exposures:,}" if found is seconds else "",
                    f"{1e3 * median(brief[5:]):.2f}" if found is seconds else "",
                    f"{1e3 * first:.2f}",
                    f"{1e3 * last:.2f}",
                    f"{last / first:.2f}",
                )
            )
    table(
        "A step with late likes of neighbours and a window of memory, full trace in memory; ms",
        (
            "",
            "agents",
            "exposures",
            "of 10 steps",
            "early of 1,000",
            "last of 1,000",
            "last / early",
        ),
        rows,
    )


if __name__ == "__main__":
    main()
