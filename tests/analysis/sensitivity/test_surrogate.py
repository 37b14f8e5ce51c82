"""The surrogate's indices: closed forms from a sampled design, levels of every kind, and what it misses."""

import numpy as np
import pandas as pd
import pytest

from cloudchamber.analysis.sensitivity.surrogate import surrogate_indices
from cloudchamber.errors import SpecificationError
from cloudchamber.experiment import Axis, Factor, factorial, latin_hypercube, sobol_sequence
from tests.analysis.functions import ISHIGAMI, Reals, axes, base, ishigami, looked_up
from tests.experiment.small import spec


def test_ishigami_lies_within_the_intervals() -> None:
    design = sobol_sequence(base(), axes(3), 256, seed=1)
    noise = np.random.default_rng(2).normal(0, 0.3 * np.sqrt(ISHIGAMI.variance), (4, 256))
    found = surrogate_indices(design, looked_up(design, ishigami, noise, 4))
    told = [*found.first.values(), *found.total.values()]
    for one, true in zip(told, [*ISHIGAMI.first, *ISHIGAMI.total], strict=True):
        assert one.low <= true <= one.high
        assert one.high - one.low < 0.25
    assert found.noise.low <= 0.09 / 1.09 <= found.noise.high
    assert 0 < found.missed < 0.2
    assert "the surrogate misses" in str(found)


def test_a_polynomial_of_its_degree_is_told_exactly() -> None:
    # y = x0 + 2 x0 x1: with centred c, y = 2 c0 + c1 + 2 c0 c1 + const; V = 4/12 + 1/12 + 4/144.
    design = latin_hypercube(base(), axes(3), 40)
    table = looked_up(design, lambda u: u[..., 0] + 2 * u[..., 0] * u[..., 1])
    found = surrogate_indices(design, table, degree=2)
    whole = 4 / 12 + 1 / 12 + 4 / 144
    firsts = [one.value for one in found.first.values()]
    assert firsts == pytest.approx([4 / 12 / whole, 1 / 12 / whole, 0], abs=1e-9)
    assert found.total["x0"].value == pytest.approx((4 / 12 + 4 / 144) / whole)
    assert found.total["x2"].value == pytest.approx(0, abs=1e-9)
    assert found.missed == pytest.approx(0, abs=1e-9)


def test_levels_without_an_order_and_whole_numbers() -> None:
    factors: list[Axis] = [
        Factor.at("visibility.order", ["shuffled", "popularity", "fixed"], "order"),
        Factor.over("visibility.latency", 0, 1, whole=True, name="latency"),
    ]
    design = sobol_sequence(spec(), factors, 48)
    step = {"shuffled": 0.0, "popularity": 3.0, "fixed": 0.0}

    def outcome(u: Reals) -> Reals:
        return np.array(
            [
                step[str(cell.values["order"])] + 2.0 * float(str(cell.values["latency"]))
                for cell in design
            ]
        )

    found = surrogate_indices(design, looked_up(design, outcome), degree=1)
    # Variances over equally likely levels: order 9 (1/3)(2/3) = 2, latency 4 / 4 = 1.
    assert found.first["order"].value == pytest.approx(2 / 3)
    assert found.total["latency"].value == pytest.approx(1 / 3)


def test_what_it_cannot_predict_it_does_not_tell() -> None:
    design = sobol_sequence(base(), axes(3), 64)
    found = surrogate_indices(design, looked_up(design, ishigami), degree=2)
    assert found.missed > 0.5
    assert not any(one.known for one in [*found.first.values(), *found.total.values()])
    assert "cannot tell" in str(found)


def test_a_factor_without_influence_holds_0() -> None:
    design = sobol_sequence(base(), axes(3), 64)
    wrong = 0
    for study in range(40):
        noise = np.random.default_rng(study).normal(0, 0.2, (4, 64))
        found = surrogate_indices(
            design, looked_up(design, lambda u: u[..., 0] * u[..., 1], noise, 4), degree=2
        )
        one = found.total["x2"]
        assert one.known
        wrong += not one.low <= 0 <= one.high
    assert wrong <= 3


def test_too_few_points_for_a_degree_are_refused() -> None:
    design = sobol_sequence(base(), axes(3), 16)
    with pytest.raises(SpecificationError, match="16 whole ones are there"):
        surrogate_indices(design, looked_up(design, ishigami), degree=3)


def test_where_nothing_varies_no_index_is_told() -> None:
    """Of equal numbers a fit leaves rounding, which is nobody's."""
    design = sobol_sequence(base(), axes(3), 32, seed=1)
    found = surrogate_indices(design, looked_up(design, lambda u: 0.3 + 0 * u[..., 0], 0.0, 4))
    assert all(np.isnan(one.value) for one in (*found.first.values(), *found.total.values()))


def test_another_design_is_refused() -> None:
    design = factorial(spec(), [Factor.at("visibility.latency", [0, 1], "latency")])
    table = pd.DataFrame(0.0, index=range(4), columns=[cell.name for cell in design])
    with pytest.raises(
        SpecificationError, match=r"design: a .* was given; allowed: a Sample, as sobol"
    ):
        surrogate_indices(design, table)  # type: ignore[arg-type]
