"""The feed in words: what a language model is told, made of its glimpse and of nothing else.

The rules are stated neutrally and nothing is said of what is being studied. The default wording was chosen
among a few by one criterion alone, how much probability the embedded model puts on valid answers; what it
does to the effects of place and likes was not looked at. Other wordings are there to see what depends on it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from cloudchamber.microspec.world import Glimpse, Prompt, Remembered, Shown
from cloudchamber.trace.tables import Kind
from cloudchamber.worlds.telling import ago, amount, role, who_is_next

__all__ = ["PARAPHRASES", "Wording", "feed_prompt"]

Wording = Literal["begun", "plain", "reworded", "placebo"]
"""begun: the answer is begun for the model; plain: it is only asked; reworded: as begun, in other words;
placebo: as begun, but likes are told as a number without a meaning."""

PARAPHRASES: tuple[Wording, ...] = ("begun", "plain", "reworded")
"""Wordings that mean the same."""


@dataclass(frozen=True, slots=True)
class _Words:
    """One wording: questions by what is asked for, how likes are told, and how an answer begins."""

    role: str
    one: str
    several: str
    first: str
    """Where one after another is picked; holds {many}."""
    other: str
    begin: str
    begin_other: str
    judge: str
    begin_judge: str
    beside: Callable[[float], str]
    """Likes, in the line of a list."""
    alone: Callable[[float], str]
    """Likes, as a sentence about a single item."""


_BEGUN = _Words(
    role="You are a reader browsing a news feed.",
    one="Which item do you like most?",
    several="Which items do you like?",
    first="Which item do you like most, of {many} that you will choose?",
    other="Which other item do you like most?",
    begin="The item I like most is ",
    begin_other="The other item I like most is ",
    judge="Do you like this item?",
    begin_judge="My answer: ",
    beside=lambda likes: amount(likes, "like"),
    alone=lambda likes: f"{likes:g} other {'reader' if likes == 1 else 'readers'} liked this item.",
)
_WORDS: dict[Wording, _Words] = {
    "begun": _BEGUN,
    "plain": replace(_BEGUN, begin="", begin_other="", begin_judge=""),
    "reworded": replace(
        _BEGUN,
        role="You are looking through today's news.",
        one="Which of these stories do you like best?",
        several="Which of these stories do you like?",
        first="Which of these stories do you like best, of {many} that you will choose?",
        other="Which other story do you like best?",
        begin="The story I like best is ",
        begin_other="The other story I like best is ",
        judge="Does this story appeal to you?",
        beside=lambda likes: f"likes: {likes:g}",
        alone=lambda likes: f"It has {amount(likes, 'like')}.",
    ),
    "placebo": replace(
        _BEGUN,
        beside=lambda likes: f"no. {likes:g}",
        alone=lambda likes: f"This item has number {likes:g}.",
    ),
}


def feed_prompt(headlines: tuple[str, ...], glimpse: Glimpse, wording: Wording) -> Prompt:
    """The prompt for a list or for one item; answers are the options' labels, or yes and no."""
    words = _WORDS[wording]
    system = role(words.role, glimpse)
    past = [_heard(headlines, one) for one in glimpse.heard if one.channel != "picked"]
    if glimpse.kind is Kind.next:
        return who_is_next(
            system, past, glimpse, "reader", "Which reader should browse the feed next?"
        )
    if glimpse.kind is Kind.judge:
        return _single(headlines, system, past, glimpse, words)
    return _list(headlines, system, past, glimpse, words)


def _list(
    headlines: tuple[str, ...], system: str, past: list[str], glimpse: Glimpse, words: _Words
) -> Prompt:
    worded = all(one.label == headlines[one.item] for one in glimpse.options)
    called = ("" if worded else f"{one.label}: " for one in glimpse.options)
    items = (f"{headlines[one.item]}{_beside(one, words)}" for one in glimpse.options)
    lines = list(map(str.__add__, called, items))
    picked = [one for one in glimpse.heard if one.channel == "picked"]
    chosen = [f"You chose: {headlines[one.item]}" for one in picked]
    which = _which(glimpse, words, bool(picked))
    how = f"Answer with its {'headline' if worded else 'code'}."
    if glimpse.may_decline:
        how = f"{how[:-1]}, or None if you like {'no other' if picked else 'none'}."
    answers = [one.label for one in glimpse.options if one.open]
    if glimpse.may_decline:
        answers.append("None")
    asked = f"{which} {how}"
    body = "\n".join([*past, *lines, "", *chosen, asked])
    begin = words.begin_other if picked else words.begin
    return Prompt(system, body, tuple(answers), begin, asks=asked)


def _which(glimpse: Glimpse, words: _Words, again: bool) -> str:
    """The question about a list."""
    if again:
        return words.other
    if glimpse.one_by_one:
        many = f"up to {glimpse.most}" if glimpse.may_decline else str(glimpse.most)
        return words.first.format(many=many)
    return words.one if glimpse.most == 1 else words.several


def _single(
    headlines: tuple[str, ...], system: str, past: list[str], glimpse: Glimpse, words: _Words
) -> Prompt:
    (one,) = glimpse.options
    likes = one.signals.get("likes")
    told = [] if likes is None else [words.alone(likes)]
    how, begun = "Answer Yes or No.", words.begin_judge
    asked = [words.judge, *told, how] if begun else [*told, words.judge, how]
    body = "\n".join([*past, headlines[one.item], "", " ".join(asked)])
    # The item comes again with other likes; what is remembered makes each prompt its own.
    recurs = len(f"{headlines[one.item]}\n\n{words.judge}") if begun and told and not past else 0
    return Prompt(system, body, ("Yes", "No"), begun, recurs)


def _beside(one: Shown, words: _Words) -> str:
    likes = one.signals.get("likes")
    return "" if likes is None else f" ({words.beside(likes)})"


def _heard(headlines: tuple[str, ...], one: Remembered) -> str:
    if one.channel == "score":
        return f"Your score so far: {one.value:g}."
    when = ago(one.latency)
    if one.channel == "others":
        return f"Reader {one.source} liked ({when}): {headlines[one.item]}"
    if one.value == one.value:  # a tally; NaN where a single act is remembered
        return f"You have liked this {one.value:g} times: {headlines[one.item]}"
    return f"You liked ({when}): {headlines[one.item]}"
