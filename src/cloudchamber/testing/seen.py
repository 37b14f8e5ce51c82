"""What the agents of a trace saw and did, decision by decision, as values that can be compared."""

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np

from cloudchamber.testing.oracle import Row
from cloudchamber.testing.rebuilding import DIGITS
from cloudchamber.trace import Trace
from cloudchamber.trace.tables import SIGNAL, Channel, Kind

__all__ = ["Place", "Seen", "exposures_of", "seen_by", "told"]

Place = tuple[int, int, int, int]
"""run, agent, step, and the how many-th decision of the agent in the step."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One decision: what reached the agent, and what it made of it."""

    decision: int
    exposures: tuple[tuple[object, ...], ...]
    """As the agent saw them: without where they came from."""
    distribution: tuple[tuple[int, float], ...]
    """Option (item, or agent to name) and probability."""
    picks: tuple[int, ...]
    amounts: tuple[float, ...]
    """Of each pick, where amounts were asked for."""
    text: str
    """What it wrote, where it was asked to."""
    prompt: str
    """What it was told, where it was told in words."""


def exposures_of(trace: Trace, run: int) -> dict[int, Counter[Row]]:
    """The recorded exposures of each decision of a run, in the oracle's form."""
    table = trace.columns("exposures")
    signals = sorted(name for name in table if name.startswith(SIGNAL))
    names = ("channel", "position", "item", "source", "origin", "latency")
    words = _words(trace)
    found: dict[int, Counter[Row]] = defaultdict(Counter)
    for row in np.flatnonzero(table["run"] == run):
        channel, position, item, source, origin, latency = (int(table[n][row]) for n in names)
        shown: tuple[tuple[str, float | str], ...] = tuple(
            (name.removeprefix(SIGNAL), round(float(table[name][row]), DIGITS))
            for name in signals
            if not np.isnan(table[name][row])
        )
        if table["text"][row]:
            shown = (*shown, words[int(table["text"][row])])
        found[int(table["decision"][row])][
            channel, position, item, source, origin, latency, shown
        ] += 1
    return dict(found)


def seen_by(trace: Trace) -> dict[Place, Seen]:
    """Every decision of a trace, by where it stands in its run."""
    shown = _shown(trace)
    words = _words(trace)
    table = trace.columns("decisions")
    order = np.lexsort((table["pick"], table["decision"], table["run"]))
    picks: dict[tuple[int, int], list[int]] = defaultdict(list)
    amounts: dict[tuple[int, int], list[float]] = defaultdict(list)
    first: dict[tuple[int, int], int] = {}
    for row in order:
        key = int(table["run"][row]), int(table["decision"][row])
        first.setdefault(key, row)
        if table["choice"][row] >= 0:
            picks[key].append(int(table["choice"][row]))
            if table["kind"][row] == Kind.amount:
                amounts[key].append(float(table["value"][row]))
    nth: Counter[tuple[int, int, int]] = Counter()
    found: dict[Place, Seen] = {}
    for key, row in first.items():
        who = key[0], int(table["agent"][row]), int(table["step"][row])
        exposures, distribution = shown[key]
        found[*who, nth[who]] = Seen(
            key[1],
            tuple(sorted(exposures, key=repr)),
            tuple(sorted(distribution, key=repr)),
            tuple(picks[key]),
            tuple(amounts[key]),
            words.get(int(table["text"][row]), ("", ""))[1],
            words.get(int(table["prompt"][row]), ("", ""))[1],
        )
        nth[who] += 1
    return found


def _words(trace: Trace) -> dict[int, tuple[str, str]]:
    """Kind and content of each text, by its key."""
    columns = (values.tolist() for values in trace.columns("texts").values())
    return {text: (kind, content) for text, kind, content in zip(*columns, strict=True)}


_Shown = tuple[list[tuple[object, ...]], list[tuple[int, float]]]


def _shown(trace: Trace) -> dict[tuple[int, int], _Shown]:
    table = {name: values.tolist() for name, values in trace.columns("exposures").items()}
    signals = sorted(name for name in table if name.startswith(SIGNAL))
    words = _words(trace)
    found: dict[tuple[int, int], _Shown] = defaultdict(lambda: ([], []))
    for row in range(len(table["run"])):
        option = table["channel"][row] == Channel.option
        what = tuple(
            table[name][row] for name in ("channel", "position", "item", "source", "label")
        )
        late = 0 if option else table["latency"][row]
        told = tuple((name, table[name][row]) for name in signals if not np.isnan(table[name][row]))
        if table["text"][row]:
            told = (*told, words[table["text"][row]])
        exposures, distribution = found[table["run"][row], table["decision"][row]]
        exposures.append((*what, late, told))
        if option:
            chance = table["probability"][row]
            about = table["item"][row] if table["item"][row] >= 0 else table["source"][row]
            distribution.append((about, -1.0 if np.isnan(chance) else chance))
    return found


def told(place: Place) -> str:
    """A decision's place, for messages."""
    run, agent, step, nth = place
    more = f" (its decision {nth} there)" if nth else ""
    return f"agent {agent} at step {step}{more} of run {run}"
