"""One seed, named streams: known values, shapes, independence along every part of an address."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from cloudchamber import randomness

PARTS = ("replicate", "step", "agent", "occasion")


def test_the_lanes_of_a_key_are_splitmix64() -> None:
    """Reference output for the seed 1234567 (Vigna's splitmix64.c; Rosetta Code)."""
    known = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert randomness.bits(np.array(1234567, np.uint64), 5).tolist() == known


def test_values_stay_what_they_are() -> None:
    """A change here changes every run that anyone ever kept: raise FORMAT if it must be."""
    key = randomness.keys(1, 2, "choice", 3, 4, 5)
    assert key == np.uint64(GOLDEN_KEY), int(key)
    assert randomness.keys(1, 2, "order", 3, 4, 5) != key
    assert randomness.keys(2, 2, "choice", 3, 4, 5) != key


GOLDEN_KEY = 2977266929660404480


def test_the_same_address_in_another_process_draws_the_same() -> None:
    code = (
        "from cloudchamber import randomness as r; "
        "print(int(r.keys(7, 1, 'choice', 2, 3)), r.generator(7, 1, 'topology').random())"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    key, number = told.stdout.split()
    assert int(key) == int(randomness.keys(7, 1, "choice", 2, 3))
    assert float(number) == randomness.generator(7, 1, "topology").random()


def test_parts_of_an_address_broadcast() -> None:
    keys = randomness.keys(0, np.arange(3)[:, None], "choice", 1, np.arange(5))
    assert keys.shape == (3, 5) and keys.dtype == np.uint64
    assert keys[2, 4] == randomness.keys(0, 2, "choice", 1, 4)
    assert randomness.keys(0, 0, "choice").shape == ()
    assert randomness.bits(keys, 4).shape == (3, 5, 4)
    lanes = np.array([[3, 1], [0, 2]])
    some = randomness.bits(keys[0, :2], lanes)
    assert some[0, 0] == randomness.bits(keys[0, 0], 4)[3]
    assert some[1, 1] == randomness.bits(keys[0, 1], 4)[2]


@given(st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**40), st.integers(-1, 2**31))
def test_any_seed_replicate_and_agent_will_do(seed: int, replicate: int, agent: int) -> None:
    drawn = randomness.uniforms(randomness.keys(seed, replicate, "x", agent=agent), 3)
    assert ((drawn > 0) & (drawn < 1)).all()


def test_no_two_addresses_share_a_key() -> None:
    grid = np.meshgrid(*[np.arange(20)] * 4, indexing="ij")
    keys = randomness.keys(5, grid[0], "choice", grid[1], grid[2], grid[3])
    assert len(np.unique(keys)) == keys.size


@pytest.mark.parametrize(
    ("drawn", "law"),
    [
        (randomness.uniforms, "uniform"),
        (randomness.exponentials, "expon"),
        (randomness.gumbels, "gumbel_r"),
        (randomness.normals, "norm"),
    ],
)
def test_distributions(drawn: object, law: str) -> None:
    assert callable(drawn)
    numbers = drawn(randomness.keys(11, np.arange(4000), "choice"), 5).ravel()
    assert kstest(numbers, law).pvalue > 1e-3


@pytest.mark.parametrize("part", PARTS)
def test_neighbours_along_each_part_are_independent(part: str) -> None:
    given_ = dict.fromkeys(PARTS, 3) | {part: np.arange(20_001)}
    keys = randomness.keys(1, stream="choice", **given_)
    drawn = randomness.uniforms(keys, 2)
    r = np.corrcoef(drawn[:-1, 0], drawn[1:, 0])[0, 1]
    across = np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1]
    assert abs(r) < 4 / np.sqrt(20_000) and abs(across) < 4 / np.sqrt(20_000)


def test_streams_and_seeds_are_independent() -> None:
    numbers = np.arange(20_000)
    one = randomness.uniforms(randomness.keys(1, numbers, "choice"), 1)[:, 0]
    for other in (randomness.keys(2, numbers, "choice"), randomness.keys(1, numbers, "order")):
        r = np.corrcoef(one, randomness.uniforms(other, 1)[:, 0])[0, 1]
        assert abs(r) < 4 / np.sqrt(20_000)


def test_gumbel_and_exponential_are_the_same_noise() -> None:
    keys = randomness.keys(1, np.arange(1000), "choice")
    weights = np.array([4.0, 3, 2, 1])
    gumbel = (np.log(weights) + randomness.gumbels(keys, 4)).argmax(axis=1)
    assert np.array_equal(gumbel, (randomness.exponentials(keys, 4) / weights).argmin(axis=1))
