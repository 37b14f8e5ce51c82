"""What do language models do in the naming game? Rules fitted to recorded runs, and regrown without a model.

Every recorded choice of Llama-3-70B and Llama-3.1-70B in the game of Ashery, Aiello & Baronchelli 2025 is
there to be fitted. The rules are fitted to baseline runs alone, put in the agents' place, and compared with
those runs and with the separate ones in which a few agents are committed to a name:
`OMP_NUM_THREADS=1 python -m benchmarks.recorded_conventions FOLDER`, where FOLDER holds `runs.csv` and
`interactions.csv.gz`. Nothing is asked of any model.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from cloudchamber.agents import Society
from cloudchamber.agents.society import decide
from cloudchamber.engine import Runs, grow
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
from cloudchamber.mechanism.shown import shown_to
from cloudchamber.microspec import Decider, Group, Meetings, Microspec, Population, Window
from cloudchamber.questions import Answers, Questions, draw
from cloudchamber.validation.field_meetings import read_meetings
from cloudchamber.validation.field_memory import shown_in_meetings
from cloudchamber.worlds import NamingGame

NAMES = ("Q", "M")
PAID = {"payoff": lambda own, met: np.where(own == met, 100.0, -50.0)}
EARLY = 100
"""Meetings of each run that are fitted: all runs are as long, and weigh alike."""
FEW = 4
"""Conditions of fewer recorded runs are left out."""
STOP = 72
"""Meetings in a row that succeed, upon which a recorded run stopped."""


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
MAY_DIFFER = ("after 0 of 1", "after 0 0 0 of 1", "met", "own payoff")
"""Parameters that may be each run's own."""


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


class _Choices:
    """A sink that keeps what was chosen, and by which group."""

    def __init__(self) -> None:
        self.kept: list[tuple[np.ndarray, ...]] = []

    def append(self, table: str, columns: Mapping[str, Any]) -> None:
        if table == "decisions":
            names = ("run", "decision", "group", "choice")
            self.kept.append(tuple(np.array(columns[name]) for name in names))

    def text(self, kind: str, content: str) -> int:
        return 1


class Each(Decider):
    """A rule for each run, by its replicate; they differ in parameters alone."""

    kind: Literal["each run its own"] = "each run its own"
    rules: tuple[Logit, ...]

    def answer(self, questions: Questions) -> Answers:
        own, shown = questions.address.replicate % len(self.rules), shown_to(questions)
        weights = np.zeros(questions.items.shape)
        for number in np.unique(own):
            rows = np.flatnonzero(own == number)
            log_weights = self.rules[number].log_weights(shown.where(rows))
            weights[rows] = np.exp(log_weights - log_weights.max(axis=1, keepdims=True))
        return draw(questions, weights)


@dataclass(frozen=True, eq=False)
class Regrown:
    """Runs that a rule grew."""

    meetings: np.ndarray
    """(runs,): until as many in a row succeeded, or to the end."""
    share: np.ndarray
    """(runs,): of the last answers of those not committed, one for each agent, that are `name`."""


def regrown(
    rule: Mechanism | Sequence[Mechanism],
    *,
    agents: int = 24,
    memory: int = 5,
    longest: int = 800,
    committed: int = 0,
    to: int | None = None,
    runs: int = 100,
    seed: int = 1,
) -> Regrown:
    """The rule in the agents' place; with `committed`, all others begin with the other convention.

    Of several rules each run has one, in turn.
    """
    rule = rule if isinstance(rule, Mechanism) else Each(rules=tuple(rule))
    always = Logit(terms=(ItemEffects(effects=(0.0, -60.0 if to == 0 else 60.0)),))
    groups = [Group(name="free", count=agents - committed, decides=rule)]
    if committed:
        groups.append(Group(name="committed", count=committed, decides=always))
    spec = Microspec(
        world=NamingGame(convention=None if to is None else 1 - to, remembered=memory),
        population=Population(groups=tuple(groups)),
        turns=Meetings(steps=-(-longest // (agents // 2))),
        memory=Window(k=memory),
    )
    sink, which = _Choices(), np.arange(runs)
    decide(grow(spec, Runs(seed, which, which), sink), Society(spec))
    run, decision, group, choice = (np.concatenate(part) for part in zip(*sink.kept, strict=True))
    order = np.lexsort((decision, run))
    shape = (runs, -1, 2)
    said = choice[order].reshape(shape)[:, :longest]
    free = group[order].reshape(shape)[:, :longest] == 0
    return _ended(said, free, agents, 1 if to is None else to)


def _ended(said: np.ndarray, free: np.ndarray, agents: int, name: int) -> Regrown:
    success = np.cumsum(said[:, :, 0] == said[:, :, 1], axis=1)
    in_a_row = success.copy()
    in_a_row[:, STOP:] -= success[:, :-STOP]
    there = in_a_row == STOP
    end = np.where(there.any(axis=1), there.argmax(axis=1) + 1, said.shape[1])
    share = np.empty(len(said))
    for run, stop in enumerate(end):
        last = slice(stop - agents, stop)
        share[run] = (said[run, last] == name)[free[run, last]].mean()
    return Regrown(end, share)


def log_score(flipped: np.ndarray, recorded: np.ndarray) -> float:
    """Of recorded flips, given how many of the regrown runs flipped; a half is added for what none did."""
    p = (flipped.sum() + 0.5) / (len(flipped) + 1)
    return float((recorded * np.log(p) + (1 - recorded) * np.log(1 - p)).sum())


def crps(drawn: np.ndarray, recorded: np.ndarray) -> float:
    """Continuous ranked probability score, the mean over recorded numbers; in their units, less is better."""
    near = np.abs(drawn[:, None] - recorded).mean()
    return float(near - np.abs(drawn[:, None] - drawn).mean() / 2)


def minorities(
    rules: Mapping[str, Mechanism | Sequence[Mechanism]],
    known: Recorded,
    agents: int,
    memory: int,
    runs: int,
) -> None:
    """Each rule beside the recorded runs with a committed minority."""
    table, total, counted = [], dict.fromkeys(rules, 0.0), 0
    late = dict.fromkeys(rules, 0.0)
    recorded = known.of("committed", agents, memory)
    for (challenger, count), some in recorded.groupby(["challenger", "n_committed"]):
        if len(some) < FEW:
            continue
        longest, to = int(some.n_interactions.max()), NAMES.index(challenger)
        longest, counted = max(longest, 800), counted + len(some)
        flips = (some.final_word == challenger).to_numpy().astype(float)
        row: list[object] = [f"{count} to {challenger}", len(some), flips.mean().round(2)]
        row.append(round(some.n_interactions.mean()))
        for name, rule in rules.items():
            grown = regrown(
                rule, agents=agents, memory=memory, longest=longest,
                committed=int(count), to=to, runs=runs,
            )  # fmt: skip
            flipped = grown.share > 0.5
            total[name] += log_score(flipped, flips)
            times = np.minimum(some.n_interactions.to_numpy(), longest)
            late[name] += len(some) * crps(grown.meetings, times)
            row += [flipped.mean().round(2), round(grown.meetings.mean())]
        table.append(row)
    names = [f"{name} {what}" for name in rules for what in ("flipped", "meetings")]
    columns = ["committed", "runs", "flipped", "meetings", *names]
    print(pd.DataFrame(table, columns=columns).to_string(index=False))
    for name in rules:
        print(
            f"{name:20} log score of flips {total[name]:7.1f}, "
            f"CRPS of meetings {late[name] / counted:6.1f}"
        )


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
    print(compare(RULES, data, to="choices").table().iloc[:, :6].round(4).to_string())
    rules: dict[str, Mechanism | Sequence[Mechanism]] = {}
    for name, rule in RULES.items():
        rules[f"{name}, all meetings"] = fit(rule, data).mechanism
    some = early(data)
    for name, rule in RULES.items():
        found = fit(rule, some, to="choices")
        rules[name] = found.mechanism
        apart = between_runs(found, some, [one for one in MAY_DIFFER if one in found.names])
        if found.differing():
            rules[f"{name}, runs differing"] = run_by_run(found, apart, min(runs, 50))
        if name == "recency":
            print(found)
        print(f"{name}: between runs {', '.join(f'{key} {sd:.2f}' for key, sd in apart.items())}")
    took = known.of("baseline", 24, memory).n_interactions
    print(f"meetings recorded: {_told(took.to_numpy())}")
    for name, rule in rules.items():
        grown = regrown(rule, memory=memory, longest=1200, runs=runs)
        won = (grown.share > 0.5).mean()
        print(f"{name:36} {_told(grown.meetings)}, M won {won:.2f}", flush=True)
    agents = 24 if memory == 5 else 48
    if len(known.of("committed", agents, memory)) > FEW:
        kept = ("table, all meetings", "recency", "table and recency")
        kept += tuple(name for name in rules if name.endswith("differing") and "recency" in name)
        minorities({name: rules[name] for name in kept}, known, agents, memory, runs)
    print(f"{time.perf_counter() - start:.0f} s")


def _told(meetings: np.ndarray) -> str:
    low, middle, high = np.quantile(meetings, [0.1, 0.5, 0.9])
    error = meetings.std(ddof=1) / np.sqrt(len(meetings))
    return (
        f"mean {meetings.mean():4.0f} ({error:.0f}), 10/50/90 % {low:.0f} {middle:.0f} {high:.0f}"
    )


if __name__ == "__main__":
    main()
