"""One seed; a named stream for each use.

Every draw has an address: (seed, replicate, stream, step, agent, occasion) and a lane, usually the item
drawn about. The value is a hash of the address, so a draw does not depend on the order of calls, on how
rows are batched, or on what else was drawn: the same draw asked twice is the same, two different ones are
independent, and an intervention meets the same noise as its baseline.

The hash is SplitMix64 (Steele, Lea & Flood, OOPSLA 2014): the address is mixed into a 64-bit key, and the
lanes of a key are the consecutive outputs of the generator that starts there.
"""

from functools import cache
from hashlib import blake2b

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "bits",
    "exponentials",
    "generator",
    "gumbels",
    "keys",
    "normals",
    "uniforms",
]

Keys = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = (np.uint64(s) for s in (30, 27, 31, 11))
# Each part of an address is multiplied by an odd constant of its own, so that (step 1, agent 0)
# and (step 0, agent 1) never meet.
_PARTS = tuple(
    np.uint64(c)
    for c in (
        0xD6E8FEB86659FD93,
        0xA0761D6478BD642F,
        0xE7037ED1A0B428DB,
        0x8EBC6AF09C88C6E3,
    )
)


def _mix(z: Keys) -> Keys:
    """SplitMix64's finaliser, in place on an array of its own."""
    shifted = z >> _S30
    z ^= shifted
    z *= _FIRST
    z ^= np.right_shift(z, _S27, out=shifted)
    z *= _SECOND
    z ^= np.right_shift(z, _S31, out=shifted)
    return z


@cache
def _root(seed: int, stream: str) -> int:
    digest = blake2b(f"{seed}\0{stream}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def keys(
    seed: int,
    replicate: ArrayLike,
    stream: str,
    step: ArrayLike = 0,
    agent: ArrayLike = 0,
    occasion: ArrayLike = 0,
) -> Keys:
    """The 64-bit keys of draws; the parts of the address broadcast against each other.

    Args:
        seed: the experiment's seed, any integer.
        replicate: number of the replicate; a baseline and its intervention share it.
        stream: what is drawn, e.g. "choice", "order", "topology".
        step: step of the run.
        agent: agent, or -1 for what concerns the whole run.
        occasion: 0 for an agent's first decision in a step, 1 for its second, ...
    """
    with np.errstate(over="ignore"):
        key = np.array([_root(seed, stream)], dtype=np.uint64)
        for part, constant in zip((replicate, step, agent, occasion), _PARTS, strict=True):
            number = np.asarray(part, dtype=np.int64).view(np.uint64)
            key = _mix(key + (number + np.uint64(1)) * constant)
    return key.reshape(np.broadcast(*map(np.asarray, (replicate, step, agent, occasion))).shape)


def bits(keys: Keys, lanes: int | ArrayLike) -> Keys:
    """64 random bits for each (key, lane): the lane-th output of SplitMix64 seeded with the key.

    Args:
        keys: any shape.
        lanes: a number L for lanes 0..L-1 (the result has shape keys.shape + (L,)), or an integer
            array whose shape broadcasts against keys[..., None].
    """
    lane = np.arange(lanes) if isinstance(lanes, int) else np.asarray(lanes)
    with np.errstate(over="ignore"):
        start = (lane.astype(np.uint64) + np.uint64(1)) * _GOLDEN
        return _mix(np.asarray(keys)[..., None] + start)


def uniforms(keys: Keys, lanes: int | ArrayLike) -> NDArray[np.float64]:
    """Uniform numbers in the open interval (0, 1), 53 bits each."""
    drawn = bits(keys, lanes)
    drawn >>= _S11
    # 53 bits fit a signed number, which processors turn into a float faster.
    uniform = drawn.view(np.int64).astype(np.float64)
    uniform += 0.5
    uniform *= 2.0**-53
    return uniform


def exponentials(keys: Keys, lanes: int | ArrayLike) -> NDArray[np.float64]:
    """Exponential numbers of mean 1: minus the logarithm of the same uniforms."""
    drawn = uniforms(keys, lanes)
    np.log(drawn, out=drawn)
    return np.negative(drawn, out=drawn)


def gumbels(keys: Keys, lanes: int | ArrayLike) -> NDArray[np.float64]:
    """Standard Gumbel numbers; argmax(log p + gumbels) is a draw from p (Gumbel 1954)."""
    drawn = exponentials(keys, lanes)
    np.log(drawn, out=drawn)
    return np.negative(drawn, out=drawn)


def normals(keys: Keys, lanes: int | ArrayLike) -> NDArray[np.float64]:
    """Standard normal numbers, by the inverse distribution function of the same uniforms."""
    from scipy.special import ndtri  # SciPy costs 100 ms that most runs need not pay

    return np.asarray(ndtri(uniforms(keys, lanes)), dtype=np.float64)


def generator(seed: int, replicate: int, stream: str) -> np.random.Generator:
    """A NumPy generator at an address, for what is drawn whole (a network); its order of calls counts."""
    return np.random.Generator(np.random.PCG64(int(keys(seed, replicate, stream))))
