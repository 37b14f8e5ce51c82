"""A question with two answers in words: what a language model is told, made of its glimpse and nothing else.

Nothing is earned, and nothing is said of what it is worth to agree.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal

from cloudchamber.microspec.world import Glimpse, Prompt, Remembered, Shown
from cloudchamber.trace.tables import Kind
from cloudchamber.worlds.telling import ago, role, so_far, which_option, who_is_next

__all__ = ["Wording", "opinion_prompt"]

Wording = Literal["people", "members"]
Answers = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Words:
    role: str
    people: str
    """How many stand by an answer; holds {number}."""
    question: str
    alone: str


_WORDS: dict[Wording, _Words] = {
    "people": _Words(
        role="You are one of a group of people.",
        people="now given by {number} of those you see",
        question="Which answer do you give?",
        alone="Do you give this answer?",
    ),
    "members": _Words(
        role="You belong to a community.",
        people="members you see who hold it: {number}",
        question="What is your answer?",
        alone="Is this your answer?",
    ),
}


def opinion_prompt(question: str, answers: Answers, glimpse: Glimpse, wording: Wording) -> Prompt:
    """The prompt for a choice between the answers, or about one of them."""
    words = _WORDS[wording]
    system = role(words.role, glimpse)
    if glimpse.kind is Kind.next:
        return who_is_next(system, (), glimpse, "person", "Which person should answer next?")
    told = [question, "", *(_heard(answers, one) for one in glimpse.heard)]
    line = partial(_line, answers=answers, words=words)
    return which_option(system, told, line, glimpse, words.question, words.alone)


def _line(one: Shown, answers: Answers, words: _Words) -> str:
    """What is shown of an answer, beside its code, which may be the answer itself."""
    said = [] if one.label == answers[one.item] else [answers[one.item]]
    if "people" in one.signals:
        said.append(words.people.format(number=f"{one.signals['people']:g}"))
    return "; ".join(said)


def _heard(answers: Answers, one: Remembered) -> str:
    if one.channel == "score":
        return so_far(one.value)
    answer = answers[one.item]
    if one.channel == "picked":
        return f"You have answered {answer}."
    if one.total:
        return f"You answered {answer} {one.value:g} times."
    who = "You" if one.channel == "own" else f"Person {one.source}"
    return f"{who} answered {answer} ({ago(one.latency)})."
