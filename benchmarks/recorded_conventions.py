"""What do language models do in the naming game? Rules fitted to recorded runs, and regrown without a model.

Every recorded choice of Llama-3-70B and Llama-3.1-70B in the game of Ashery, Aiello & Baronchelli 2025 is
there to be fitted. The rules are fitted to baseline runs alone, put in the agents' place, and compared with
those runs and with the separate ones in which a few agents are committed to a name:
`python -m benchmarks.recorded_conventions FOLDER`, where FOLDER holds `runs.csv` and `interactions.csv.gz`.
Nothing is asked of any model.
"""

from benchmarks.timing import one_core

one_core()

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.regrown_conventions import NAMES, STOP, Rules, ahead, crps, held_out, regrown
from cloudchamber.mechanism import (
    ChoiceData,
    ItemEffects,
    Logit,
    Mechanism,
    MemoryTable,
    Reinforcement,
    between_runs,
    choices_of,
    compare,
    fit,
    run_by_run,
)
from cloudchamber.validation.field_meetings import read_meetings
from cloudchamber.validation.field_memory import shown_in_meetings

PAID = {"payoff": lambda own, met: np.where(own == met, 100.0, -50.0)}
EARLY = 100
"""Meetings of each run that are fitted: all runs are as long, and weigh alike."""
DRAWN = 100
"""Rules drawn where runs differ."""
DIFFERING = ", runs differing"
LOOK_UP = "table, all meetings"
"""What the others are held against: the shares of what was said after each memory, over all meetings."""


def heard(**parts: Any) -> Reinforcement:
    return Reinforcement(channel="met", result="", **parts)


def said(**parts: Any) -> Reinforcement:
    return Reinforcement(result="", **parts)


FIRST = MemoryTable(of=1, reads=("length",), keys=((0,),), effects=(0.0,))
"""What is said with nothing in memory."""
RULES: dict[str, Mechanism] = {
    "table": Logit(terms=(MemoryTable(of=1, smoothing=1.0),)),
    "counts": Logit(terms=(FIRST, ItemEffects(), heard(keep=1.0), said(keep=1.0))),
    "recency": Logit(terms=(FIRST, ItemEffects(), heard(), said())),
    "payoffs": Logit(terms=(FIRST, ItemEffects(), Reinforcement(strength=0.01))),
    "table and recency": Logit(
        terms=(FIRST, MemoryTable(of=1, smoothing=2.0), ItemEffects(), heard(), said())
    ),
}


@dataclass(frozen=True, eq=False)
class Recorded:
    """The runs of one model on the names Q and M."""

    folder: Path
    runs: pd.DataFrame

    @classmethod
    def read(cls, folder: Path, model: str) -> "Recorded":
        runs = pd.read_csv(folder / "runs.csv", dtype={"run_id": str})
        return cls(folder, runs[(runs.model == model) & runs.options.isin(["Q|M", "M|Q"])])

    def of(self, kind: str, agents: int, memory: int) -> pd.DataFrame:
        known = self.runs
        return known[(known.kind == kind) & (known["N"] == agents) & (known.memory == memory)]

    def choices(self, agents: int, memory: int) -> ChoiceData:
        """The choices of the baseline runs."""
        runs = self.of("baseline", agents, memory).run_id.tolist()
        path = self.folder / "interactions.csv.gz"
        found = read_meetings(path, NAMES, runs=runs, agents=agents)
        return choices_of(shown_in_meetings(found, memory, PAID))


def early(data: ChoiceData, meetings: int = EARLY) -> ChoiceData:
    """The first meetings of each run."""
    return data.where(data.decision // 2 < meetings)


def fitted(data: ChoiceData) -> dict[str, Rules]:
    """The look-up table of all meetings; each rule of the first ones, and with runs that differ.

    What differs between runs, and how far, the fit to choices says itself; where none of very many parameters
    stands out, what differs in the rule of recency, which it holds.
    """
    some = early(data)
    found: dict[str, Rules] = {LOOK_UP: fit(RULES["table"], data).mechanism}
    usual = fit(RULES["recency"], some, to="choices").differing()
    for name, rule in RULES.items():
        one = fit(rule, some, to="choices")
        found[name] = one.mechanism
        names = list(one.differing()) or [own for own in one.names if own in usual]
        if names:
            found[f"{name}{DIFFERING}"] = run_by_run(one, between_runs(one, some, names), DRAWN)
    return found


def main() -> None:
    folder, runs = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 200
    wanted = sys.argv[3:] or ["llama31-5", "llama3-5", "llama3-3"]
    for name in wanted:
        model, _, memory = name.partition("-")
        told(Recorded.read(folder, model), model, int(memory), runs)


def told(known: Recorded, model: str, memory: int, runs: int) -> None:
    """One model's runs of one length of memory."""
    start, data = time.perf_counter(), known.choices(24, memory)
    print(f"\n== {model}, memory of {memory}: {len(data)} choices in {len(data.runs)} runs")
    for title, some in (("all meetings", data), (f"the first {EARLY}", early(data))):
        print(f"\nheld-out score of a choice, {title}")
        print(compare(RULES, some, to="choices").table().round(4).to_string())
    for name, rule in RULES.items():
        one = fit(rule, early(data), to="choices")
        print(
            f"\n{name}: {one}" if len(one.names) < 20 else f"\n{name}: {len(one.names)} parameters"
        )
        apart = between_runs(one, early(data))
        print(
            "between runs: " + (", ".join(f"{key} {sd:.2f}" for key, sd in apart.items()) or "none")
        )
    rules = fitted(data)
    took = known.of("baseline", 24, memory).n_interactions.to_numpy()
    print(f"\nmeetings to agreement, recorded: {_told(took)}")
    for name, grown in regrown(rules, memory=memory, longest=1200, runs=runs).items():
        won, score = (grown.share > 0.5).mean(), crps(grown.meetings, took).mean()
        print(f"{name:36} {_told(grown.meetings)}, M won {won:.3f}, CRPS {score:.1f}", flush=True)
    agents = 24 if memory == 5 else 48
    recorded = known.of("committed", agents, memory)
    if len(recorded) > 4:
        # Runs of 48 agents with a minority did not stop when they agreed: of them flips alone can be told.
        stop = STOP if agents == 24 else None
        minorities(held_out(rules, recorded, agents=agents, memory=memory, runs=runs, stop=stop))
    print(f"{time.perf_counter() - start:.0f} s")


def minorities(found: pd.DataFrame) -> None:
    """Each rule beside the recorded runs with a committed minority, which none was fitted to."""
    cells = found.groupby(["to", "committed", "rule"], sort=True)
    shown = cells.agg(
        runs=("flip", "size"), flip=("flip", "mean"), flipped=("flipped", "first"),
        meetings=("meetings", "mean"), lasted=("lasted", "first"),
    )  # fmt: skip
    print(shown.round({"flipped": 3, "meetings": 0, "lasted": 0}).to_string())
    for rule in found.rule.unique():
        mine = found[found.rule == rule]
        told = (
            f"{rule:36} log score {mine.log.sum():6.1f}, CRPS of meetings {mine.crps.mean():5.1f}"
        )
        if rule != LOOK_UP:
            log, late = (ahead(found, rule, LOOK_UP, score) for score in ("log", "crps"))
            told += f"; above the look-up table {log.value:.1f} [{log.low:.1f}, {log.high:.1f}]"
            told += (
                f", {late.value / late.n:.1f} [{late.low / late.n:.1f}, {late.high / late.n:.1f}]"
            )
        print(told)


def _told(meetings: np.ndarray) -> str:
    low, middle, high = np.quantile(meetings, [0.1, 0.5, 0.9])
    error = meetings.std(ddof=1) / np.sqrt(len(meetings))
    return (
        f"mean {meetings.mean():4.0f} ({error:.0f}), 10/50/90 % {low:.0f} {middle:.0f} {high:.0f}"
    )


if __name__ == "__main__":
    main()
