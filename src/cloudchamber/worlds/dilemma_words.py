"""Games of two in words: what a language model is told, made of its glimpse and of nothing else.

The table of payoffs is told as four sentences in which options have codes, and names if the world gives them
any; that points are what is played for is all that is said of aims. Nobody is told who the others are. The
question was chosen among a few by one criterion alone, how much probability the embedded model puts on valid
answers; what it does with what it is told was not looked at.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cloudchamber.microspec.world import Glimpse, Prompt, Remembered, Shown
from cloudchamber.questions import Reals
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

__all__ = ["dilemma_prompt"]


@dataclass(frozen=True, slots=True)
class _Words:
    """One wording; braces are filled in."""

    role: str
    game: str
    paid: str
    """Holds {own}, {other}, {mine}, {its}."""
    question: str
    begin: str


_WORDS: dict[PlainOrReworded, _Words] = {
    "plain": _Words(
        role="You play a game with another player.",
        game="Each of you chooses one of two options at the same time, without seeing what the other "
        "chooses.",
        paid="If you choose {own} and the other player chooses {other}, you get {mine}, the other {its}.",
        question="Which option do you choose, {options}?",
        begin="The option I choose is ",
    ),
    "reworded": _Words(
        role="You and one other person take part in a game.",
        game="You both pick one of two options at once; neither knows the other's pick beforehand.",
        paid="You pick {own}, the other person picks {other}: {mine} for you, {its} for the other person.",
        question="Which option is your pick, {options}?",
        begin="The option I pick is ",
    ),
}


def dilemma_prompt(
    table: Reals, names: Sequence[str], glimpse: Glimpse, wording: PlainOrReworded
) -> Prompt:
    """What a player is told; the answers are the codes of the options, in the order shown."""
    words = _WORDS[wording]
    system = role(f"{words.role} {AIM[wording]}", glimpse)
    called = _called(names, glimpse)
    past = list(_past(called, glimpse.heard))
    if glimpse.kind is Kind.next:
        return who_is_next(system, past, glimpse, "player", "Which player should choose next?")
    rules = [words.game, *_payoffs(table, called, glimpse.options, words)]
    counts = [_counted(called, one) for one in glimpse.options if "chosen" in one.signals]
    lines = [*rules, "", *([*counts, ""] if counts else []), *([*past, ""] if past else [])]
    if glimpse.kind is Kind.judge:
        asked = f"Do you choose {called(glimpse.options[0].item)}? Answer Yes or No."
        return Prompt(system, "\n".join([*lines, asked]), ("Yes", "No"))
    may = [one for one in glimpse.options if one.open]
    answers = [one.label for one in may]
    which = words.question.format(options=one_of([called(one.item) for one in may]))
    how = "Answer with its code."
    if glimpse.may_decline:
        how = "Answer with its code, or None if you choose neither."
        answers.append("None")
    if glimpse.most > 1:
        how += f" Up to {glimpse.most} may be chosen."
    asked = f"{which} {how}"
    body = "\n".join([*lines, asked])
    return Prompt(system, body, tuple(answers), words.begin, asks=asked)


def _called(names: Sequence[str], glimpse: Glimpse) -> Callable[[int], str]:
    """What an option is called: its code in this question, and its name if it has one."""
    labels = {one.item: one.label for one in glimpse.options}

    def called(item: int) -> str:
        if item < 0:
            return "nothing"
        code = labels.get(item, "an option that is not offered now")
        return f"{code} ({names[item]})" if names else code

    return called


def _payoffs(
    table: Reals, called: Callable[[int], str], options: Sequence[Shown], words: _Words
) -> Iterator[str]:
    """A sentence for each pair of acts that is on offer, in the order shown."""
    items = [one.item for one in options]
    for own in items:
        for other in items:
            mine, its = table[own, other], table[other, own]
            yield words.paid.format(
                own=called(own),
                other=called(other),
                mine=amount(mine, "point"),
                its=amount(its, "point"),
            )


def _past(called: Callable[[int], str], heard: Sequence[Remembered]) -> Iterator[str]:
    """A line for each thing remembered; what the other did stands with the own act it met."""
    for place, one in enumerate(heard):
        if one.channel == "score":
            yield so_far(one.value)
        elif one.channel == "others":
            yield f"{ago(one.latency).capitalize()}, another player chose {called(one.item)}."
        elif one.channel == "picked":
            yield f"You have chosen {called(one.item)} already."
        elif one.total:
            who = "You have" if one.channel == "own" else "Those you met have"
            yield f"{who} chosen {called(one.item)} {amount(one.value, 'time')}."
        elif one.channel == "own":
            after = heard[place + 1 : place + 2]
            yield _meeting(called, one, after[0] if after and after[0].channel == "met" else None)


def _meeting(called: Callable[[int], str], own: Remembered, met: Remembered | None) -> str:
    """One remembered meeting."""
    told = f"{ago(own.latency).capitalize()}, you chose {called(own.item)}"
    if met is not None:
        told += f" and the other player chose {called(met.item)}"
    paid = own.results.get("payoff")
    return f"{told}; you got {amount(paid, 'point')}." if paid is not None else f"{told}."


def _counted(called: Callable[[int], str], one: Shown) -> str:
    times = amount(one.signals["chosen"], "time")
    return f"All players together have chosen {called(one.item)} {times} so far."
