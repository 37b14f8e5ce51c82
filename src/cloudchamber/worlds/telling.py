"""What the worlds' prompts have in common: when something was, who may be named next."""

from collections.abc import Sequence

from cloudchamber.microspec.world import Glimpse, Prompt

__all__ = ["ago", "amount", "who_is_next"]


def ago(latency: int) -> str:
    """How many rounds ago something was, in words."""
    if latency == 0:
        return "just now"
    return f"{latency} {'round' if latency == 1 else 'rounds'} ago"


def amount(number: float, noun: str) -> str:
    """So much of something: "1 point", "0.5 points"."""
    return f"{number:g} {noun if number == 1 else noun + 's'}"


def who_is_next(
    system: str, past: Sequence[str], glimpse: Glimpse, who: str, question: str
) -> Prompt:
    """The prompt where agents say who decides next.

    Args:
        system: the role.
        past: lines of what is heard and remembered.
        glimpse: its options are agents, each with a code.
        who: what an agent is called, e.g. "reader".
        question: what is asked.
    """
    lines = [f"{one.label}: {who} {one.item}" for one in glimpse.options]
    body = "\n".join([*past, *lines, "", f"{question} Answer with the code."])
    return Prompt(system, body, tuple(one.label for one in glimpse.options))
