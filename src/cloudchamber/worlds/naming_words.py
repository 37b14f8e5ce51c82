"""The naming games in words: what a language model is told, made of its glimpse and of nothing else.

The rules and what is at stake are stated as in Ashery, Aiello & Baronchelli 2025 (Player 1 and Player 2, an
unnamed partner, points), in neutral words; nothing is said of a population or of what is being studied.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isnan, nan

from cloudchamber.microspec.world import Glimpse, Prompt, Remembered, Shown
from cloudchamber.trace.tables import Kind
from cloudchamber.worlds.telling import PlainOrReworded, ago, amount, role, who_is_next

__all__ = ["naming_prompt", "spoken", "telling_prompt"]


@dataclass(frozen=True, slots=True)
class _Words:
    """One wording; braces are filled in."""

    rules: str
    past: str
    turn: str
    noun: str
    """What is picked."""
    does: str
    did: str
    begin: str


_WORDS: dict[PlainOrReworded, _Words] = {
    "plain": _Words(
        rules="Player 1 plays a game with Player 2 over several rounds. In each round both players pick a "
        "name from a list at the same time, without seeing what the other picks. If both pick the same name, "
        "each of them gets {same}. If they pick different names, each of them gets {different}. Each player "
        "wants to have as many points as possible in the end. You are Player 1.",
        past="The rounds so far:",
        turn="It is round {round}.",
        noun="name",
        does="pick",
        did="picked",
        begin="Player 1 picks ",
    ),
    "reworded": _Words(
        rules="You are Player 1. You and Player 2 play some rounds of a game. Every round, each of you says "
        "one of the words on a list, both at once, so that neither knows the other's word beforehand. Two "
        "equal words give {same} to each of you; two different words give {different} to each of you. You "
        "try to collect as many points as you can, and so does Player 2.",
        past="What happened until now:",
        turn="Now comes round {round}.",
        noun="word",
        does="say",
        did="said",
        begin="Player 1 says ",
    ),
}
_TELLING = (
    "Player 1 meets another player, and both see one thing. Player 1 says one of the words that it knows for "
    "it. If the other player knows that word as well, both forget every other word; if not, the other player "
    "learns it. You are Player 1."
)


def naming_prompt(
    names: Sequence[str], same: float, different: float, glimpse: Glimpse, wording: PlainOrReworded
) -> Prompt:
    """What a player is told who is to name something, as the other does; the answers are the labels."""
    words = _WORDS[wording]
    rules = words.rules.format(same=amount(same, "point"), different=amount(different, "point"))
    rounds = list(_rounds(names, glimpse.heard, words.did))
    lines = [words.past, *rounds] if rounds else []
    lines += [line for one in glimpse.heard for line in _beside(names, one, words.did)]
    lines.append(words.turn.format(round=len(rounds) + 1))
    return _asked(role(rules, glimpse), lines, names, glimpse, words)


def telling_prompt(names: Sequence[str], glimpse: Glimpse) -> Prompt:
    """What the one who speaks is told, where one speaks and the other listens."""
    lines = []
    for one in glimpse.heard:
        if one.channel == "own" and isnan(one.value):
            understood = one.results.get("understood", nan)
            was = "" if isnan(understood) else f" and was understood by {understood:g} of 1"
            told = f"Player 1 said {names[one.item]}{was}"
            lines.append(f"{told} ({ago(one.latency)}).")
        else:
            lines += _beside(names, one, "said")
    return _asked(role(_TELLING, glimpse), lines, names, glimpse, _WORDS["reworded"])


def _asked(
    system: str, lines: list[str], names: Sequence[str], glimpse: Glimpse, words: _Words
) -> Prompt:
    """The question, after what is known: of a list, of one name alone, or of who is next."""
    if glimpse.kind is Kind.next:
        return who_is_next(system, lines, glimpse, "player", "Which player should play next?")
    if glimpse.kind is Kind.judge:
        name = _named(names, glimpse.options[0])
        asked = f"Does Player 1 {words.does} the {words.noun} {name}? Answer Yes or No."
        return Prompt(system, "\n".join([*lines, asked]), ("Yes", "No"))
    coded = any(one.label != names[one.item] for one in glimpse.options)
    told = (_named(names, one) for one in glimpse.options)
    labels = (f"{one.label}: " if coded else "" for one in glimpse.options)
    lines.append(f"The {words.noun}s are: {', '.join(map(str.__add__, labels, told))}.")
    which = f"Which {words.noun} does Player 1 {words.does}?"
    if glimpse.most > 1:
        which = f"Which {words.noun}s does Player 1 {words.does}, {glimpse.most} at most?"
    how = f"Answer with {'its code' if coded else f'the {words.noun}'}"
    answers = [one.label for one in glimpse.options if one.open]
    if glimpse.may_decline:
        answers.append("None")
        how += ", or None"
    asked = f"{which} {how}."
    body = "\n".join([*lines, asked])
    return Prompt(system, body, tuple(answers), words.begin, asks=asked)


def _rounds(names: Sequence[str], heard: Sequence[Remembered], did: str) -> Iterator[str]:
    """A line for each remembered round; what the other did follows the own pick."""
    own = [at for at, one in enumerate(heard) if one.channel == "own" and isnan(one.value)]
    for number, (at, end) in enumerate(pairwise([*own, len(heard)]), start=1):
        told = f"Round {number}: Player 1 {did} {names[heard[at].item]}"
        for one in heard[at + 1 : end]:
            if one.channel == "met":
                told += f", Player 2 {did} {names[one.item] if one.item >= 0 else 'nothing'}"
        payoff = heard[at].results.get("payoff", nan)
        yield f"{told}." if isnan(payoff) else f"{told}; {amount(payoff, 'point')} for each."


def _beside(names: Sequence[str], one: Remembered, did: str) -> Iterator[str]:
    """What is shown beside rounds: others' picks, tallies, the score, a pick just made."""
    if one.channel == "score":
        yield f"The current score of Player 1 is {one.value:g}."
    elif one.channel == "others":
        yield f"Another player {did} {names[one.item]} ({ago(one.latency)})."
    elif one.channel == "picked":
        yield f"In this round Player 1 has {did} {names[one.item]}."
    elif one.channel == "own" and not isnan(one.value):  # a tally, no single act
        yield f"Player 1 has {did} {names[one.item]} in {one.value:g} rounds."


def _named(names: Sequence[str], one: Shown) -> str:
    uses = one.signals.get("uses")
    if uses is None:
        return names[one.item]
    return f"{names[one.item]} ({amount(uses, 'use')} by all players)"


_ONSETS, _VOWELS = "bdfghklmnprstvwz", "aeiou"


def spoken(number: int) -> str:
    """A word that can be spoken, a different one for each number: baba, daba, faba, ..."""
    sound, rest = "", number
    while rest or len(sound) < 4:
        rest, at = divmod(rest, len(_ONSETS) * len(_VOWELS))
        sound += _ONSETS[at % len(_ONSETS)] + _VOWELS[at // len(_ONSETS)]
    return sound
