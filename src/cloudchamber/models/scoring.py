"""Exact choices from lists of likely tokens: when is a choice settled, and what must be asked besides?

A server lists the likeliest next tokens. A token that spells a label (but for spaces around it) counts for
it; one that only begins labels is asked about again, with the answer begun so. What is not listed is
bounded: an unlisted token is at most as likely as the last one listed, and all of them together as what is
left to one. A readout is *exact* when what may still belong to a label is at most `UNCOVERED` of what has
been found, so that no probability is off by more. Spaces before an answer are one token at most: an answer
that goes on with more is none, and how likely that is, is said. Knows no server and no JSON.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, inf, log

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "MOST",
    "UNCOVERED",
    "Listed",
    "Settled",
    "apart",
    "at_once",
    "distribution",
    "settle",
    "spelled",
]

UNCOVERED = 1e-3
"""Largest share of the labels' mass that may be unaccounted for in an exact readout."""
MOST = 64
"""Requests for one question at most."""

Listed = Mapping[str, float]
"""The likeliest next tokens with their probabilities."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What the lists came to."""

    found: list[float]
    """Probability of each label."""
    open: float
    """Upper bound of what may belong to labels besides."""
    why: str = ""
    """Why it is not exact; empty if it is."""
    spaces: float = 0.0
    """Probability of answers that go on with spaces after spaces, which are not followed."""

    @property
    def mass(self) -> float:
        """Probability of all labels together."""
        return min(sum(self.found), 1.0)


class _Labels:
    """The labels of a question, without spaces around them, by their beginnings."""

    __slots__ = ("alone", "begins", "labels", "plain", "whole")

    def __init__(self, options: tuple[str, ...]) -> None:
        self.labels = [option.strip() for option in options]
        self.whole = {label: place for place, label in enumerate(self.labels)}
        self.begins: dict[str, list[int]] = {}
        """Beginning -> places of the labels that have it; a label begins itself."""
        for place, label in enumerate(self.labels):
            for cut in range(len(label) + 1):
                self.begins.setdefault(label[:cut], []).append(place)
        self.alone = [len(self.begins[label]) == 1 for label in self.labels]
        """Whether no other label goes on from it."""
        self.plain = all(map(str.isascii, self.labels))
        """Whether no token can be a part of one of their letters."""


@lru_cache(1024)
def _known(options: tuple[str, ...]) -> _Labels:
    return _Labels(options)


def apart(options: Sequence[str]) -> dict[str, int]:
    """The labels without spaces around them, and their places; nothing where that leaves two alike."""
    places = {option.strip(): place for place, option in enumerate(options)}
    return places if len(places) == len(options) and "" not in places else {}


def at_once(places: Mapping[str, int], listed: Listed) -> list[float] | None:
    """What `settle` finds of each label where the first list alone says it: the plain case, told soon.

    None unless every label is listed as one token, no label begins another and no other token begins any.

    Args:
        places: the labels, as `apart` gives them.
        listed: the first list.
    """
    begins = "\n" + "\n".join(places)
    if not begins.isascii():
        return None
    if len(set(map(len, places))) > 1:
        order = sorted(places)
        if any(map(str.startswith, order[1:], order)):
            return None
    found = [listed.get(label, -1.0) for label in places]
    for token, chance in listed.items():
        if token in places or "\n" + (plain := token.strip()) not in begins or not token:
            continue
        place = places.get(plain)
        if place is None:
            return None
        found[place] = max(found[place], 0.0) + chance
    return found if min(found) >= 0 and sum(found) > 0 else None


def settle(
    options: Sequence[str], top: int, continues: bool, most: int = MOST
) -> Generator[tuple[str, ...], Sequence[Listed], Settled]:
    """Yield beginnings of answers to ask about ("" first), be sent their lists, return what they come to.

    Args:
        options: the labels.
        top: tokens in a list.
        continues: whether the server goes on with an answer that was begun for it.
        most: requests at most, 1 or more.
    """
    found, bound, asked, spaces = [0.0] * len(options), 0.0, 0, 0.0
    known = _known(tuple(options))
    if len(known.whole) < len(options) or "" in known.whole:
        return Settled(found, 1.0, "labels that differ by spaces only")
    wave: list[tuple[str, float]] = [("", 1.0)]
    first: Listed = {}
    while wave:
        lists = yield tuple(text for text, _ in wave)
        first = first or lists[0]
        asked += len(wave)
        pending: list[tuple[str, float]] = []
        for (text, chance), listed in zip(wave, lists, strict=True):
            if text.isspace() and _alike(listed, first):  # the server has taken the spaces off
                spaces += chance
                continue
            begun, beyond = _read(known, text, chance, listed, top, found)
            if text.isspace():
                more = [one for one in begun if one[0].isspace()]
                spaces += sum([further for _, further in more])
                begun = [one for one in begun if not one[0].isspace()]
            pending += begun
            bound += beyond
        mass, ahead = sum(found), sum([chance for _, chance in pending])
        if mass > 0 and bound + ahead <= UNCOVERED * mass:
            return Settled(found, bound + ahead, "", spaces)
        if bound > UNCOVERED * (mass + ahead) or mass + ahead == 0:
            share = bound / (mass + ahead + bound) if mass + ahead else 1.0  # of all there may be
            return Settled(
                found,
                bound + ahead,
                f"{share:.1%} of the labels' mass may lie beyond the {top} listed",
            )
        if not continues:
            why = (
                "a likely token may begin a label, and the server does not continue a begun answer"
            )
            return Settled(found, bound + ahead, why)
        wave = _next(pending, UNCOVERED * (mass + ahead) / 4)
        if asked + len(wave) > most:
            return Settled(found, bound + ahead, f"it would take more than {most} requests")
        bound += ahead - sum(chance for _, chance in wave)
    return Settled(found, bound, "no label is likely enough")


def _alike(listed: Listed, other: Listed) -> bool:
    """Whether two lists are one but for a served model's noise."""
    return listed.keys() == other.keys() and all(
        abs(chance - other[token]) <= 0.02 * chance + 1e-4 for token, chance in listed.items()
    )


def _next(pending: list[tuple[str, float]], spare: float) -> list[tuple[str, float]]:
    """The likeliest beginnings, but for the unlikely ones that need not be known."""
    order = sorted(pending, key=lambda one: (-one[1], one[0]))
    left = sum(chance for _, chance in order)
    wave = []
    for text, chance in order:
        if left <= spare:
            break
        wave.append((text, chance))
        left -= chance
    return wave


def _read(
    known: _Labels, text: str, reached: float, listed: Listed, top: int, found: list[float]
) -> tuple[list[tuple[str, float]], float]:
    """Read one list, the answer being begun with `text`, which is as likely as `reached`.

    Adds to what was found; gives the answers begun further, and a bound of what else may be a label.
    """
    begins, whole, begun = known.begins, known.whole, text.strip()
    seen, further, onward, broken = set[int](), [], 0.0, 0.0
    for token, chance in listed.items():
        spelled = text + token
        plain = spelled.strip()
        if plain not in begins or not token:
            if not known.plain and ("\ufffd" in token or token.startswith("bytes:")):
                broken += chance  # a part of a letter, which may be a label's
            continue
        place = whole.get(plain, -1)
        if place >= 0 and plain != begun and (known.alone[place] or spelled[-1].isspace()):
            found[place] += reached * chance
            seen.add(place)
            onward += chance
        elif ahead := begins.get(spelled.lstrip()):
            further.append((spelled, reached * chance))
            seen.update(ahead)
            onward += chance
    reach = begins.get(text.lstrip(), [])
    if begun in whole:  # a label, and the beginning of others: it ends unless one of them goes on
        found[whole[begun]] += reached * max(0.0, 1.0 - onward)
        seen.add(whole[begun])
    missing = [known.labels[place] for place in reach if place not in seen]
    beyond = _beyond(missing, text, listed, top) if missing else 0.0
    return further, reached * (beyond + broken)


def _beyond(missing: list[str], text: str, listed: Listed, top: int) -> float:
    """Bound of the probability that the answer goes on to a label of which nothing is listed."""
    remainder = max(0.0, 1.0 - sum(listed.values()))
    likeliest = sorted(listed.values(), reverse=True)
    # One of them may be listed only because it was drawn (vLLM puts it in the place of the last): the one
    # before it is the least likely that is sure to be among the likeliest.
    sure = min(top, len(likeliest) - 1)
    last = likeliest[sure - 1] if sure > 0 else 1.0
    begun = text.lstrip()
    rests = [label[len(begun) :] for label in missing]
    ways = {rest[:cut] for rest in rests for cut in range(1, len(rest) + 1)}
    spaced = 2 * len(ways) + 2 if not begun else len(ways)  # " A" beside "A"; " " and a line break
    return min(remainder, spaced * last)


def distribution(
    found: Sequence[float] | NDArray[np.float64], temperature: float
) -> NDArray[np.float64]:
    """Log of the distribution over options (options,) at a temperature, of probabilities at 1."""
    # A handful of numbers: faster without arrays.
    if temperature == 1.0 and min(found) > 0:
        whole = log(sum(found))
        return np.array([log(chance) - whole for chance in found])
    scores = [log(chance) if chance > 0 else -inf for chance in found]
    most = max(scores)
    if temperature == 0.0:
        first = scores.index(most)
        scores = [0.0 if place == first else -inf for place in range(len(scores))]
    else:
        scores = [(score - most) / temperature for score in scores]
    whole = log(sum(map(exp, scores)))
    return np.array([score - whole for score in scores])


def spelled(tokens: Sequence[tuple[str, float]], label: str) -> float | None:
    """Log-probability of a label as the last of some scored tokens; None if they do not spell it.

    The first of its tokens may hold the end of what stands before it, as a space.
    """
    text, score = "", 0.0
    for token, logprob in reversed(tokens):
        text, score = token + text, score + logprob
        if len(text) >= len(label):
            return score if text.endswith(label) else _unspaced(tokens, label)
    return None


def _unspaced(tokens: Sequence[tuple[str, float]], label: str) -> float | None:
    """The same where tokens are written without the spaces in front of them, as SentencePiece's are."""
    text, score, wanted = "", 0.0, "".join(label.split())
    for token, logprob in reversed(tokens):
        text, score = "".join(token.split()) + text, score + logprob
        if len(text) >= len(wanted):
            return score if text.endswith(wanted) else None
    return None
