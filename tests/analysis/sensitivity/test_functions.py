"""The functions of known sensitivity are what they are said to be: their variance, by integration."""

import numpy as np
import pytest

from tests.analysis.functions import G_PARTS, ISHIGAMI, g_function, ishigami


def test_ishigami() -> None:
    side = (np.arange(80) + 0.5) / 80
    grid = np.stack(np.meshgrid(side, side, side, indexing="ij"), axis=-1)
    values = ishigami(grid)
    assert values.var() == pytest.approx(ISHIGAMI.variance, rel=1e-3)
    means = [values.mean(axis=tuple({0, 1, 2} - {k})) for k in range(3)]
    firsts = [mean.var() / values.var() for mean in means]
    assert firsts == pytest.approx(ISHIGAMI.first, abs=1e-3)


def test_g_function() -> None:
    side = (np.arange(200) + 0.5) / 200
    for parameter, part in zip(G_PARTS.parameters, G_PARTS.parts, strict=True):
        assert g_function(side[:, None], [parameter]).var() == pytest.approx(part, rel=1e-3)
