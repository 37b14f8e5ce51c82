"""Closed forms against the published numbers, and against a slow way to the same."""

import numpy as np
import pytest

from cloudchamber.validation import closed_forms as known


@pytest.mark.parametrize(
    ("precision", "right"),
    [(0.55, 0.5664), (0.6, 0.6316), (2 / 3, 0.7143), (0.7, 0.7532), (0.8, 0.8571), (0.9, 0.9396)],
)
def test_cascades_in_the_long_run(precision: float, right: float) -> None:
    """Bikhchandani, Hirshleifer & Welch 1992, as far as decided by a coin."""
    found = known.cascade_shares(precision, 1000)
    assert found.right == pytest.approx(right, abs=5e-5)
    assert found.none == pytest.approx(0) and found.right + found.wrong == pytest.approx(1)


@pytest.mark.parametrize("precision", [0.55, 0.7, 0.9])
@pytest.mark.parametrize("chosen", [2, 6, 20])
def test_cascades_after_some_choices(precision: float, chosen: int) -> None:
    """Their formulas as they are written."""
    p = precision
    found = known.cascade_shares(p, chosen)
    none = (p - p**2) ** (chosen / 2)
    assert found.none == pytest.approx(none)
    assert found.right == pytest.approx(p * (p + 1) * (1 - none) / (2 * (1 - p + p**2)))
    assert found.wrong == pytest.approx((p - 2) * (p - 1) * (1 - none) / (2 * (1 - p + p**2)))


def test_cascades_where_ties_go_to_the_own_sign() -> None:
    """Anderson & Holt 1997: a pair in nine sees five cascades begin, and four in five are right."""
    pair, many = (known.cascade_shares(2 / 3, n, "own sign") for n in (2, 1000))
    assert pair.right + pair.wrong == pytest.approx(5 / 9)
    assert many.right == pytest.approx(0.8)


def test_places_rise_from_precision_to_the_long_run() -> None:
    places = [known.right_by_place(0.7, place) for place in range(40)]
    assert places[0] == places[1] == pytest.approx(0.7)
    assert (np.diff(places) >= -1e-12).all() and places[-1] == pytest.approx(0.7532, abs=1e-4)


@pytest.mark.parametrize(
    ("sd", "share"),
    [
        (8, 0.09),
        (10, 0.77),
        (11, 1.7),
        (12, 4.0),
        (12.2, 5.5),
        (12.3, 100),
        (15, 100),
        (20, 99.99),
        (30, 99.3),
        (50, 90.5),
    ],
)
def test_thresholds_around_25_of_100(sd: float, share: float) -> None:
    found = 100 * known.threshold_share(0.25, sd / 100)
    assert found == pytest.approx(share, abs=0.05 if share < 99.9 or share == 100 else 0.005)


def test_thresholds_that_do_not_vary() -> None:
    assert known.threshold_share(0.25, 0) == 0 and known.threshold_share(0.0, 0) == 1


@pytest.mark.parametrize("reproduction", [1.001, 1.5, 2.0, 5.0])
def test_final_size_solves_its_equation(reproduction: float) -> None:
    s = known.final_size(reproduction)
    assert 0 < s < 1 and s == pytest.approx(1 - np.exp(-reproduction * s), abs=1e-12)


@pytest.mark.parametrize("reproduction", [0.5, 1.0, 2.0])
def test_final_size_with_seeds(reproduction: float) -> None:
    s = known.final_size(reproduction, 0.01)
    assert 0.01 < s < 1 and s == pytest.approx(1 - 0.99 * np.exp(-reproduction * s), abs=1e-12)


def test_outbreaks_below_one() -> None:
    assert known.final_size(1.0) == 0 == known.final_size(0.5)
    assert known.mean_outbreak(0.5) == 2 and known.mean_outbreak(1.0) == np.inf


@pytest.mark.parametrize("strength", [0.5, 1.0, 1.2, 2.0, 4.84])
@pytest.mark.parametrize("lean", [0.0, 0.1])
def test_opinion_solves_its_equation(strength: float, lean: float) -> None:
    m = known.opinion(strength, lean)
    assert m == pytest.approx(np.tanh(strength * m + lean), abs=1e-9)
    assert (m > 0) == (strength > 1 or lean > 0)


@pytest.mark.parametrize("strength", [1.1, 1.5, 3.0])
def test_the_loop_is_the_area_between_the_branches(strength: float) -> None:
    turn = known.fold(strength)
    lean = np.linspace(-turn, turn, 4001)
    upper = np.ones_like(lean)
    for _ in range(30_000):
        upper = np.tanh(strength * upper + lean)
    area = float(np.trapezoid(upper + upper[::-1], lean))
    assert known.loop_area(strength) == pytest.approx(area, rel=2e-3)
    # Just beyond the fold the upper branch is gone, just before it is there.
    for beyond, there in ((1.001, False), (0.999, True)):
        m = 1.0
        for _ in range(100_000):
            m = np.tanh(strength * m - turn * beyond)
        assert (m > 0) == there


def test_without_majority_force_there_is_no_loop() -> None:
    assert known.loop_area(1.0) == 0 == known.fold(0.7)


def test_the_critical_mass_of_the_binary_naming_game() -> None:
    """0.09789 by bisection elsewhere; below it the mean field is at rest where most keep their word."""
    assert known.critical_commitment() == pytest.approx(0.09789, abs=3e-5)
    for committed in (0.0, 0.05, 0.09):
        a, b = known.naming_at_rest(committed)
        both = 1 - a - b - committed
        assert both**2 + both * a + 1.5 * committed * both == pytest.approx(a * b, abs=1e-9)
        assert both**2 + both * b == pytest.approx((a + committed) * b, abs=1e-9)
        assert b > 0.5
    assert known.naming_at_rest(0.11)[0] == pytest.approx(0.89, abs=1e-6)


def test_a_loop_swept_over_a_grid_tends_to_the_closed_form() -> None:
    """One thing refined at a time: more levels, all settled at each; then longer at each."""
    closed = known.loop_area(1.5)
    for levels in (21, 81, 321, 1281):
        # A jump, of less than 2, is somewhere between two levels; there are two of them.
        settled = known.swept_area(1.5, 0.5, levels, 2000)
        assert abs(settled - closed) < 2 / (levels - 1)
    assert known.swept_area(1.5, 0.5, 1281, 2000) == pytest.approx(closed, abs=5e-4)
    paces = [known.swept_area(1.5, 0.5, 641, steps) for steps in (5, 20, 80, 320, 1280)]
    assert paces == sorted(paces, reverse=True)
    assert paces[-1] == pytest.approx(closed, abs=2e-3) and paces[0] > closed + 0.03


def test_a_group_swept_tends_to_many() -> None:
    """Chance turns some before their time; between these levels the less, the more they are."""
    many = known.swept_area(1.5, 0.5, 9, 10)
    short = [many - known.swept_area(1.5, 0.5, 9, 10, people) for people in (25, 100, 400)]
    assert short == sorted(short, reverse=True) and short[0] > 0.1 and 0 < short[-1] < 0.03


def test_one_person_swept_by_hand() -> None:
    """A chain of two states: the expected opinion after each of two leans up and two down."""
    up, down = (np.tanh([1.5 + lean, -1.5 + lean]) for lean in (0.4, -0.4))
    expected, after = -1.0, []
    for yes, no in (down, up, up, down):
        expected = float((1 + expected) / 2 * yes + (1 - expected) / 2 * no)
        after.append(expected)
    gap = np.array(after[2:][::-1]) - np.array(after[:2])
    assert known.swept_area(1.5, 0.4, 2, 1, people=1) == pytest.approx(0.8 * gap.mean())
