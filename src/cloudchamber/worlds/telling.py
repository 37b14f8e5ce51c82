"""What the worlds' prompts have in common: roles, when something was, which option, who may be named next."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from cloudchamber.microspec.worded import ago
from cloudchamber.microspec.world import Glimpse, Prompt, Shown
from cloudchamber.trace.tables import Kind

__all__ = [
    "AIM",
    "PlainOrReworded",
    "ago",
    "amount",
    "one_of",
    "role",
    "so_far",
    "which_option",
    "who_is_next",
]

PlainOrReworded = Literal["plain", "reworded"]
"""The wordings of games."""
AIM: Final[Mapping[PlainOrReworded, str]] = {
    "plain": "You want to get as many points as you can.",
    "reworded": "The points you collect are what matters to you.",
}
"""All that is said of what games are played for."""


def role(told: str, glimpse: Glimpse) -> str:
    """What an agent is told that it is: the world's words, its persona, what it is told to do."""
    return " ".join(filter(None, (told, glimpse.persona, glimpse.instruction)))


def amount(number: float, noun: str) -> str:
    """So much of something: "1 point", "0.5 points"."""
    return f"{number:g} {noun if number == 1 else noun + 's'}"


def so_far(score: float) -> str:
    """What an agent has scored."""
    return f"You have {amount(score, 'point')} so far."


def which_option(
    system: str,
    told: Sequence[str],
    line: Callable[[Shown], str],
    glimpse: Glimpse,
    question: str,
    alone: str,
) -> Prompt:
    """The prompt for a choice between options called by their codes, or about one of them.

    How the answer is begun was chosen among six by one criterion: how much probability the embedded model
    puts on valid answers.

    Args:
        system: the role.
        told: lines before the options: the task, what is heard and remembered.
        line: what is told of an option.
        glimpse: what is shown.
        question: what is asked of a list.
        alone: what is asked of one option.
    """
    listed = [": ".join(filter(None, (one.label, line(one)))) for one in glimpse.options]
    if glimpse.kind is Kind.judge:
        body = "\n".join([*told, *listed, "", f"{alone} Answer Yes or No."])
        return Prompt(system, body, ("Yes", "No"), "My answer: ")
    asked = f"{question} Answer with its code{', or None.' if glimpse.may_decline else '.'}"
    none = ("None",) if glimpse.may_decline else ()
    answers = (*(one.label for one in glimpse.options if one.open), *none)
    body = "\n".join([*told, *listed, "", asked])
    return Prompt(system, body, answers, "My choice: ", asks=asked)


def one_of(names: Sequence[str]) -> str:
    """Names to choose from: "a", "a or b", "a, b or c"."""
    return " or ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


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
