"""Fractions: the standard sizes, and aliases that are those of the cells themselves."""

from itertools import combinations

import numpy as np
import pytest

from cloudchamber.errors import SpecificationError
from cloudchamber.experiment import Factor, Fraction, factorial, fractional
from tests.experiment.small import spec

PATHS = (
    ("visibility.latency", [0, 1]),
    ("visibility.fields.likes", ["hidden", "exact"]),
    ("visibility.order", ["shuffled", "popularity"]),
    ("visibility.top", [2, 3]),
    ("turns.steps", [2, 3]),
    ("population.count", [3, 4]),
    ("population.groups[0].decides.strength", [0.5, 1.0]),
)


def factors(k: int) -> list[Factor]:
    return [
        Factor.at(path, list(levels), "abcdefg"[n]) for n, (path, levels) in enumerate(PATHS[:k])
    ]


@pytest.mark.parametrize(
    ("resolution", "basic"),
    # Box, Hunter & Hunter (2005), table 6.22: k factors (from 3 on) in 2^basic cells.
    [
        (3, {3: 2, 4: 3, 5: 3, 6: 3, 7: 3, 8: 4, 11: 4, 15: 4}),
        (4, {4: 3, 5: 4, 6: 4, 7: 4, 8: 4, 9: 5, 11: 5, 16: 5}),
        (5, {5: 4, 6: 5, 7: 6, 8: 6, 9: 7, 10: 7, 11: 7}),
    ],
)
def test_sizes_are_those_of_the_tables(resolution: int, basic: dict[int, int]) -> None:
    from cloudchamber.experiment.fraction import _smallest

    for k, size in basic.items():
        made = _smallest([f"f{n}" for n in range(k)], resolution)
        assert k - len(made) == size, (resolution, k)


@pytest.mark.parametrize(
    ("k", "basic", "shortest", "many"),
    # Minimum aberration: words of the shortest length (Wu & Hamada 2009, tables 5A.2 and 5A.3).
    [(6, 4, 4, 3), (7, 4, 4, 7), (7, 5, 4, 1), (8, 5, 4, 3), (9, 5, 4, 6), (10, 5, 4, 10)],
)
def test_the_fewest_short_words_are_chosen(k: int, basic: int, shortest: int, many: int) -> None:
    from cloudchamber.experiment.fraction import _search

    found = _search(k, basic, shortest)
    assert found is not None
    group = {0}
    for n, word in enumerate(found):
        group |= {one ^ word ^ 1 << (basic + n) for one in group}
    lengths = [word.bit_count() for word in group - {0}]
    assert min(lengths) == shortest
    assert lengths.count(shortest) == many


@pytest.mark.parametrize(("k", "resolution"), [(3, 3), (5, 3), (5, 5), (6, 4), (7, 3), (7, 4)])
def test_two_effects_are_aliases_where_their_contrasts_are_equal_and_else_orthogonal(
    k: int, resolution: int
) -> None:
    made = fractional(spec(), factors(k), resolution=resolution)
    assert made.resolution >= resolution
    signs = made.contrasts()
    effects = [c for size in (1, 2, 3) for c in combinations(signs.columns, size)]
    columns = {effect: signs[list(effect)].prod(axis=1).to_numpy() for effect in effects}
    aliases = made.aliases(order=3)
    assert list(aliases) == effects
    for one, other in combinations(effects, 2):
        product = int(columns[one] @ columns[other])
        assert product == (len(made) if other in aliases[one] else 0), (one, other)
    for word in made.defining():
        assert set(signs[list(word)].prod(axis=1)) == {1}


def test_resolution_v_leaves_main_effects_and_pairs_apart() -> None:
    assert set(fractional(spec(), factors(5), resolution=5).aliases().values()) == {()}


def test_generators_of_ones_own() -> None:
    made = fractional(spec(), factors(5), generators={"d": ("a", "b"), "e": ["a", "c"]})
    assert len(made) == 8
    assert made.resolution == 3
    assert made.defining() == (("a", "b", "d"), ("a", "c", "e"), ("b", "c", "d", "e"))
    assert made.aliases()[("a",)] == (("b", "d"), ("c", "e"))


def test_without_room_for_a_fraction_it_is_the_factorial() -> None:
    whole = fractional(spec(), factors(3), resolution=4)
    assert [cell.spec for cell in whole] == [cell.spec for cell in factorial(spec(), factors(3))]
    assert (whole.generators, whole.resolution, whole.defining()) == ({}, 4, ())
    assert isinstance(whole, Fraction)


def test_each_cell_is_a_cell_of_the_factorial() -> None:
    whole = {cell.name: cell.spec for cell in factorial(spec(), factors(5))}
    part = fractional(spec(), factors(5), resolution=3)
    assert {cell.name: cell.spec for cell in part}.items() <= whole.items()
    counts = np.unique(part.contrasts().to_numpy(), return_counts=True)[1]
    assert (counts == len(part) * 5 / 2).all(), "each factor is at each level in half of the cells"


@pytest.mark.parametrize(
    ("generators", "said"),
    [
        ({"x": ("a", "b")}, "no factor 'x'"),
        ({"c": ("a", "z")}, "follow 'z'"),
        ({"c": ("a",), "b": ("c",)}, "follow 'c', which is no basic factor"),
        ({"c": ()}, "one or more factors"),
        ({"c": ("a", "a")}, "each once"),
    ],
)
def test_generators_that_make_no_sense(generators: dict[str, tuple[str, ...]], said: str) -> None:
    with pytest.raises(SpecificationError, match=said):
        fractional(spec(), factors(3), generators=generators)


def test_other_than_two_levels_are_refused() -> None:
    with pytest.raises(SpecificationError, match="3 levels were given"):
        fractional(spec(), [Factor.at("visibility.latency", [0, 1, 2])])
    with pytest.raises(SpecificationError, match="resolution: 2 was given"):
        fractional(spec(), factors(3), resolution=2)
