"""What became of a world, worked out from the table of decisions alone: acts, meetings, states."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from cloudchamber import randomness
from cloudchamber.microspec import Microspec
from cloudchamber.microspec.neighbours import Neighbours, from_edges
from cloudchamber.microspec.turns import Moment
from cloudchamber.microspec.visibility import shuffle
from cloudchamber.microspec.world import Acts, State
from cloudchamber.questions import Reals
from cloudchamber.trace import Trace
from cloudchamber.trace.tables import Kind

__all__ = [
    "DIGITS",
    "Act",
    "Decision",
    "Led",
    "acts_of",
    "decisions_of",
    "let",
    "meetings",
    "met",
    "network_of",
    "rebuilt",
    "settled",
    "started",
]

DIGITS = 9

Led = tuple[tuple[str, float], ...]
"""What an act led to: names and values, by name."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision of a run, from its rows in the table."""

    number: int
    step: int
    batch: int
    agent: int
    kind: Kind
    picks: tuple[int, ...]
    acted: bool
    """Whether its picks had an effect on the world."""
    amounts: tuple[float, ...] = ()
    """Of each pick, where amounts were asked for."""
    text: str = ""
    """What was written."""


@dataclass(frozen=True, slots=True)
class Act:
    """One pick that had an effect."""

    decision: int
    step: int
    batch: int
    agent: int
    item: int
    amount: float | None = None
    partner: int = -1
    met: int = -1
    """What the other picked in the same meeting; -1 for nothing."""
    others: int = -1
    """The other's decision."""


def decisions_of(trace: Trace, run: int) -> list[Decision]:
    """A run's decisions, in order."""
    table = trace.columns("decisions")
    here = np.flatnonzero(table["run"] == run)
    here = here[np.lexsort((table["pick"][here], table["decision"][here]))]
    texts = trace.columns("texts")
    words = dict(zip(texts["text"].tolist(), texts["content"].tolist(), strict=True))
    found: dict[int, Decision] = {}
    for row in here:
        number, choice = int(table["decision"][row]), int(table["choice"][row])
        before = found[number].picks if number in found else ()
        given = found[number].amounts if number in found else ()
        kind = Kind(int(table["kind"][row]))
        if kind is Kind.amount and choice >= 0:
            given = (*given, float(table["value"][row]))
        found[number] = Decision(
            number,
            int(table["step"][row]),
            int(table["batch"][row]),
            int(table["agent"][row]),
            kind,
            (*before, choice) if choice >= 0 else before,
            kind in (Kind.choose, Kind.amount)
            or (kind is Kind.judge and bool(table["value"][row] == 1)),
            given,
            words[text] if (text := int(table["text"][row])) else "",
        )
    return [found[number] for number in sorted(found)]


def acts_of(decisions: list[Decision]) -> list[Act]:
    """What had an effect, in order; a decision's picks in the order they were made."""
    return [
        Act(
            one.number,
            one.step,
            one.batch,
            one.agent,
            item,
            one.amounts[at] if one.amounts else None,
        )
        for one in decisions
        if one.acted
        for at, item in enumerate(one.picks)
    ]


def met(spec: Microspec, acts: list[Act], seed: int, replicate: int) -> list[Act]:
    """The acts, where agents meet with whom each met, and what the other did."""
    if not spec.world.meets:
        return acts
    whom = meetings(spec, seed, replicate)
    done = {(act.step, act.batch, act.agent): act for act in acts}
    found = []
    for act in acts:
        partner = whom[act.step, act.batch, act.agent]
        other = done.get((act.step, act.batch, partner))
        told = (other.item, other.decision) if other is not None else (-1, -1)
        found.append(replace(act, partner=partner, met=told[0], others=told[1]))
    return found


def meetings(spec: Microspec, seed: int, replicate: int) -> dict[tuple[int, int, int], int]:
    """Whom each agent met, by step, batch and agent: turns are a regime's own values."""
    found = {}
    groups = spec.population.people().group
    for step in range(spec.turns.steps):
        hears = network_of(spec, seed, replicate, step)
        moment = Moment(seed, np.array([replicate]), step, spec.population.count, groups, hears)
        for number, batch in enumerate(spec.turns.batches(moment)):
            assert batch.partner is not None
            for agent, partner in zip(batch.agent.tolist(), batch.partner.tolist(), strict=True):
                found[step, number, agent] = partner
    return found


def network_of(spec: Microspec, seed: int, replicate: int, step: int) -> Neighbours | None:
    """Who hears whom, by agents; None for everyone."""
    talk, agents = spec.communication, spec.population.count
    if talk.everyone:
        return None
    stream = f"topology/{step}" if talk.each_step else "topology"
    network = talk.network(agents, randomness.generator(seed, replicate, stream))
    if spec.population.placement == "in order" or talk.each_step:
        return network
    sits = shuffle(np.atleast_1d(randomness.keys(seed, replicate, "placement")), agents)[0]
    node = np.argsort(sits)  # where each agent sits
    edges = [
        (agent, int(sits[other]))
        for agent in range(agents)
        for other in network.of([node[agent]])[1]
    ]
    hears, heard = np.array(edges, np.int64).reshape(-1, 2).T
    return from_edges(agents, hears, heard)


def rebuilt(
    spec: Microspec, decisions: list[Decision], seed: int, replicate: int
) -> Iterator[tuple[int, State]]:
    """The world's state at the start and after each step, from the decisions and the world alone."""
    state = started(spec, seed, replicate)
    acts = met(spec, acts_of(decisions), seed, replicate)
    yield 0, state
    for step in range(spec.turns.steps):
        for batch in sorted({one.batch for one in decisions if one.step == step}):
            now = [act for act in acts if (act.step, act.batch) == (step, batch)]
            let(spec, state, now, step)
        settled(spec, state, [act for act in acts if act.step == step], step)
        yield step + 1, state


def started(spec: Microspec, seed: int, replicate: int) -> State:
    """The state of one run before anything happened."""
    return spec.world.start(spec.opening(seed, np.array([replicate])))


def let(spec: Microspec, state: State, acts: list[Act], step: int) -> list[Led]:
    """Let acts have their effect; what each led to."""
    return _led(spec.world.apply(state, _columns(spec, acts, step)) or {}, len(acts))


def settled(spec: Microspec, state: State, acts: list[Act], step: int) -> list[Led]:
    """What the acts of a step that is over led to after all; nothing where the world settles nothing."""
    if not (spec.world.settles and acts):
        return []
    return _led(spec.world.settle(state, _columns(spec, acts, step)), len(acts))


def _columns(spec: Microspec, acts: list[Act], step: int) -> Acts:
    told = [(0, a.agent, a.item, a.decision, a.partner, a.met, a.others) for a in acts]
    run, agent, item, decision, partner, other, others = np.array(told, np.int64).reshape(-1, 7).T
    amount = None
    if spec.world.scale is not None:
        amount = np.array([act.amount for act in acts], np.float64)
    whole = Acts(run, agent, item, decision, step, amount)
    if spec.world.meets:
        whole = replace(whole, partner=partner, met=other, others=others)
    return whole


def _led(results: Mapping[str, Reals], acts: int) -> list[Led]:
    return [
        tuple(
            (name, round(float(values[at]), DIGITS))
            for name, values in sorted(results.items())
            if not np.isnan(values[at])
        )
        for at in range(acts)
    ]
