"""The feed in words: what a language model is told, made of its glimpse and of nothing else.

The rules are stated neutrally and nothing is said of what is being studied. The default wording was chosen
among a few by one criterion alone, how much probability the embedded model puts on valid answers; what it
does to the effects of place and likes was not looked at. Other wordings are there to see what depends on it.
"""

from typing import Literal

from cloudchamber.microspec.world import Glimpse, Prompt, Remembered, Shown
from cloudchamber.trace.tables import Kind

__all__ = ["Wording", "feed_prompt"]

Wording = Literal["begun", "plain", "placebo"]
"""begun: the answer is begun for the model; plain: it is only asked; placebo: as begun, but likes are told
as a number without a meaning."""

ROLE = "You are a reader browsing a news feed."


def feed_prompt(headlines: tuple[str, ...], glimpse: Glimpse, wording: Wording) -> Prompt:
    """The prompt for a list or for one item; answers are the options' labels, or yes and no."""
    system = " ".join(part for part in (ROLE, glimpse.persona, glimpse.instruction) if part)
    past = [_heard(headlines, one) for one in glimpse.heard if one.channel != "picked"]
    if glimpse.kind is Kind.next:
        return _next(system, past, glimpse)
    if glimpse.kind is Kind.judge:
        return _single(headlines, system, past, glimpse, wording)
    return _list(headlines, system, past, glimpse, wording)


def _list(
    headlines: tuple[str, ...], system: str, past: list[str], glimpse: Glimpse, wording: Wording
) -> Prompt:
    lines = [
        f"{one.label}: {headlines[one.item]}{_beside(one, wording)}" for one in glimpse.options
    ]
    which = "Which item do you like most?" if glimpse.most == 1 else "Which items do you like?"
    how = "Answer with its code."
    if glimpse.may_decline:
        how = "Answer with its code, or None if you like none."
    begin = "The item I like most is "
    picked = [one for one in glimpse.heard if one.channel == "picked"]
    if glimpse.one_by_one:
        which, how, begin = _one_of_several(glimpse, len(picked))
    answers = tuple(one.label for one in glimpse.options if one.open)
    chosen = [f"You chose: {headlines[one.item]}" for one in picked]
    body = "\n".join([*past, *lines, "", *chosen, f"{which} {how}"])
    begin = "" if wording == "plain" else begin
    return Prompt(system, body, (*answers, "None") if glimpse.may_decline else answers, begin)


def _one_of_several(glimpse: Glimpse, picked: int) -> tuple[str, str, str]:
    """Question, form of the answer and its beginning, where one item after another is picked."""
    how = "Answer with its code."
    if not picked:
        if glimpse.may_decline:
            how = "Answer with its code, or None if you like none."
        many = f"up to {glimpse.most}" if glimpse.may_decline else str(glimpse.most)
        which = f"Which item do you like most, of {many} that you will choose?"
        return which, how, "The item I like most is "
    if glimpse.may_decline:
        how = "Answer with its code, or None if you like no other."
    return "Which other item do you like most?", how, "The other item I like most is "


def _single(
    headlines: tuple[str, ...], system: str, past: list[str], glimpse: Glimpse, wording: Wording
) -> Prompt:
    (one,) = glimpse.options
    told = [sentence] if (sentence := _sentence(one, wording)) else []
    question, how = "Do you like this item?", "Answer Yes or No."
    begun = wording != "plain"
    asked = [question, *told, how] if begun else [*told, question, how]
    body = "\n".join([*past, headlines[one.item], "", " ".join(asked)])
    # The item comes again with other likes; what is remembered makes each prompt its own.
    recurs = len(f"{headlines[one.item]}\n\n{question}") if begun and told and not past else 0
    return Prompt(system, body, ("Yes", "No"), "My answer: " if begun else "", recurs)


def _next(system: str, past: list[str], glimpse: Glimpse) -> Prompt:
    answers = tuple(one.label for one in glimpse.options)
    lines = [f"{one.label}: reader {one.item}" for one in glimpse.options]
    question = "Which reader should browse the feed next? Answer with the code."
    return Prompt(system, "\n".join([*past, *lines, "", question]), answers)


def _beside(one: Shown, wording: Wording) -> str:
    likes = one.signals.get("likes")
    if likes is None:
        return ""
    if wording == "placebo":
        return f" (no. {likes:g})"
    return f" ({likes:g} {'like' if likes == 1 else 'likes'})"


def _sentence(one: Shown, wording: Wording) -> str:
    likes = one.signals.get("likes")
    if likes is None:
        return ""
    if wording == "placebo":
        return f"This item has number {likes:g}."
    return f"{likes:g} other {'reader' if likes == 1 else 'readers'} liked this item."


def _heard(headlines: tuple[str, ...], one: Remembered) -> str:
    if one.channel == "score":
        return f"Your score so far: {one.value:g}."
    rounds = "round" if one.latency == 1 else "rounds"
    when = "just now" if one.latency == 0 else f"{one.latency} {rounds} ago"
    if one.channel == "others":
        return f"Reader {one.source} liked ({when}): {headlines[one.item]}"
    if one.value == one.value:  # a tally; NaN where a single act is remembered
        return f"You have liked this {one.value:g} times: {headlines[one.item]}"
    return f"You liked ({when}): {headlines[one.item]}"
