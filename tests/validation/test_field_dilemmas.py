"""What people did in repeated dilemmas and public goods, beside the rules that are to stand for them.

The data are no part of the repository; where they are not, these tests are skipped. Dal Bo & Frechette 2011
(as in the package stratEst, CC BY 4.0) and Andreozzi, Ploner & Saral 2020 (CC BY 4.0).
"""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from cloudchamber.analysis import mean
from cloudchamber.games import kept_pairs
from cloudchamber.measures.cooperation import emulative, nice, retaliatory, troublemaking
from tests.field_data import field_file

MATCH = ["treatment", "id", "game"]


@pytest.fixture(scope="module")
def plays() -> pd.DataFrame:
    """A row a choice: whether it cooperates, and what both did before in the same match."""
    table = pd.read_csv(field_file("human_repeated_pd", "DF2011.csv"))
    table = table.sort_values([*MATCH, "period"])
    told = table.assign(c=(table["choice"] == "c") * 1.0)
    before = table.groupby(MATCH)
    return told.assign(own=before["choice"].shift(), other=before["other.choice"].shift())


def after(plays: pd.DataFrame) -> tuple[float, list[float]]:
    """First, and after what both did, as a player of memory one does."""
    first = float(plays[plays["period"] == 1]["c"].mean())
    shares = [
        float(plays[(plays["own"] == a) & (plays["other"] == b)]["c"].mean())
        for a in "cd"
        for b in "cd"
    ]
    return first, shares


def test_people_go_by_what_both_did_last(plays: pd.DataFrame) -> None:
    """They cooperate after both did, defect after nobody did, and lie between where one did alone."""
    by_person: Any = plays.dropna(subset=["own"]).groupby(["own", "other", "treatment", "id"])["c"]
    told = {(a, b): mean(values) for (a, b), values in by_person.mean().groupby(level=[0, 1])}
    assert told["c", "c"].low > 0.9 and told["d", "d"].high < 0.15
    for one in (("c", "d"), ("d", "c")):
        assert told[one].low > 0.2 and told[one].high < 0.6


def test_the_chain_of_memory_one_follows_what_people_did(plays: pd.DataFrame) -> None:
    """By round, in matches of the same kind; where people differ from one another it must miss a little."""
    far = []
    for _, some in plays.groupby("treatment"):
        course = some.groupby("period")["c"].agg(["mean", "count"])
        known = course[course["count"] >= 100]
        chain = kept_pairs(*after(some), int(known.index.max()))
        far.append(np.abs(chain[known.index.to_numpy() - 1] - known["mean"].to_numpy()).max())
    assert len(far) == 6 and max(far) < 0.14 and sorted(far)[4] < 0.05


def test_more_cooperate_where_it_pays_more_and_where_matches_last(plays: pd.DataFrame) -> None:
    rate = plays.groupby("treatment")["c"].mean()
    for long in ("D5", "D75"):
        assert rate[f"{long}R32"] < rate[f"{long}R40"] < rate[f"{long}R48"]
    for reward in (32, 40, 48):
        assert rate[f"D5R{reward}"] < rate[f"D75R{reward}"]


def test_people_are_retaliatory_and_seldom_make_trouble_where_cooperation_pays(
    plays: pd.DataFrame,
) -> None:
    some = plays[plays["treatment"] == "D75R48"]
    length = int(some.groupby(MATCH)["period"].count().max())
    own, other = (np.full((some.groupby(MATCH).ngroups, length), -2) for _ in range(2))
    row, at = some.groupby(MATCH).ngroup().to_numpy(), some["period"].to_numpy() - 1
    own[row, at], other[row, at] = some["choice"] == "d", some["other.choice"] == "d"
    told = {
        f.__name__: np.nanmean(f(own, other)) for f in (nice, retaliatory, troublemaking, emulative)
    }
    assert told["nice"] > 0.9 and told["troublemaking"] < 0.1
    assert told["retaliatory"] > 0.4 and told["emulative"] > 0.8


def test_people_are_imperfect_conditional_cooperators_and_give_less_in_the_end() -> None:
    table = pd.read_csv(field_file("conditional_cooperation", "subjects.csv"))
    person = table.groupby("subject_unq")[["ccL", "ccM", "ccH"]].mean() / 100
    slope, least = mean(person["ccH"] - person["ccL"]), mean(person["ccL"])
    assert slope.low > 0.3 and slope.high < 0.5 and least.high < 0.05
    early, late = (
        table[table["period"].isin(some)].groupby("subject_unq")["uc"].mean() / 100
        for some in ((1, 2), (9, 10))
    )
    assert mean(late - early).high < -0.1
