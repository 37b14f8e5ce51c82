"""What a language model is told in a world: the world's own prompt, and the notes and messages it is shown.

Texts come first, a line each, as they were written. Where one is to be written, what the world tells of a
choice stays, and the question at its end gives way to that for the text. Neutral, and of the glimpse alone.
"""

from dataclasses import replace

from cloudchamber.errors import SpecificationError
from cloudchamber.microspec.world import Glimpse, Prompt, Remembered, World
from cloudchamber.questions import Writing
from cloudchamber.trace.tables import Channel, Kind

__all__ = ["ago", "worded"]

_TEXTS = ("note", "message")


def ago(latency: int) -> str:
    """How many rounds ago something was, in words."""
    if latency == 0:
        return "just now"
    return f"{latency} {'round' if latency == 1 else 'rounds'} ago"


def worded(world: World, glimpse: Glimpse) -> Prompt:
    """What a language model is told of a glimpse.

    Raises:
        SpecificationError: a text is asked for, and the world's prompt does not say where its question is.
    """
    lines = [_line(world, one) for one in glimpse.heard if one.channel in _TEXTS]
    writing = glimpse.writing
    if not lines and writing is None:
        return world.prompt(glimpse)
    rest = tuple(one for one in glimpse.heard if one.channel not in _TEXTS)
    glimpse = replace(glimpse, heard=rest)
    if writing is None:
        prompt = world.prompt(glimpse)
        before = "\n".join([*lines, "", ""])
        recurs = prompt.recurs and len(before) + prompt.recurs
        return replace(prompt, user=before + prompt.user, recurs=recurs)
    prompt = world.prompt(_chosen(world, glimpse))
    if not prompt.asks or not prompt.user.endswith(prompt.asks):
        raise SpecificationError(
            f"world.kind: {world.kind!r} was given, whose prompts do not say where they ask (Prompt.asks), "
            "so nobody can be asked to write; set communication.messages to 0 and memory to another kind."
        )
    told = prompt.user.removesuffix(prompt.asks).rstrip()
    parts = ("\n".join(lines), told, _asked(world, writing))
    user = "\n\n".join(part for part in parts if part)
    return Prompt(prompt.system, user, (), words=writing.words)


def _chosen(world: World, glimpse: Glimpse) -> Glimpse:
    """The glimpse as if it were shown for a decision."""
    if world.scale is None:
        return replace(glimpse, kind=Kind.choose, writing=None)
    allowed = tuple(f"{amount:g}" for amount in world.scale.grid())
    return replace(glimpse, kind=Kind.amount, writing=None, about=0, allowed=allowed)


def _line(world: World, one: Remembered) -> str:
    when = ago(one.latency)
    if one.channel == "note":
        return f"Your {one.name} (written {when}): {one.text}"
    author = f"the other {world.who}" if world.meets else f"{world.who} {one.source}"
    return f"{author[0].upper()}{author[1:]} wrote ({when}): {one.text}"


def _asked(world: World, writing: Writing) -> str:
    """The question for a text."""
    words = f"in at most {writing.words} {'word' if writing.words == 1 else 'words'}"
    if writing.channel is Channel.message:
        readers = f"the other {world.who}" if world.meets else "those who can hear you"
        return (
            f"Write a message to {readers}, {words}. It will be shown before decisions are made. "
            "Answer with the message and nothing else."
        )
    return (
        f"Write your {writing.name}, {words}. You will be shown what you write when you next decide, in "
        "place of what you wrote before. Answer with the text and nothing else."
    )
