"""What agents of recorded meetings must have remembered, so that mechanisms can be fitted to what they chose.

A record of who met whom and said what does not say what each was shown. Where agents are known to be told
their latest meetings and nothing else, it follows from the record.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloudchamber.trace import Trace
from cloudchamber.trace.tables import SIGNAL, Channel
from cloudchamber.validation.field_meetings import FieldMeetings

__all__ = ["shown_in_meetings"]

Ints = NDArray[np.int64]
Paid = Mapping[str, Callable[[Ints, Ints], NDArray[np.float64]]]


def shown_in_meetings(found: FieldMeetings, memory: int, results: Paid | None = None) -> Trace:
    """The decisions of recorded meetings with the exposures that an engine would have left of them.

    In which order the options stood is not known: items stand in the order of the names, so that terms of
    place say nothing here. Nothing is remembered from before the first meeting.

    Args:
        found: the recorded histories.
        memory: how many of its latest meetings an agent is told: its own act, then the other's.
        results: what meetings led to, by name: of (own items, the other's items), an array each.
    """
    given = found.trace.columns("decisions")
    order = np.lexsort((given["decision"], given["run"]))
    told = {name: np.asarray(column)[order] for name, column in given.items()}
    trace = Trace()
    trace.append("runs", {"run": np.unique(told["run"])})
    trace.append("decisions", told)
    trace.append("exposures", _options(told, len(found.names)))
    # The two of a meeting stand side by side.
    met = told["choice"].reshape(-1, 2)[:, ::-1].reshape(-1)
    partner = told["agent"].reshape(-1, 2)[:, ::-1].reshape(-1)
    other = told["decision"].reshape(-1, 2)[:, ::-1].reshape(-1)
    for now, past, place in _pairs(told, memory):
        at = {"run": told["run"][now], "decision": told["decision"][now]}
        at["latency"] = told["step"][now] - told["step"][past]
        own = {"channel": int(Channel.own), "position": 2 * place - 1, "source": told["agent"][now]}
        own |= {"item": told["choice"][past], "origin": told["decision"][past]}
        for name, result in (results or {}).items():
            own[SIGNAL + name] = result(told["choice"][past], met[past])
        trace.append("exposures", at | own)
        heard = {"channel": int(Channel.met), "position": 2 * place, "source": partner[past]}
        trace.append("exposures", at | heard | {"item": met[past], "origin": other[past]})
    return trace


def _options(told: Mapping[str, NDArray[Any]], items: int) -> dict[str, Any]:
    n = len(told["run"])
    item = np.tile(np.arange(items), n)
    return {
        "run": np.repeat(told["run"], items),
        "decision": np.repeat(told["decision"], items),
        "position": item + 1,
        "item": item,
        "chosen": (item == np.repeat(told["choice"], items)).astype(np.int8),
    }


def _pairs(told: Mapping[str, NDArray[Any]], memory: int) -> list[tuple[Ints, Ints, Ints]]:
    """Decisions, an earlier one of the same agent that each remembers, and its place, the oldest first."""
    order = np.lexsort((told["decision"], told["agent"], told["run"]))
    owner = np.stack([told["run"][order], told["agent"][order]])
    fresh = np.ones(len(order), bool)
    fresh[1:] = (owner[:, 1:] != owner[:, :-1]).any(axis=0)
    start = np.maximum.accumulate(np.where(fresh, np.arange(len(order)), 0))
    before = np.arange(len(order)) - start
    found = []
    for ago in range(1, memory + 1):
        at = np.flatnonzero(before >= ago)
        place = np.minimum(before[at], memory) - ago + 1
        found.append((order[at], order[at - ago], place))
    return found
