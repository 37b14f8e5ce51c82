"""Which text each decision to write was asked for, and what reaches whom: the oracle's notes and messages."""

from collections import Counter

from cloudchamber.microspec import Microspec
from cloudchamber.questions import Writing
from cloudchamber.testing.rebuilding import Decision
from cloudchamber.trace.tables import Channel, Kind

__all__ = ["After", "heard_messages", "own_notes", "writings"]

After = dict[int, Writing]
"""The text that each decision to write was asked for, by its number."""

_Told = tuple[int, int, int, int, int, int, tuple[tuple[str, float | str], ...]]


def writings(spec: Microspec, decisions: list[Decision]) -> After:
    """What each decision to write was asked for: an agent's nth text in a batch is the nth asked for."""
    order = *spec.communication.writes, *spec.memory.writes
    wrote: Counter[tuple[int, int, int]] = Counter()
    found: After = {}
    for one in decisions:
        if one.kind is Kind.write:
            who = one.step, one.batch, one.agent
            found[one.number] = order[wrote[who]]
            wrote[who] += 1
    return found


def heard_messages(
    spec: Microspec, one: Decision, whom: set[int], decisions: list[Decision], asked: After
) -> list[_Told]:
    """The latest message of each of those whom a reader hears, old enough or of the same meeting."""
    latency = 0 if spec.world.meets else spec.visibility.latency
    latest: dict[int, Decision] = {}
    for said in decisions:
        writing = asked.get(said.number)
        if writing is None or writing.channel is not Channel.message or said.agent not in whom:
            continue
        now = (said.step, said.batch) == (one.step, one.batch)
        together = now and one.number in asked and asked[one.number].channel is Channel.message
        known = now or (said.number < one.number and not spec.world.meets)
        if said.text and known and not together and one.step - said.step >= latency:
            latest[said.agent] = said
    told = sorted(latest.values(), key=lambda said: said.number)
    return [_told(Channel.message, one, said, "message") for said in told]


def own_notes(
    spec: Microspec, one: Decision, decisions: list[Decision], asked: After
) -> list[_Told]:
    """The latest of each of the reader's notes."""
    found = []
    for writing in spec.memory.writes:
        own = [
            said
            for said in decisions
            if said.agent == one.agent
            and said.number < one.number
            and said.text
            and asked.get(said.number) == writing
        ]
        found += [_told(Channel.note, one, said, writing.kind) for said in own[-1:]]
    return found


def _told(channel: Channel, one: Decision, said: Decision, kind: str) -> _Told:
    late = one.step - said.step
    return (int(channel), 0, -1, said.agent, said.number, late, ((kind, said.text),))
