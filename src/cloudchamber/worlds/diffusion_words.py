"""Something that spreads, in words: what a language model is told, made of its glimpse and of nothing else.

Nothing is said of what others' doing is worth, unless the agent has a threshold of its own.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal

from cloudchamber.microspec.world import Glimpse, Prompt, Remembered, Shown
from cloudchamber.trace.tables import Kind
from cloudchamber.worlds.telling import ago, role, so_far, which_option, who_is_next

__all__ = ["Wording", "diffusion_prompt"]

Wording = Literal["take up", "adopt"]


@dataclass(frozen=True, slots=True)
class _Words:
    role: str
    task: str
    """Holds {what}."""
    options: tuple[str, str, str]
    done: tuple[str, str, str]
    people: str
    """How many stand by an option; holds {number}."""
    threshold: str
    """Holds {number}."""
    share: str
    question: str
    alone: str


_WORDS: dict[Wording, _Words] = {
    "take up": _Words(
        role="You are one of a group of people.",
        task="There is {what}. Each of you may take it up or go on without it.",
        options=("go on without it", "take it up", "give it up again"),
        done=("went on without it", "took it up", "gave it up"),
        people="so far {number} of those you see",
        threshold="worth it to you once {number} or more have done so",
        share="worth it to you once {number} % or more of those you see have done so",
        question="What do you do?",
        alone="Do you do this?",
    ),
    "adopt": _Words(
        role="You belong to a community.",
        task="Members can adopt {what}, and can do without it.",
        options=("do without it", "adopt it", "drop it"),
        done=("did without it", "adopted it", "dropped it"),
        people="done by {number} of the members you see",
        threshold="good for you if {number} or more members do it",
        share="good for you if {number} % or more of the members you see do it",
        question="Which do you choose?",
        alone="Do you choose this?",
    ),
}
_HAS_IT = "You have it now."


def diffusion_prompt(what: str, glimpse: Glimpse, wording: Wording) -> Prompt:
    """The prompt for a choice of what to do, or about one thing to do."""
    words = _WORDS[wording]
    system = role(words.role, glimpse)
    if glimpse.kind is Kind.next:
        return who_is_next(system, (), glimpse, "person", "Which person should decide next?")
    has = any(one.item == 2 for one in glimpse.options)
    told = [words.task.format(what=what) + (f" {_HAS_IT}" if has else ""), ""]
    told += [_heard(words, one) for one in glimpse.heard]
    line = partial(_line, words=words, has=has)
    return which_option(system, told, line, glimpse, words.question, words.alone)


def _line(one: Shown, words: _Words, has: bool) -> str:
    """What is shown of an option."""
    keeps = has and one.item == 1
    said = ["keep it" if keeps else words.options[one.item]]
    if "people" in one.signals:
        said.append(words.people.format(number=f"{one.signals['people']:g}"))
    if "threshold" in one.signals:
        said.append(words.threshold.format(number=f"{one.signals['threshold']:.4g}"))
    if "threshold_share" in one.signals:
        said.append(words.share.format(number=f"{100 * one.signals['threshold_share']:.4g}"))
    return "; ".join(said)


def _heard(words: _Words, one: Remembered) -> str:
    if one.channel == "score":
        return so_far(one.value)
    if one.channel == "picked":
        return f"You have decided: {words.options[one.item]}."
    done = words.done[one.item]
    if one.total:
        return f"You {done} {one.value:g} times."
    who = "You" if one.channel == "own" else f"Person {one.source}"
    return f"{who} {done} ({ago(one.latency)})."
