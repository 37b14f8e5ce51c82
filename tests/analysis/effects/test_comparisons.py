from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cloudchamber.analysis.effects.adjustment import adjust
from cloudchamber.analysis.effects.effect_sizes import cohens_dz, hedges_g
from cloudchamber.analysis.effects.equivalence import tost
from cloudchamber.analysis.effects.estimates import difference, effects, ratio, sentence
from cloudchamber.analysis.effects.parting import courses, parting
from cloudchamber.analysis.saved import load, save
from cloudchamber.errors import SpecificationError
from cloudchamber.experiment import Results
from cloudchamber.measures import MEASURES
from cloudchamber.phenomenon import HERDING_FACETS
from cloudchamber.trace import TraceFolder
from tests.experiment.small import design, grown

RUNS = 12


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Cells with a large effect, with nearly none, with none at all, and with a spread that hides it."""
    rng = np.random.default_rng(0)
    base = rng.normal(0.3, 0.05, RUNS)
    noise = rng.normal(0, 0.08, RUNS)
    return pd.DataFrame(
        {
            "base": base,
            "far": base + rng.normal(0.1, 0.03, RUNS),
            "near": base + rng.normal(0, 0.01, RUNS),
            "same": base,
            "wild": base + 0.02 + noise - noise.mean(),
        }
    )


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("grown")
    grown(folder, design(), RUNS)
    return Results(design(), RUNS, 0, folder)


def test_each_row_is_what_its_functions_say(table: pd.DataFrame) -> None:
    for paired in (True, False):
        found = effects(table, "gini", against="base", paired=paired, margin=0.03)
        assert found["cell"].tolist() == ["far", "near", "same", "wild"]
        for _, row in found.iterrows():
            a, b = table[row["cell"]], table["base"]
            gap, share = difference(a, b, paired=paired), ratio(a, b, paired=paired)
            size = cohens_dz(a, b) if paired else hedges_g(a, b)
            within = tost(a, b, 0.03, paired=paired)
            expected = [gap.value, gap.low, gap.high, gap.p, share.value, share.low, share.high]
            expected += [size.value, size.low, size.high, within.p]
            names = ["estimate", "low", "high", "p", "ratio", "ratio_low", "ratio_high"]
            names += ["effect_size", "effect_size_low", "effect_size_high", "p_equivalence"]
            assert row[names].tolist() == pytest.approx(expected, nan_ok=True)
        assert found["p_adjusted"].tolist() == pytest.approx(adjust(found["p"]))


def test_the_three_verdicts_and_their_sentences(table: pd.DataFrame) -> None:
    found = effects(table, "gini", against="base", margin=0.03).set_index("cell", drop=False)
    told = {"far": "effect", "near": "no effect", "same": "no effect", "wild": "undecided"}
    assert found["verdict"].to_dict() == told
    assert found["runs_needed"].notna().to_dict() == {k: v == "undecided" for k, v in told.items()}
    assert found["runs_needed"].max() > RUNS
    said = {cell: sentence(row) for cell, row in found.iterrows()}
    assert said["far"].startswith("far differs from base in gini: 0.")
    assert said["near"].startswith("near and base differ in gini by less than 0.03: ")
    assert said["wild"].startswith("Whether wild differs from base in gini cannot be told: ")
    assert said["wild"].endswith(" pairs would decide.")
    assert all("12 pairs of runs" in one and "holm" in one for one in said.values())


def test_without_a_margin_no_effect_cannot_be_told(table: pd.DataFrame) -> None:
    found = effects(table, against="base")
    assert found["verdict"].tolist() == ["effect", "undecided", "undecided", "undecided"]
    assert found["p_equivalence"].isna().all() and found["margin"].isna().all()


def test_few_runs_decide_nothing(table: pd.DataFrame) -> None:
    few = effects(table.head(3), against="base", margin=0.5, test="t")
    assert (few["verdict"] == "undecided").all()
    assert (effects(table.head(1), against="base")["verdict"] == "undecided").all()


def test_who_is_compared_with_whom(table: pd.DataFrame) -> None:
    assert len(effects(table)) == 10
    own = effects(table, against={"far": "base", "wild": "near"})
    assert own[["cell", "against"]].values.tolist() == [["far", "base"], ["wild", "near"]]
    with pytest.raises(SpecificationError, match="cell: 'bas'.*Did you mean 'base'"):
        effects(table, against="bas")
    with pytest.raises(SpecificationError, match="nothing to compare"):
        effects(table[["base"]], against="base")


def test_families(table: pd.DataFrame) -> None:
    long = table.rename_axis("replicate").reset_index().melt("replicate", var_name="cell")
    two = pd.concat([long.assign(measure="one"), long.assign(measure="two")])
    whole, apart = effects(two, against="base"), effects(two, against="base", by_measure=True)
    assert len(whole) == 8
    single = effects(table, against="base")
    for name in ("one", "two"):
        here = apart[apart["measure"] == name]
        assert here["p_adjusted"].tolist() == single["p_adjusted"].tolist()
    assert whole["p_adjusted"].tolist() == pytest.approx(adjust(whole["p"]))
    only = effects(two, "two", against="base", correct="benjamini-hochberg")
    assert only["p_adjusted"].tolist() == pytest.approx(adjust(single["p"], "benjamini-hochberg"))
    with pytest.raises(SpecificationError, match="measure: 'three'"):
        effects(two, "three")
    with pytest.raises(SpecificationError, match="several rows"):
        effects(two.drop(columns="measure"))
    with pytest.raises(SpecificationError, match="a wide frame holds one measure"):
        effects(table, ["one", "two"])


def test_frames_in_any_order_say_the_same(table: pd.DataFrame) -> None:
    shuffled = table.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(
        effects(shuffled, against="base", margin=0.03),
        effects(table, against="base", margin=0.03),
    )
    gap = table.copy()
    gap.loc[2, "far"] = np.nan
    found = effects(gap, against={"far": "base"})
    assert found[["n", "n_against"]].to_numpy().tolist() == [[11, 11]]
    expected = difference(gap["far"], gap["base"], paired=True)
    assert found.loc[0, "estimate"] == pytest.approx(expected.value)


def test_margins_in_spreads_of_the_baseline(table: pd.DataFrame) -> None:
    found = effects(table, against="base", margin=1.0, in_sd=True)
    spread = table["base"].std() * (1 + 1 / (4 * (RUNS - 1)))
    assert found["margin"].tolist() == pytest.approx([spread] * 4)
    assert found.set_index("cell").loc["near", "verdict"] == "no effect"


def test_intervals_by_bootstrap(table: pd.DataFrame) -> None:
    t = effects(table, against="base")
    drawn = effects(table, against="base", interval="percentile-t")
    assert (t["low"] - drawn["low"]).abs().max() < 0.05
    assert not np.allclose(t["low"], drawn["low"])
    assert t["p"].tolist() == drawn["p"].tolist()


def test_results_by_name_of_the_measure(results: Results) -> None:
    found = effects(results, ["gini", MEASURES["top-1 share"]], against="hidden / shuffled")
    assert found["measure"].unique().tolist() == ["gini", "top-1 share"]
    table = results.measure("gini")
    cell = "exact / shuffled"
    row = found[(found["measure"] == "gini") & (found["cell"] == cell)].iloc[0]
    gap = difference(table[cell], table["hidden / shuffled"], paired=True)
    assert (row["estimate"], row["low"], row["p"]) == pytest.approx((gap.value, gap.low, gap.p))

    def likes(trace: TraceFolder) -> "pd.Series[float]":
        return 2 * MEASURES["gini"](trace)

    own = effects(results, likes, against={cell: "hidden / shuffled"}).to_dict("records")[0]
    assert own["measure"] == "likes" and own["estimate"] == pytest.approx(2 * gap.value)
    with pytest.raises(SpecificationError, match="say which measure"):
        effects(results)


def test_a_measure_that_compares_runs_takes_the_jackknife(results: Results) -> None:
    cell, null = "exact / shuffled", "hidden / shuffled"
    found = effects(results, "unpredictability", against={cell: null}, margin=0.2).to_dict(
        "records"
    )[0]
    facet = HERDING_FACETS[-1]
    told = facet.against_baseline(results.trace, results.ids(cell), results.ids(null))
    assert (found["estimate"], found["low"], found["high"]) == pytest.approx(
        (told.excess.value, told.excess.low, told.excess.high)
    )
    assert (found["test"], found["interval"]) == ("t", "jackknife")
    assert (found["p"] < 0.05) == (found["low"] > 0 or found["high"] < 0)
    assert found["verdict"] == "no effect"
    with pytest.raises(SpecificationError, match="no spread between them"):
        effects(results, "unpredictability", margin=1.0, in_sd=True)


def test_courses_of_a_cell(results: Results) -> None:
    a, b = (courses(results, "gini", name) for name in ("exact / shuffled", "hidden / shuffled"))
    assert a.index.tolist() == b.index.tolist() == list(range(RUNS))
    pd.testing.assert_series_equal(
        a.iloc[:, -1], results.measure("gini")["exact / shuffled"], check_names=False
    )
    assert parting(a, b, paired=True).n == RUNS
    with pytest.raises(SpecificationError, match="no course over steps"):
        courses(results, "mean position", "exact / shuffled")
    with pytest.raises(SpecificationError, match="exact / shuffled"):
        courses(results, "gini", "exact")


def test_tables_are_kept_as_they_are(table: pd.DataFrame, tmp_path: Path) -> None:
    found = effects(table, "gini", against="base", margin=0.03)
    path = save(found, tmp_path / "tables" / "effects.parquet")
    pd.testing.assert_frame_equal(load(path), found, check_dtype=False)
    assert [p.name for p in path.parent.iterdir()] == ["effects.parquet"]
    assert sentence(load(path).iloc[0]) == sentence(found.iloc[0])


def test_what_cannot_be_asked_is_refused(table: pd.DataFrame) -> None:
    for given, why in (
        ({"test": "z"}, "test: 'z'; allowed: permutation, t"),
        ({"interval": "bootstrap"}, "interval: 'bootstrap'; allowed: "),
        ({"level": 95}, "level: 95; allowed: above 0.5 and below 1"),
        ({"margin": {"ginny": 0.1}}, "margin: of 'ginny'"),
    ):
        with pytest.raises(SpecificationError, match=why):
            effects(table, "gini", **given)
    with pytest.raises(SpecificationError, match="infinite"):
        effects(table * np.inf, "gini")


def test_where_no_run_is_left_there_is_no_test() -> None:
    lost = pd.DataFrame({"a": [np.nan] * 6, "b": np.arange(6.0), "c": np.arange(6.0) + 0.01})
    told = effects(lost, "gini", margin=1.0)
    assert told["p_equivalence"].isna().tolist() == [True, True, False]
    # And what was not tested does not count among the tests that p is adjusted for.
    assert list(told[["cell", "against"]].iloc[2]) == ["c", "b"]
    assert told["p_equivalence_adjusted"].iloc[2] == told["p_equivalence"].iloc[2]
