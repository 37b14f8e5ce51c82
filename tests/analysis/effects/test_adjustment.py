from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.analysis.effects.adjustment import Correction, adjust, adjusted
from cloudchamber.errors import SpecificationError

stats: Any = scipy.stats

P = [0.01, 0.04, 0.03, 0.005, 0.5, 0.02]
# statsmodels 0.15.0, multipletests(P, method=...): holm, fdr_bh, fdr_by.
REFERENCE: dict[Correction, list[float]] = {
    "holm": [0.05, 0.09, 0.09, 0.03, 0.5, 0.08],
    "benjamini-hochberg": [0.03, 0.048, 0.045, 0.03, 0.5, 0.04],
    "benjamini-yekutieli": [0.0735, 0.1176, 0.11025, 0.0735, 1.0, 0.098],
    "none": P,
}
chances = st.lists(st.floats(0, 1), min_size=1, max_size=20)


@pytest.mark.parametrize("method", REFERENCE)
def test_as_statsmodels_has_it(method: Correction) -> None:
    assert adjust(P, method) == pytest.approx(REFERENCE[method])


@given(chances)
def test_holm_lies_between_the_p_and_bonferroni_and_keeps_the_order(p: list[float]) -> None:
    given_p, found = np.array(p), adjust(p)
    assert (found >= given_p).all()
    assert (found <= np.minimum(given_p * len(p), 1) + 1e-12).all()
    assert (np.diff(found[np.argsort(given_p, kind="stable")]) >= 0).all()
    assert (adjust(p, "benjamini-hochberg") <= found + 1e-12).all()


@given(chances, st.integers(0, 3))
def test_what_was_not_tested_is_not_counted(p: list[float], holes: int) -> None:
    found = adjust([np.nan] * holes + p, "benjamini-hochberg")
    assert np.isnan(found[:holes]).all()
    assert found[holes:] == pytest.approx(stats.false_discovery_control(p))


def test_families_of_a_frame() -> None:
    frame = pd.DataFrame({"measure": ["a", "b", "a", "b"], "p": [0.01, 0.02, 0.04, np.nan]})
    whole = adjusted(frame)
    assert whole["p_adjusted"].tolist()[:3] == pytest.approx([0.03, 0.04, 0.04])
    apart = adjusted(frame, by="measure", into="of its measure")
    assert apart["of its measure"].tolist()[:3] == pytest.approx([0.02, 0.02, 0.04])
    assert np.isnan(apart["of its measure"].iloc[3])
    assert "p_adjusted" not in frame.columns


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(SpecificationError, match=r"'holms'; allowed: .*Did you mean 'holm'"):
        adjust(P, "holms")  # type: ignore[arg-type]
    with pytest.raises(SpecificationError, match="between 0 and 1"):
        adjust([1.2])
    with pytest.raises(SpecificationError, match="column: 'q'"):
        adjusted(pd.DataFrame({"p": P}), "q")
    assert len(adjust([])) == 0


def test_holm_keeps_the_chance_of_any_false_claim() -> None:
    # 2,000 families of ten, three of them with an effect, all sharing a baseline.
    rng = np.random.default_rng(0)
    z = rng.normal(size=(2000, 11))
    gaps = (z[:, 1:] - z[:, :1]) / np.sqrt(2) + np.where(np.arange(10) < 3, 3.0, 0.0)
    p = 2 * stats.norm.sf(np.abs(gaps))
    found = np.array([adjust(one) for one in p])
    false = (found[:, 3:] <= 0.05).any(axis=1).mean()
    assert false <= 0.05 + 0.015
    assert (p[:, 3:] <= 0.05).any(axis=1).mean() > 0.2
