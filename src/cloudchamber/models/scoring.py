"""Exact choices from lists of likely tokens: when is a choice settled, and what must be asked besides?

A server lists the likeliest next tokens. A token that spells a label (but for spaces around it) counts for
it; one that only begins labels is asked about again, with the answer begun so. What is not listed is
bounded: an unlisted token is at most as likely as the last one listed, and all of them together as what is
left to one. A readout is *exact* when what may still belong to a label is at most `UNCOVERED` of what has
been found, so that no probability is off by more. Knows no server and no JSON.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, inf, log

import numpy as np
from numpy.typing import NDArray

__all__ = ["UNCOVERED", "Listed", "Settled", "distribution", "settle", "spelled"]

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

    @property
    def mass(self) -> float:
        """Probability of all labels together."""
        return min(sum(self.found), 1.0)


@dataclass(slots=True)
class _Node:
    """One list, read: for the labels that an answer begun so can still become."""

    found: dict[int, float] = field(default_factory=dict)
    begun: list[tuple[str, float]] = field(default_factory=list)
    open: float = 0.0


def settle(
    options: Sequence[str], top: int, continues: bool
) -> Generator[tuple[str, ...], Sequence[Listed], Settled]:
    """Yield beginnings of answers to ask about ("" first), be sent their lists, return what they come to.

    Args:
        options: the labels.
        top: tokens in a list.
        continues: whether the server goes on with an answer that was begun for it.
    """
    labels = [option.strip() for option in options]
    found, bound, asked = [0.0] * len(labels), 0.0, 0
    if len(set(labels)) < len(labels) or "" in labels:
        return Settled(found, 1.0, "labels that differ by spaces only")
    begins = _beginnings(labels)
    wave = [("", 1.0)]
    while wave:
        asked += len(wave)
        lists = yield tuple(text for text, _ in wave)
        pending: list[tuple[str, float]] = []
        for (text, chance), listed in zip(wave, lists, strict=True):
            node = _read(labels, begins, text, listed, top)
            for place, share in node.found.items():
                found[place] += chance * share
            bound += chance * node.open
            pending += [(text + token, chance * share) for token, share in node.begun]
        mass, ahead = sum(found), sum([chance for _, chance in pending])
        if mass > 0 and bound + ahead <= UNCOVERED * mass:
            return Settled(found, bound + ahead)
        if bound > UNCOVERED * (mass + ahead) or mass + ahead == 0:
            share = bound / (mass + ahead) if mass + ahead else 1.0
            return Settled(
                found,
                bound + ahead,
                f"{share:.1%} of the labels' mass may lie beyond the {top} listed",
            )
        if not continues:
            why = "labels of several tokens, and the server does not continue a begun answer"
            return Settled(found, bound + ahead, why)
        wave = _next(pending, UNCOVERED * (mass + ahead) / 4)
        if asked + len(wave) > MOST:
            return Settled(found, bound + ahead, f"it would take more than {MOST} requests")
        bound += ahead - sum(chance for _, chance in wave)
    return Settled(found, bound, "no label is likely enough")


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


def _beginnings(labels: Sequence[str]) -> dict[str, list[int]]:
    """Beginning -> places of the labels that have it; a label begins itself."""
    found: dict[str, list[int]] = {}
    for place, label in enumerate(labels):
        for cut in range(len(label) + 1):
            found.setdefault(label[:cut], []).append(place)
    return found


def _read(
    labels: list[str], begins: dict[str, list[int]], text: str, listed: Listed, top: int
) -> _Node:
    """One list against the labels, the answer being begun with `text`."""
    node, seen = _Node(), set[int]()
    begun = text.strip()
    onward = 0.0
    for token, chance in listed.items():
        spelled = text + token
        ahead = begins.get(spelled.lstrip(), ())
        plain = spelled.strip()
        if not ahead and (plain == spelled or plain not in begins):
            continue
        places = [place for place in begins.get(plain, ()) if labels[place] == plain]
        if places and plain != begun and len(ahead) <= 1 and tuple(ahead) in ((), (places[0],)):
            node.found[places[0]] = node.found.get(places[0], 0.0) + chance
            seen.add(places[0])
            onward += chance
        elif ahead and token:
            node.begun.append((token, chance))
            seen.update(ahead)
            onward += chance
    reach = set(begins.get(text.lstrip(), ()))
    whole = next((place for place in reach if labels[place] == begun), None)
    if (
        whole is not None
    ):  # a label, and the beginning of others: it ends unless one of them goes on
        reach.discard(whole)
        node.found[whole] = node.found.get(whole, 0.0) + max(0.0, 1.0 - onward)
    if len(seen) < len(reach) or not reach <= seen:
        node.open = _beyond([labels[p] for p in reach - seen], text, listed, top)
    return node


def _beyond(missing: list[str], text: str, listed: Listed, top: int) -> float:
    """Bound of the probability that the answer goes on to a label of which nothing is listed."""
    if not missing:
        return 0.0
    remainder = max(0.0, 1.0 - sum(listed.values()))
    likeliest = sorted(listed.values(), reverse=True)
    last = likeliest[min(len(likeliest), top) - 1] if likeliest else 1.0
    begun = text.lstrip()
    rests = [label[len(begun) :] for label in missing]
    ways = {rest[:cut] for rest in rests for cut in range(1, len(rest) + 1)}
    spaced = 2 * len(ways) + 2 if not begun else len(ways)  # " A" beside "A"; " " and a line break
    return min(remainder, spaced * last)


def distribution(found: Sequence[float], temperature: float) -> NDArray[np.float64]:
    """Log of the distribution over options (options,) at a temperature, of probabilities at 1."""
    # A handful of numbers: faster without arrays.
    scores = [log(chance) if chance > 0 else -inf for chance in found]
    most = max(scores)
    if temperature == 0.0:
        first = scores.index(most)
        scores = [0.0 if place == first else -inf for place in range(len(scores))]
    else:
        scores = [(score - most) / temperature for score in scores]
    whole = log(sum([exp(score) for score in scores]))
    return np.array([score - whole for score in scores])


def spelled(tokens: Sequence[tuple[str, float]], label: str) -> float | None:
    """Log-probability of a label as the last of some scored tokens; None if they do not spell it.

    The first of its tokens may hold the end of what stands before it, as a space.
    """
    text, score = "", 0.0
    for token, logprob in reversed(tokens):
        text, score = token + text, score + logprob
        if len(text) >= len(label):
            return score if text.endswith(label) else None
    return None
