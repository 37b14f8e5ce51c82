"""Interventions on the interaction architecture: what is shown, in which order, how late, in which form."""

from cloudchamber.intervention.intervention import Intervention
from cloudchamber.microspec import (
    Bucketed,
    Dealt,
    Engineered,
    Hidden,
    Microspec,
    Order,
    Shuffled,
)

__all__ = [
    "bucket",
    "deal",
    "delay",
    "hide",
    "isolate",
    "limit",
    "one_at_a_time",
    "pin",
    "shuffle_for_each_reader",
]


def isolate() -> Intervention:
    """Let nobody heed anybody, and leave everything else: the null of collective phenomena.

    A field that tells what agents did is hidden, single acts and messages are not passed on, and an order
    that goes by what agents did becomes one drawn at random for each run. So what places, tastes, numbers
    set beforehand and the way of asking concentrate by themselves is in both, a cell and its isolated twin,
    and only influence tells them apart. A cell in which nobody can heed anybody is its own twin.

    Where agents meet, what the other did is hidden too, and so is what an act led to, with the score that it
    adds to, where a world tells of it: both tell what others did. Own acts are remembered as before.
    """

    def change(spec: Microspec) -> Microspec:
        world = spec.world
        met = ("partner",) if world.meets == "both" else ()
        for field in (*world.fields, *world.results, *met):
            if spec.visibility.display(field).reveals:
                spec = spec.replace(f"visibility.fields.{field}", Hidden())
        if spec.communication.representation == "acts":
            spec = spec.replace("communication.representation", "counts")
        if world.results:
            spec = spec.replace("affordances.scoring", "hidden")
        if spec.communication.messages:
            spec = spec.replace("communication.messages", 0)
        return spec.replace("visibility.order", _deaf(spec.visibility.order))

    return Intervention("isolated", "architecture", change, "nobody can heed anybody")


def _deaf(order: Order) -> Order:
    """The order that is left of one when nobody's acts can move it."""
    if isinstance(order, Engineered):
        return order.altered(rest=_deaf(order.rest))
    return Shuffled(each="run") if order.reveals else order


def hide(field: str) -> Intervention:
    """Show a field to nobody."""
    return Intervention(
        f"hide {field}",
        "architecture",
        lambda spec: spec.replace(f"visibility.fields.{field}", Hidden()),
        f"nobody sees {field}, so they cannot be followed",
    )


def deal(field: str) -> Intervention:
    """Show the numbers that are there on items that they do not belong to: a null of shuffled exposures."""
    return Intervention(
        f"deal {field}",
        "architecture",
        lambda spec: spec.replace(f"visibility.fields.{field}", Dealt()),
        f"{field} are seen, but say nothing of the items",
    )


def bucket(field: str, edges: tuple[float, ...] = (1.0, 10.0, 100.0, 1000.0)) -> Intervention:
    """Show a field rounded down to the edges."""
    return Intervention(
        f"bucket {field}",
        "architecture",
        lambda spec: spec.replace(f"visibility.fields.{field}", Bucketed(edges=edges)),
        f"small differences in {field} are not seen",
    )


def shuffle_for_each_reader() -> Intervention:
    """Show every reader an order of its own, drawn at random."""
    return Intervention(
        "shuffle for each reader",
        "architecture",
        lambda spec: spec.replace("visibility.order", Shuffled()),
        "every item has the same chance of every place",
    )


def one_at_a_time() -> Intervention:
    """Ask about each item on its own, yes or no."""
    return Intervention(
        "one at a time",
        "architecture",
        lambda spec: spec.replace("affordances.presentation", "one at a time"),
        "items do not compete for the first places",
    )


def delay(steps: int) -> Intervention:
    """Let acts become visible only after some steps."""
    return Intervention(
        f"delay by {steps}",
        "architecture",
        lambda spec: spec.replace("visibility.latency", steps),
        "early acts have no immediate followers",
    )


def limit(top: int) -> Intervention:
    """Show only the first items."""
    return Intervention(
        f"show {top}",
        "architecture",
        lambda spec: spec.replace("visibility.top", top),
        "there is less to choose among",
    )


def pin(*items: int) -> Intervention:
    """A ranker that puts chosen items first, whatever the order of the rest: an attack."""
    return Intervention(
        f"pin {', '.join(map(str, items))}",
        "architecture",
        lambda spec: spec.replace(
            "visibility.order", Engineered(pinned=items, rest=spec.visibility.order)
        ),
        f"whoever controls the ranking puts item {', '.join(map(str, items))} (counted from 0) first",
    )
