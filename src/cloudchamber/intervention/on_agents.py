"""Interventions on the agents: what they are told, what decides for them, who they are mixed with."""

from cloudchamber.errors import SpecificationError, nearest
from cloudchamber.intervention.intervention import Intervention
from cloudchamber.microspec import Decider, Group, Microspec

__all__ = ["instruct", "let_decide", "mix_in", "uncommit"]


def instruct(text: str, name: str = "") -> Intervention:
    """Tell every language model something more; rules cannot be told, and stay as they are."""

    def change(spec: Microspec) -> Microspec:
        for index, group in enumerate(spec.population.groups):
            if group.decides.reads_text:
                spec = spec.replace(f"population.groups.{index}.decides.instruction", text)
        return spec

    return Intervention(name or "instruct", "agents", change, f'agents are told: "{text}"')


def let_decide(decider: Decider, name: str = "") -> Intervention:
    """Put another decider in every agent's place."""

    def change(spec: Microspec) -> Microspec:
        for index in range(len(spec.population.groups)):
            spec = spec.replace(f"population.groups.{index}.decides", decider)
        return spec

    return Intervention(name or f"let {decider.kind} decide", "agents", change)


def mix_in(decider: Decider, count: int, group: str = "mixed in") -> Intervention:
    """Replace the last `count` agents of the largest group by agents with another decider."""

    def change(spec: Microspec) -> Microspec:
        groups = list(spec.population.groups)
        largest = max(range(len(groups)), key=lambda index: groups[index].count)
        groups[largest] = groups[largest].altered(count=groups[largest].count - count)
        groups.append(Group(name=group, count=count, decides=decider))
        return spec.replace("population", spec.population.altered(groups=tuple(groups)))

    return Intervention(f"mix in {count} {group}", "agents", change)


def uncommit(group: str) -> Intervention:
    """Let a group decide as the first one does, and leave everything else: the null of a committed minority.

    Raises:
        SpecificationError: where it is applied, there is no such group.
    """

    def change(spec: Microspec) -> Microspec:
        groups = spec.population.groups
        names = [one.name for one in groups]
        if group not in names:
            raise SpecificationError(f"uncommit: no group {group!r}; {nearest(group, names)}")
        at = names.index(group)
        return spec.replace(f"population.groups.{at}.decides", groups[0].decides)

    told = f"the {group} decide as the others do"
    return Intervention(f"{group} not committed", "agents", change, told)
