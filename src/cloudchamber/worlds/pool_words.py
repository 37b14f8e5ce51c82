"""Public goods in words: what a language model is told, made of its glimpse and of nothing else.

The rules are told as in experiments with people (Fehr & Gaechter 2000), with points for tokens. Nobody is
told who the others are: where the order is fixed a number would be a place in the queue. The question was
chosen as that of dilemmas was, by how much probability the embedded model puts on valid answers alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cloudchamber.games import PublicGood
from cloudchamber.microspec.world import Glimpse, Prompt, Remembered
from cloudchamber.trace.tables import Kind
from cloudchamber.worlds.telling import (
    AIM,
    PlainOrReworded,
    ago,
    amount,
    one_of,
    role,
    so_far,
    who_is_next,
)

__all__ = ["public_goods_prompt"]

MOST_AMOUNTS = 11
"""That are told one by one."""


@dataclass(frozen=True, slots=True)
class _Words:
    """One wording; braces are filled in."""

    role: str
    game: str
    shared: str
    bonus: str
    penalty: str
    question: str
    begin: str


_WORDS: dict[PlainOrReworded, _Words] = {
    "plain": _Words(
        role="You play a game in a group of {players} players, yourself included.",
        game="In each round every player has {endowment} and decides how many of them to put into pool "
        "{pool}. What a player does not put in, it keeps.",
        shared="What is in pool {pool} is multiplied by {multiplier:g} and shared out equally among all "
        "{players} players: each point put in pays every player {returned}.",
        bonus="For each point that you put in you also get {bonus} for each point that others have put in "
        "before you in the same round.",
        penalty="If all players together put in less than {threshold} in a round, each of them loses "
        "{penalty}.",
        question="How many points do you put into pool {pool}? Answer with a number: {allowed}.",
        begin="My answer is ",
    ),
    "reworded": _Words(
        role="You are one of {players} people who take part in a game.",
        game="Each round everybody receives {endowment}. You may give any number of them to pool {pool}; "
        "those that you do not give are yours.",
        shared="The points given to pool {pool} are multiplied by {multiplier:g} and divided equally among "
        "the {players} people, so that every point given earns each of them {returned}.",
        bonus="Every point that you give earns you another {bonus} for each point given in this round "
        "before you.",
        penalty="Should everybody together give less than {threshold} in a round, everybody is charged "
        "{penalty}.",
        question="How many points do you give to pool {pool}? Answer with a number: {allowed}.",
        begin="My answer is ",
    ),
}


def public_goods_prompt(game: PublicGood, glimpse: Glimpse, wording: PlainOrReworded) -> Prompt:
    """What a player is told; the answers are the amounts that it may give."""
    words = _WORDS[wording]
    system = role(f"{words.role.format(players=game.players)} {AIM[wording]}", glimpse)
    past = [_heard(one) for one in glimpse.heard]
    if glimpse.kind is Kind.next:
        return who_is_next(system, past, glimpse, "player", "Which player should decide next?")
    pool = glimpse.options[0].label
    rules = list(_rules(game, words, pool))
    told = [*_told(game, glimpse.options[0].signals), *past]
    asked = words.question.format(pool=pool, allowed=_allowed(glimpse.allowed))
    body = "\n".join([*rules, "", *([*told, ""] if told else []), asked])
    return Prompt(system, body, glimpse.allowed, words.begin, asks=asked)


def _allowed(amounts: Sequence[str]) -> str:
    """The amounts that may be given: all of them, or from where to where."""
    if len(amounts) <= MOST_AMOUNTS:
        return one_of(amounts)
    return f"{amounts[0]}, {amounts[1]}, {amounts[2]} and so on up to {amounts[-1]}"


def _rules(game: PublicGood, words: _Words, pool: str) -> Iterator[str]:
    told = {
        "players": game.players,
        "endowment": amount(game.endowment, "point"),
        "multiplier": game.multiplier,
        "returned": amount(game.returned, "point"),
        "bonus": amount(game.bonus, "point"),
        "threshold": amount(game.threshold, "point"),
        "penalty": amount(game.penalty, "point"),
        "pool": pool,
    }
    yield words.game.format(**told)
    yield words.shared.format(**told)
    if game.bonus:
        yield words.bonus.format(**told)
    if game.penalty and game.threshold:
        yield words.penalty.format(**told)


def _told(game: PublicGood, signals: Mapping[str, float]) -> Iterator[str]:
    """What is shown beside the pool."""
    if "place" in signals:
        yield f"You are number {signals['place']:g} of {game.players} to decide."
    if "contributed" in signals:
        total = amount(signals["contributed"], "point")
        yield f"The latest contributions of all players come to {total}."


def _heard(one: Remembered) -> str:
    """One thing heard or remembered."""
    if one.channel == "score":
        return so_far(one.value)
    given = amount(one.value, "point")
    when = ago(one.latency)
    if one.total:
        return f"You have put in {given} in all."
    if one.channel == "others":
        return f"{when.capitalize()}, another player put in {given}."
    told = f"{when.capitalize()}, you put in {given}"
    paid = one.results.get("payoff")
    if paid is not None:
        told += f"; in that round you got {amount(paid, 'point')}"
    return f"{told}."
