"""The battery: perturbations of every part of a microspecification, one at a time.

What each changes is a regime in which agents interact, the mix of the population, or the words and labels in
which they are asked; never more than one of them. Which of them matter to a collective pattern is then a
question to the runs. A perturbation that makes no sense for a specification is left out, and it is said why.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from cloudchamber.agents import Random
from cloudchamber.errors import SpecificationError
from cloudchamber.intervention.intervention import Intervention
from cloudchamber.intervention.on_agents import mix_in
from cloudchamber.intervention.on_architecture import bucket, deal, delay, hide, limit
from cloudchamber.microspec import (
    Asynchronous,
    Binary,
    Communication,
    Complete,
    Memory,
    Microspec,
    NoMemory,
    Order,
    Popularity,
    Ring,
    Sequential,
    Shuffled,
    Simultaneous,
    Summary,
    Turns,
    WattsStrogatz,
    Window,
)

__all__ = ["DIMENSIONS", "Battery", "Perturbation", "battery"]

DIMENSIONS: Mapping[str, str] = {
    "visibility": "what of others' acts is shown, and how much of the list",
    "latency": "how late it is shown",
    "order": "in which order things stand",
    "synchrony": "who decides when",
    "memory": "what of its own past an agent is given",
    "communication": "who can reach whom, and in what form",
    "mix": "who decides",
    "labels": "what options are called",
    "paraphrase": "in which words agents are asked",
}
"""What is perturbed."""


@dataclass(frozen=True, slots=True)
class Perturbation:
    """One change of one dimension."""

    dimension: str
    change: Intervention

    @property
    def name(self) -> str:
        """What is changed, in a few words."""
        return self.change.name


@dataclass(frozen=True, slots=True)
class Battery:
    """The perturbations of one specification, and why a dimension has none."""

    perturbations: tuple[Perturbation, ...]
    left_out: Mapping[str, str]
    """Dimension -> why nothing of it can be perturbed here."""


def battery(spec: Microspec) -> Battery:
    """Every perturbation that makes sense for a specification and changes it."""
    kept: list[Perturbation] = []
    left_out: dict[str, str] = {}
    for dimension, propose in _PROPOSALS.items():
        why = "nothing that could be changed"
        found: list[Perturbation] = []
        for change in propose(spec):
            try:
                if change(spec) != spec:
                    found.append(Perturbation(dimension, change))
            except SpecificationError as error:
                why = str(error)
        if not found:
            left_out[dimension] = _WITHOUT.get(dimension, why)
        kept += found
    return Battery(tuple(kept), left_out)


_WITHOUT = {
    "latency": "the runs are too short for anything to be shown later and still be seen",
    "labels": "nobody here reads: options need no labels",
    "paraphrase": "nobody here reads, or the world knows no other words",
}


def _set(name: str, changes: Mapping[str, object]) -> Intervention:
    """An intervention that sets some paths, together."""
    return Intervention(name, "architecture", lambda spec: spec.replace_all(changes))


def _visibility(spec: Microspec) -> Iterator[Intervention]:
    for field in spec.world.fields:
        shown = spec.visibility.display(field)
        path = f"visibility.fields.{field}"
        if shown.kind != "exact":
            yield _set(f"show {field}", {path: "exact"})
        if shown.kind != "hidden":
            yield hide(field)
            yield bucket(field)
            yield deal(field)
            yield _set(f"show only that there are {field}", {path: Binary()})
    half = (spec.world.items if spec.visibility.top is None else spec.visibility.top) // 2
    if half >= max(2, spec.affordances.most):
        yield limit(half)


def _latency(spec: Microspec) -> Iterator[Intervention]:
    now, steps = max(spec.visibility.latency, spec.as_at_once), spec.turns.steps
    if now > spec.as_at_once:
        yield delay(0)
    for later in sorted({now + 1, max(steps // 2, now + 1)}):
        # As late as the run is long, nothing would be seen: that is hiding.
        if later < steps:
            yield delay(later)


_ORDERS: dict[str, Order] = {
    "shuffled for each reader": Shuffled(),
    "one order for all": Shuffled(each="run"),
    "by popularity": Popularity(),
}
_TURNS: dict[str, Turns] = {
    "all at once": Simultaneous(),
    "one after the other": Sequential(),
    "at times of their own": Asynchronous(),
}
_MEMORIES: dict[str, Memory] = {
    "no memory": NoMemory(),
    "memory of the last 5": Window(k=5),
    "memory as tallies": Summary(),
}
_NETWORKS: dict[str, Communication] = {
    "everyone reaches everyone": Complete(),
    "neighbours on a ring": Ring(k=2),
    "neighbours in a small world": WattsStrogatz(k=4, p=0.1),
}


def _order(spec: Microspec) -> Iterator[Intervention]:
    for name, order in _ORDERS.items():
        yield _set(name, {"visibility.order": order})


def _synchrony(spec: Microspec) -> Iterator[Intervention]:
    for name, turns in _TURNS.items():
        if turns.kind != spec.turns.kind:
            yield _set(name, {"turns": turns.altered(steps=spec.turns.steps)})


def _memory(spec: Microspec) -> Iterator[Intervention]:
    for name, memory in _MEMORIES.items():
        yield _set(name, {"memory": memory})
    if spec.memory.writes and spec.memory.depth:
        without = Window(k=spec.memory.depth)
        if without not in _MEMORIES.values():
            yield _set("no notes", {"memory": without})


def _communication(spec: Microspec) -> Iterator[Intervention]:
    now = spec.communication
    for name, network in _NETWORKS.items():
        if network.kind == now.kind:
            continue
        same = network.altered(
            representation=now.representation, last=now.last, messages=now.messages
        )
        whose = "all" if network.everyone else "neighbours"
        yield _set(name, {"communication": same, "visibility.whose": whose})
    other = "counts" if now.representation == "acts" else "acts"
    told = "others' latest acts are told" if other == "acts" else "only counts are told"
    yield _set(told, {"communication.representation": other})
    if now.messages:
        yield _set("no messages", {"communication.messages": 0})


def _mix(spec: Microspec) -> Iterator[Intervention]:
    largest = max(group.count for group in spec.population.groups)
    for share, name in ((4, "a quarter"), (2, "half")):
        if largest // share:
            change = mix_in(Random(), largest // share, "at random")
            yield Intervention(f"{name} choose at random", "agents", change)


def _labels(spec: Microspec) -> Iterator[Intervention]:
    if not any(group.decides.reads_text for group in spec.population.groups):
        return
    kinds = ("codes", "letters", "numbers")
    # Where what an option is called is what is chosen, another name for it is another choice.
    for kind in () if spec.affordances.labels == "words" else kinds:
        yield _set(f"options called by {kind}", {"affordances.labels": kind})


def _paraphrase(spec: Microspec) -> Iterator[Intervention]:
    if not any(group.decides.reads_text for group in spec.population.groups):
        return
    for name, world in spec.world.paraphrases().items():
        yield _set(f"in other words: {name}", {"world": world})


_PROPOSALS: Mapping[str, Callable[[Microspec], Iterator[Intervention]]] = {
    "visibility": _visibility,
    "latency": _latency,
    "order": _order,
    "synchrony": _synchrony,
    "memory": _memory,
    "communication": _communication,
    "mix": _mix,
    "labels": _labels,
    "paraphrase": _paraphrase,
}
