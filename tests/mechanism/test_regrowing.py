"""A mechanism that is the rule regrows what the rule grew, run by run; another is found not to suffice."""

from pathlib import Path

import numpy as np
import pytest

from cloudchamber.agents import TwoStage
from cloudchamber.errors import SpecificationError
from cloudchamber.experiment import Driver, Factor, Results, factorial
from cloudchamber.measures import MEASURES, UNPREDICTABILITY
from cloudchamber.mechanism import (
    ConsiderThenChoose,
    FallOff,
    Gate,
    Logit,
    Signal,
    choices_of,
    decided_by,
    fit,
    plausible,
    regrow,
)
from cloudchamber.microspec import Group, Population
from tests.mechanism.made import feed_spec

RULE = TwoStage(width=3.0, taste=0.0, strength=2.0)
SAME = ConsiderThenChoose(considered=Gate(width=3), terms=(Signal(strength=2.0),), appeal=-1.0)
GINI = MEASURES["gini"]
SHOWN, HIDDEN = "exact", "hidden"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Likes shown or hidden; eight runs of each."""
    folder = tmp_path_factory.mktemp("grown") / "trace"
    factor = Factor.at("visibility.fields.likes", [SHOWN, HIDDEN], "likes")
    design = factorial(feed_spec(RULE, items=10, agents=12), [factor])
    Driver(folder, seed=3).grow(design, 8)
    return Results(design, 8, 3, Path(folder))


def test_the_rule_itself_regrows_every_run(results: Results) -> None:
    measures = [GINI, MEASURES["mean position"], UNPREDICTABILITY]
    found = regrow(results, SAME, measures, margins={"gini": 0.05}, draws=2)
    assert found.cells == (SHOWN, HIDDEN)
    for key, values in found.grown.items():
        np.testing.assert_allclose(found.regrown[key], np.broadcast_to(values, (3, 8)), atol=1e-6)
    told = found.sufficiency("gini", [(SHOWN, HIDDEN)])
    assert told.answer == "sufficient" and len(told.matches) == 3
    assert "Sufficient" in told.sentence()
    course = found.course(SHOWN, "gini")
    assert [one.gap.value for one in course[-2:]] == [0.0, 0.0]


def test_who_heeds_no_likes_does_not_suffice(results: Results) -> None:
    """It fits where likes are hidden, and grows something else where they are shown."""
    blind = ConsiderThenChoose(considered=Gate(width=3), appeal=-1.0)
    found = regrow(results, blind, [GINI], margins={"gini": 0.02}, seen=[HIDDEN], draws=0)
    told = found.sufficiency("gini", [(SHOWN, HIDDEN)])
    assert told.answer == "not sufficient"
    assert {one.cell for one in told.failing} == {SHOWN}
    assert found.level(HIDDEN, "gini").answer() == "sufficient"
    assert not found.level(SHOWN, "gini").seen
    assert "never seen by the fit" in told.sentence()
    table = found.table("gini", [(SHOWN, HIDDEN)])
    assert table["answer"].tolist() == ["not sufficient", "sufficient", "not sufficient"]
    assert table["against"].tolist() == ["", "", HIDDEN]


def test_without_a_margin_nothing_is_claimed(results: Results) -> None:
    told = regrow(results, SAME, [GINI], draws=0).sufficiency("gini")
    assert told.answer == "cannot tell" and len(told.open) == 2


def test_what_the_fit_leaves_open_widens_what_is_regrown(results: Results) -> None:
    data = choices_of(results.trace)
    found = fit(Logit(terms=(FallOff(), Signal())), data, to="choices")
    sure = regrow(results, found.mechanism, [GINI], draws=6)
    unsure = regrow(results, found, [GINI], draws=6)
    one, other = sure.level(SHOWN, "gini"), unsure.level(SHOWN, "gini")
    assert one.fit_error == 0 < other.fit_error
    assert one.gap.value == other.gap.value
    assert other.gap.high - other.gap.low > one.gap.high - one.gap.low


def test_draws_have_the_covariance_of_the_fit(results: Results) -> None:
    data = choices_of(results.trace)
    found = fit(Logit(terms=(FallOff(), Signal())), data, to="choices")
    drawn = plausible(found, 4000, seed=1)
    assert drawn[0] == found.mechanism and len(drawn) == 4001
    values = np.array([one.values("one") for one in drawn[1:]])
    freedom = found.runs - 1
    wide = found.covariance * freedom / (freedom - 2)
    np.testing.assert_allclose(np.cov(values.T), wide, rtol=0.12, atol=0.05 * wide.max())
    np.testing.assert_allclose(values.mean(axis=0), found.values, atol=0.1 * found.errors.max())
    assert plausible(found, 3, seed=1)[3] == drawn[3] != plausible(found, 3, seed=2)[3]


def test_what_is_known_only_together_is_drawn_together(results: Results) -> None:
    """Of two terms that are one, their sum varies as that one does, and their difference does not."""
    data = choices_of(results.trace)
    one = fit(Logit(terms=(Signal(),)), data, to="choices")
    both = fit(Logit(terms=(Signal(), Signal(form="threshold"))), data, to="choices")
    assert both.flat
    values = np.array([drawn.values("one") for drawn in plausible(both, 500)[1:]])
    assert values.sum(axis=1).std() == pytest.approx(one.errors[0], rel=0.15)
    assert np.ptp(values[:, 0] - values[:, 1]) < 1e-6


def test_what_cannot_be_regrown_is_said(results: Results) -> None:
    with pytest.raises(SpecificationError, match="no group 'readers'"):
        regrow(results, {"readers": SAME}, [GINI])
    with pytest.raises(SpecificationError, match="was not regrown; there are exact, hidden"):
        regrow(results, SAME, [GINI], draws=0).level("elsewhere", "gini")
    one = fit(Logit(terms=(FallOff(),)), choices_of(results.trace, runs=results.ids(SHOWN)[:1]))
    with pytest.raises(SpecificationError, match="rests on one run"):
        plausible(one, 2)
    gated = fit(Logit(terms=(Gate(width=1),)), choices_of(results.trace))
    with pytest.raises(SpecificationError, match="cannot be under"):
        plausible(gated, 0)


def test_other_groups_stay(tmp_path: Path) -> None:
    """Half of the readers are replaced by themselves: all stays as it was."""
    groups = (Group(name="one", count=6, decides=RULE), Group(name="two", count=6, decides=RULE))
    spec = feed_spec(RULE, items=10).replace("population", Population(groups=groups))
    design = factorial(spec, [])
    Driver(tmp_path / "trace", seed=3).grow(design, 4)
    results = Results(design, 4, 3, tmp_path / "trace")
    found = regrow(results, {"two": SAME}, [GINI], draws=1)
    np.testing.assert_allclose(
        found.regrown["baseline", "gini"][1], found.grown["baseline", "gini"]
    )
    asking = spec.replace("population.groups.0.decides", "model")
    with pytest.raises(SpecificationError, match="'one' asks a language model"):
        decided_by(asking, {"two": SAME})
