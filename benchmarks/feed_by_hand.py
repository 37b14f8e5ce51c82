"""The feed of rule agents as a loop written by hand in Numba: the rival of `feed_rules`.

The same behaviour, step by step: every reader's list is shuffled anew, the first `width` places are
considered, an item with any like attracts more, one item is drawn in proportion, likes count from the next
step on. What a hand-written loop leaves out: draws that do not depend on the order of calls, hence pairing
and replays (`keyed` alone has them, and so ends in the engine's likes exactly); any other regime; labels,
groups, answers that are checked; where what was shown came from.
"""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from cloudchamber import randomness

__all__ = ["bare", "first_places", "keeping", "keyed"]


@numba.njit(inline="always")  # type: ignore[untyped-decorator]
def _next(state: Any) -> Any:
    """xoroshiro128+ (Blackman & Vigna 2018): the fastest good generator that fits two registers."""
    s0, s1 = state[0], state[1]
    drawn = s0 + s1
    s1 ^= s0
    state[0] = ((s0 << np.uint64(24)) | (s0 >> np.uint64(40))) ^ s1 ^ (s1 << np.uint64(16))
    state[1] = (s1 << np.uint64(37)) | (s1 >> np.uint64(27))
    return drawn


@numba.njit(inline="always")  # type: ignore[untyped-decorator]
def _below(state: Any, n: Any) -> Any:
    """A whole number below n by multiplication (Lemire 2019), of 32 bits."""
    return np.int64(((_next(state) >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))


@numba.njit(inline="always")  # type: ignore[untyped-decorator]
def _uniform(state: Any) -> Any:
    return (_next(state) >> np.uint64(11)) * 2.0**-53


@numba.njit(inline="always")  # type: ignore[untyped-decorator]
def _inclinations(likes: Any, appeal: float, strength: float, inclined: Any) -> None:
    """Likes stand still within a step, so each item's inclination is worked out once a step."""
    for item in range(len(likes)):
        proof = 1.0 if likes[item] > 0 else 0.0
        inclined[item] = 1.0 / (1.0 + np.exp(-(appeal + strength * proof)))


@numba.njit(inline="always")  # type: ignore[untyped-decorator]
def _picked(state: Any, order: Any, inclined: Any, width: int) -> Any:
    """The place of the item drawn in proportion to its weight, and the sum of weights."""
    total = 0.0
    for place in range(width):
        total += inclined[order[place]]
    left = _uniform(state) * total
    for place in range(width - 1):
        left -= inclined[order[place]]
        if left < 0:
            return place, total
    return width - 1, total


@numba.njit  # type: ignore[untyped-decorator]
def bare(
    agents: int, steps: int, items: int, width: int, appeal: float, strength: float, seed: int
) -> Any:
    """Each reader's whole list is shuffled; nothing is kept but the likes."""
    state = np.array([seed, 0x9E3779B97F4A7C15], np.uint64)
    likes, inclined = np.zeros(items, np.int64), np.empty(items)
    order = np.arange(items)
    for _ in range(steps):
        _inclinations(likes, appeal, strength, inclined)
        for _ in range(agents):
            for place in range(items - 1):
                other = place + _below(state, items - place)
                order[place], order[other] = order[other], order[place]
            place, _ = _picked(state, order, inclined, width)
            likes[order[place]] += 1
    return likes


@numba.njit  # type: ignore[untyped-decorator]
def first_places(
    agents: int, steps: int, items: int, width: int, appeal: float, strength: float, seed: int
) -> Any:
    """As `bare`, but only the considered places are dealt: no one would ever know the rest of the list."""
    state = np.array([seed, 0x9E3779B97F4A7C15], np.uint64)
    likes, inclined = np.zeros(items, np.int64), np.empty(items)
    order = np.arange(items)
    for _ in range(steps):
        _inclinations(likes, appeal, strength, inclined)
        for _ in range(agents):
            for place in range(width):
                other = place + _below(state, items - place)
                order[place], order[other] = order[other], order[place]
            place, _ = _picked(state, order, inclined, width)
            likes[order[place]] += 1
    return likes


@numba.njit  # type: ignore[untyped-decorator]
def _step_kept(
    state: Any,
    likes: Any,
    inclined: Any,
    width: int,
    shown: Any,
    signal: Any,
    chance: Any,
    pick: Any,
) -> None:
    items = len(likes)
    before = likes.copy()
    order = np.arange(items)
    for agent in range(len(pick)):
        for place in range(items - 1):
            other = place + _below(state, items - place)
            order[place], order[other] = order[other], order[place]
        place, total = _picked(state, order, inclined, width)
        pick[agent] = place
        likes[order[place]] += 1
        for place in range(items):
            item = order[place]
            shown[agent, place] = item
            signal[agent, place] = before[item]
            chance[agent, place] = inclined[item] / total if place < width else 0.0


@numba.njit  # type: ignore[untyped-decorator]
def _state(seed: int) -> Any:
    return np.array([seed, 0x9E3779B97F4A7C15], np.uint64)


def keeping(
    agents: int, steps: int, items: int, width: int, appeal: float, strength: float, seed: int
) -> list[tuple[NDArray[Any], ...]]:
    """As `bare`, and it keeps what was shown, with which likes and probability, and what was picked."""
    state, likes, inclined = _state(seed), np.zeros(items, np.int64), np.empty(items)
    kept: list[tuple[NDArray[Any], ...]] = []
    for _ in range(steps):
        for_all = 1.0 / (1.0 + np.exp(-(appeal + strength * (likes > 0))))
        inclined[:] = for_all
        shape = (agents, items)
        rows = (
            np.empty(shape, np.int32),
            np.empty(shape),
            np.empty(shape, np.float32),
            np.empty(agents, np.int8),
        )
        _step_kept(state, likes, inclined, width, *rows)
        kept.append(rows)
    return kept


@numba.njit(inline="always")  # type: ignore[untyped-decorator]
def _mix(z: Any) -> Any:
    z ^= z >> np.uint64(30)
    z *= np.uint64(0xBF58476D1CE4E5B9)
    z ^= z >> np.uint64(27)
    z *= np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@numba.njit  # type: ignore[untyped-decorator]
def _sort(values: Any) -> None:
    """By insertion: fastest in Numba for 48 numbers."""
    for at in range(1, len(values)):
        value, place = values[at], at
        while place > 0 and values[place - 1] > value:
            values[place] = values[place - 1]
            place -= 1
        values[place] = value


@numba.njit  # type: ignore[untyped-decorator]
def _step_keyed(orders: Any, choices: Any, likes: Any, inclined: Any, width: int) -> None:
    items = len(likes)
    drawn = np.empty(items, np.uint64)
    golden, low = np.uint64(0x9E3779B97F4A7C15), np.uint64(63)
    for agent in range(len(orders)):
        for item in range(items):
            lane = np.uint64(item)
            drawn[item] = (_mix(orders[agent] + (lane + np.uint64(1)) * golden) & ~low) | lane
        _sort(drawn)
        first, soonest = np.uint64(0), np.inf
        for place in range(width):
            lane = drawn[place] & low
            bits = _mix(choices[agent] + (lane + np.uint64(1)) * golden) >> np.uint64(11)
            arrival = -np.log((np.float64(bits) + 0.5) * 2.0**-53) / inclined[lane]
            if arrival < soonest:
                first, soonest = lane, arrival
        likes[first] += 1


def keyed(
    agents: int, steps: int, items: int, width: int, appeal: float, strength: float, seed: int
) -> NDArray[np.int64]:
    """As `bare`, with the engine's own draws (up to 64 items): it ends in the same likes."""
    likes = np.zeros(items, np.int64)
    for step in range(steps):
        inclined = 1.0 / (1.0 + np.exp(-(appeal + strength * (likes > 0))))
        orders, choices = (
            randomness.keys(seed, 0, stream, step, np.arange(agents))
            for stream in ("order", "choice")
        )
        _step_keyed(orders, choices, likes, inclined, width)
    return likes
