"""What language models did in the naming game, and rules fitted to it: to the baseline runs alone.

Ashery, Aiello & Baronchelli 2025. What the rules grow is held against runs that none was fitted to, with a
committed minority: `docs/studies/conventions.md` tells what is found.
"""

from functools import cache

import pytest

from benchmarks.recorded_conventions import DIFFERING, LOOK_UP, RULES, Recorded, early, fitted
from benchmarks.regrown_conventions import ahead, held_out, regrown
from cloudchamber.mechanism import ChoiceData, compare, fit
from tests.field_data import field_file


@cache
def recorded(model: str) -> Recorded:
    field_file("ashery_naming_game", "interactions.csv.gz")
    return Recorded.read(field_file("ashery_naming_game", "runs.csv").parent, model)


@cache
def baseline(model: str) -> ChoiceData:
    return recorded(model).choices(24, 5)


def test_the_look_up_table_says_too_little_of_a_minority_and_recency_too_much() -> None:
    """Four committed of 24 overturned M in eight of the model's ten runs."""
    data = baseline("llama31")
    assert len(data) == 25_470 and len(data.runs) == 40
    some = early(data)
    recency = fit(RULES["recency"], some, to="choices")
    assert {"after 0 of 1", "met"} <= set(recency.differing())
    rules = {LOOK_UP: fit(RULES["table"], data).mechanism, "recency": recency.mechanism}
    grown = regrown(rules, committed=4, to=0, runs=60)
    flipped = {name: (one.share > 0.5).mean() for name, one in grown.items()}
    assert flipped[LOOK_UP] < 0.3 and flipped["recency"] > 0.9, flipped
    found = compare({"table": RULES["table"], "recency": RULES["recency"]}, some, to="choices")
    assert found.winner == "recency"


@pytest.mark.slow
def test_what_the_look_up_table_reaches() -> None:
    """As counted elsewhere: of 24, 4, 5, 6 and 8 overturn .03, .5, .9, 1; Llama-3 agrees after 385."""
    table = {LOOK_UP: fit(RULES["table"], baseline("llama31")).mechanism}
    for committed, share in ((4, 0.03), (5, 0.5), (6, 0.9), (8, 1.0)):
        grown = regrown(table, committed=committed, to=0, runs=200)[LOOK_UP]
        assert (grown.share > 0.5).mean() == pytest.approx(share, abs=0.15), committed
    table = {LOOK_UP: fit(RULES["table"], baseline("llama3")).mechanism}
    grown = regrown(table, longest=1200, runs=200)[LOOK_UP]
    assert grown.meetings.mean() == pytest.approx(385, abs=25)
    assert (grown.share > 0.5).all()


@pytest.mark.slow
def test_runs_that_differ_foretell_what_one_rule_for_all_does_not() -> None:
    """Llama-3.1-70B, by rules that know its baseline alone: when it agrees, and whom some overturn.

    Of who is overturned a single rule is not told from the table; rules drawn run by run are ahead of both.
    """
    rules = fitted(baseline("llama31"))
    names = ("recency", "payoffs")
    some = {LOOK_UP: rules[LOOK_UP]}
    some |= {one: rules[one] for name in names for one in (name, name + DIFFERING)}
    took = recorded("llama31").of("baseline", 24, 5).n_interactions
    error = took.std() / len(took) ** 0.5
    grown = regrown(some, longest=1200, runs=100)
    assert grown[LOOK_UP].meetings.mean() > took.mean() + 6 * error
    assert abs(grown["recency" + DIFFERING].meetings.mean() - took.mean()) < 2 * error
    known = recorded("llama31").of("committed", 24, 5)
    found = held_out(some, known[known.challenger == "Q"], runs=200)
    assert len(found) == 60 * len(some)
    for name in names:
        alone = ahead(found, name, LOOK_UP, "log")
        assert alone.low < 0 < alone.high, (name, alone)
        for other in (LOOK_UP, name):
            assert ahead(found, name + DIFFERING, other, "log").value > 5, (name, other)


@pytest.mark.slow
def test_of_llama_3_the_rule_that_predicts_best_foretells_minorities_too() -> None:
    """Fitted to 24 agents, grown with 48 of whom three to five are committed; the table is told too few."""
    known = recorded("llama3")
    data = known.choices(24, 3)
    names = ("table", "recency", "table and recency")
    rivals = {name: RULES[name] for name in names}
    assert compare(rivals, early(data), to="choices").winner == "table and recency"
    best = fit(RULES["table and recency"], early(data), to="choices").mechanism
    rules = {LOOK_UP: fit(RULES["table"], data).mechanism, "table and recency": best}
    runs = known.of("committed", 48, 3)
    some = runs[(runs.challenger == "Q") & runs.n_committed.between(3, 5)]
    found = held_out(rules, some, agents=48, memory=3, runs=100, stop=None)
    assert ahead(found, "table and recency", LOOK_UP, "log").low > 0
