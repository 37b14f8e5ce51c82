"""The naming games in words: what a language model is told, made of its glimpse and of nothing else.

The rules and what is at stake are stated as in Ashery, Aiello & Baronchelli 2025 (Player 1 and Player 2, an
unnamed partner, points), in neutral words; nothing is said of a population or of what is being studied.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import isnan, nan
from typing import Literal

from cloudchamber.microspec.world import Glimpse, Prompt, Remembered, Shown
from cloudchamber.trace.tables import Kind

__all__ = ["PARAPHRASES", "Wording", "naming_prompt", "spoken", "telling_prompt"]

Wording = Literal["plain", "reworded"]
PARAPHRASES: tuple[Wording, ...] = ("plain", "reworded")
"""Wordings that mean the same."""


@dataclass(frozen=True, slots=True)
class _Words:
    """One wording; braces are filled in."""

    game: str
    same: str
    different: str
    aim: str
    past: str
    turn: str
    names: str
    begin: str
    judge: str
    did: str
    """What a player does with a name, in the past."""


_PLAIN = _Words(
    game="Player 1 plays a game with Player 2 over several rounds. In each round both players pick a name "
    "from a list at the same time, without seeing what the other picks.",
    same="If both pick the same name, each of them gets {same:g} points.",
    different="If they pick different names, each of them gets {different:g} points.",
    aim="Each player wants to have as many points as possible in the end. You are Player 1.",
    past="The rounds so far:",
    turn="It is round {round}.",
    names="The names are: {names}. Which name does Player 1 pick? Answer with the name.",
    begin="Player 1 picks ",
    judge="Does Player 1 pick the name {name}? Answer Yes or No.",
    did="picked",
)
_WORDS: dict[Wording, _Words] = {
    "plain": _PLAIN,
    "reworded": replace(
        _PLAIN,
        game="You are Player 1. You and Player 2 play some rounds of a game. Every round, each of you names "
        "one of the words on a list, both at once, so neither knows the other's word beforehand.",
        same="Two equal words give {same:g} points to each of you;",
        different="two different words give {different:g} points to each of you.",
        aim="You try to collect as many points as you can, and so does Player 2.",
        past="What happened until now:",
        turn="Now comes round {round}.",
        names="The words: {names}. Which word does Player 1 say? Answer with the word.",
        begin="Player 1 says ",
        judge="Does Player 1 say the word {name}? Answer Yes or No.",
        did="said",
    ),
}


def naming_prompt(
    names: Sequence[str], same: float, different: float, glimpse: Glimpse, wording: Wording
) -> Prompt:
    """What a player is told; the answers are the names on the list, in the order shown, or yes and no."""
    words = _WORDS[wording]
    rules = (words.game, words.same.format(same=same), words.different.format(different=different))
    parts = (*rules, words.aim, glimpse.persona, glimpse.instruction)
    system = " ".join(part for part in parts if part)
    if glimpse.kind is Kind.next:
        return _next(system, glimpse)
    rounds = list(_rounds(names, glimpse.heard, words.did))
    lines = [words.past, *rounds] if rounds else []
    lines += [line for one in glimpse.heard for line in _beside(names, one, words.did)]
    lines.append(words.turn.format(round=len(rounds) + 1))
    if glimpse.kind is Kind.judge:
        (one,) = glimpse.options
        asked = words.judge.format(name=_named(names, one))
        return Prompt(system, "\n".join([*lines, asked]), ("Yes", "No"))
    return _listed(system, lines, names, glimpse, words)


def _listed(
    system: str, lines: list[str], names: Sequence[str], glimpse: Glimpse, words: _Words
) -> Prompt:
    told = ", ".join(_named(names, one) for one in glimpse.options)
    lines.append(words.names.format(names=told))
    answers = [names[one.item] for one in glimpse.options if one.open]
    if glimpse.may_decline:
        lines[-1] += " Or answer None."
        answers.append("None")
    if glimpse.most > 1:
        lines.append(f"Up to {glimpse.most} names may be picked.")
    return Prompt(system, "\n".join(lines), tuple(answers), words.begin)


def _rounds(names: Sequence[str], heard: Sequence[Remembered], did: str) -> Iterator[str]:
    """A line for each remembered round; what the other did follows the own pick."""
    own = [at for at, one in enumerate(heard) if one.channel == "own" and isnan(one.value)]
    for number, (at, end) in enumerate(pairwise([*own, len(heard)]), start=1):
        told = f"Round {number}: Player 1 {did} {names[heard[at].item]}"
        for one in heard[at + 1 : end]:
            if one.channel == "met":
                told += f", Player 2 {did} {names[one.item] if one.item >= 0 else 'nothing'}"
        for name, value in heard[at].results.items():
            if not isnan(value):
                told += (
                    f"; {value:g} points for each" if name == "payoff" else f"; {name}: {value:g}"
                )
        yield f"{told}."


def _beside(names: Sequence[str], one: Remembered, did: str) -> Iterator[str]:
    """What is shown beside rounds: others' picks, tallies, the score, a pick just made."""
    if one.channel == "score":
        yield f"The current score of Player 1 is {one.value:g}."
    elif one.channel == "others":
        yield f"Another player {did} {names[one.item]} ({_ago(one.latency)})."
    elif one.channel == "picked":
        yield f"In this round Player 1 has {did} {names[one.item]}."
    elif one.channel == "own" and not isnan(one.value):  # a tally, no single act
        yield f"Player 1 has {did} {names[one.item]} in {one.value:g} rounds."


def _ago(latency: int) -> str:
    return "just now" if latency == 0 else f"{latency} {'round' if latency == 1 else 'rounds'} ago"


def _named(names: Sequence[str], one: Shown) -> str:
    uses = one.signals.get("uses")
    if uses is None:
        return names[one.item]
    return f"{names[one.item]} (picked {uses:g} {'time' if uses == 1 else 'times'} by all players)"


def _next(system: str, glimpse: Glimpse) -> Prompt:
    lines = [f"{one.label}: player {one.item}" for one in glimpse.options]
    asked = "Which player should play next? Answer with the code."
    return Prompt(system, "\n".join([*lines, asked]), tuple(one.label for one in glimpse.options))


def telling_prompt(names: Sequence[str], glimpse: Glimpse) -> Prompt:
    """What the one who speaks is told, where one speaks and the other listens."""
    parts = (_TELLING, glimpse.persona, glimpse.instruction)
    system = " ".join(part for part in parts if part)
    if glimpse.kind is Kind.next:
        return _next(system, glimpse)
    lines = []
    for one in glimpse.heard:
        if one.channel == "own" and isnan(one.value):
            understood = one.results.get("understood", nan)
            was = f" and was {'' if understood else 'not '}understood"
            told = f"Player 1 said {names[one.item]}{'' if isnan(understood) else was}"
            lines.append(f"{told} ({_ago(one.latency)}).")
        else:
            lines += _beside(names, one, "said")
    if glimpse.kind is Kind.judge:
        asked = f"Does Player 1 say the word {_named(names, glimpse.options[0])}? Answer Yes or No."
        return Prompt(system, "\n".join([*lines, asked]), ("Yes", "No"))
    return _listed(system, lines, names, glimpse, _WORDS["reworded"])


_TELLING = (
    "Player 1 meets another player, and they look at the same thing. Player 1 says one of the words that it "
    "knows for it. If the other player knows that word too, they have understood each other, and both keep "
    "this word alone; if not, the other player learns it. You are Player 1."
)


_ONSETS, _VOWELS = "bdfghklmnprstvwz", "aeiou"


def spoken(number: int) -> str:
    """A word that can be spoken, a different one for each number: bada, dada, fada, ..."""
    sound, rest = "", number
    while rest or len(sound) < 4:
        rest, at = divmod(rest, len(_ONSETS) * len(_VOWELS))
        sound += _ONSETS[at % len(_ONSETS)] + _VOWELS[at // len(_ONSETS)]
    return sound
