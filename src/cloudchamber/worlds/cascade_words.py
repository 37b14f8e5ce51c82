"""Two options in words: what a language model is told, made of its glimpse and of nothing else.

The task and what is earned are stated neutrally; nothing is said of what others' choices are worth.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal

from cloudchamber.microspec.world import Glimpse, Prompt, Remembered, Shown
from cloudchamber.trace.tables import Kind
from cloudchamber.worlds.telling import ago, role, so_far, which_option, who_is_next

__all__ = ["Wording", "cascade_prompt"]

Wording = Literal["signs", "urns"]
"""signs: told as signs that point to an option; urns: told as balls drawn from one of two urns."""


@dataclass(frozen=True, slots=True)
class _Words:
    role: str
    task: str
    known: str
    """How reliable what one is shown alone is; holds {percent}."""
    earned: str
    own: str
    other: str
    number: str
    """What is shown alone, where it is neither 1 nor 0: blurred by visibility."""
    question: str
    judge: str


_WORDS: dict[Wording, _Words] = {
    "signs": _Words(
        role="You are one of several people who each choose between the same two options.",
        task="One of the two options is right. A fair coin decided which, and nobody knows.",
        known="Everyone was given a private sign. It points to the right option with a probability of "
        "{percent} %.",
        earned="Whoever chooses the right option earns one point.",
        own="your sign points to it",
        other="your sign does not point to it",
        number="your sign points to it with {number:g}",
        question="Which option do you choose?",
        judge="Do you choose this option?",
    ),
    "urns": _Words(
        role="You are one of several people who are each asked about the same urn.",
        task="There are two urns, and one of them is used. The toss of a fair coin decided which, and "
        "nobody knows.",
        known="Everyone drew one ball from the urn that is used, looked at it alone and put it back. "
        "Of the balls in each urn {percent} % bear the urn's own mark.",
        earned="Whoever names the urn that is used earns one point.",
        own="your ball bears its mark",
        other="your ball does not bear its mark",
        number="your ball bears its mark {number:g} times",
        question="Which urn do you name?",
        judge="Do you name this urn?",
    ),
}


def cascade_prompt(precision: float, glimpse: Glimpse, wording: Wording) -> Prompt:
    """The prompt for a choice between the options, or about one of them."""
    words = _WORDS[wording]
    system = role(words.role, glimpse)
    if glimpse.kind is Kind.next:
        return who_is_next(system, (), glimpse, "person", "Which person should choose next?")
    rules = [words.task]
    if any("sign" in one.signals for one in glimpse.options):
        rules.append(words.known.format(percent=f"{100 * precision:.3g}"))
    called = {one.item: one.label for one in glimpse.options}
    past = [_heard(called, one) for one in glimpse.heard]
    told = [" ".join([*rules, words.earned]), "", *past]
    line = partial(_line, words=words)
    return which_option(system, told, line, glimpse, words.question, words.judge)


def _line(one: Shown, words: _Words) -> str:
    """What is shown of an option."""
    said = []
    if "sign" in one.signals:
        value = one.signals["sign"]
        plain = {1.0: words.own, 0.0: words.other}
        said.append(plain.get(value, words.number.format(number=value)))
    if "choices" in one.signals:
        said.append(f"chosen by {one.signals['choices']:g} so far")
    return "; ".join(said)


def _heard(called: dict[int, str], one: Remembered) -> str:
    if one.channel == "score":
        return so_far(one.value)
    what = called.get(one.item, "the option that is not shown")
    if one.channel == "picked":
        return f"You have chosen {what}."
    if one.total:
        return f"You have chosen {what} {one.value:g} times."
    who = "You" if one.channel == "own" else f"Person {one.source}"
    when = f" {ago(one.latency)}" if one.latency else ""
    return f"{who} chose {what}{when}."
