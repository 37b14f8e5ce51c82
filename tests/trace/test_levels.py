import numpy as np
import pytest

from cloudchamber.errors import SpecificationError
from cloudchamber.trace import Level


def test_full_keeps_all_and_summary_none() -> None:
    replicates, agents = np.arange(3)[:, None], np.arange(4)
    assert Level("full").keep(replicates, agents).tolist() == [[True] * 4] * 3
    assert Level("summary").keep(replicates, agents).tolist() == [[False] * 4] * 3


def test_sampled_keeps_its_fraction_whatever_the_batch() -> None:
    level = Level("sampled", fraction=0.05, seed=4)
    replicates, agents = np.arange(10)[:, None], np.arange(10_000)
    kept = level.keep(replicates, agents)
    # 100,000 draws: four standard errors are 0.0028
    assert kept.mean() == pytest.approx(0.05, abs=0.0028)
    assert level.keep(3, agents[17:900]).tolist() == kept[3, 17:900].tolist()
    assert (kept[0] != kept[1]).any()
    assert (Level("sampled", 0.05, seed=5).keep(replicates, agents) != kept).any()


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(SpecificationError, match="'smapled'.*'sampled'"):
        Level("smapled")  # type: ignore[arg-type]
    with pytest.raises(SpecificationError, match="fraction.*0; allowed: above 0"):
        Level("sampled", fraction=0)
