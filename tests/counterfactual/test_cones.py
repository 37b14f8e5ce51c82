"""A cone regrown is the whole regrown."""

import numpy as np
import pytest

from cloudchamber.counterfactual import PastRuns, Raised, Shown, Without, cone, what_if
from cloudchamber.errors import SpecificationError
from cloudchamber.questions import Questions
from tests.counterfactual.specs import MODEL, POLYA, SPECS, models_for


def past(name: str, replicates: int = 2) -> PastRuns:
    spec = SPECS[name]
    return PastRuns(spec, range(replicates), seed=3, models=models_for(spec))


def one_amid(runs: PastRuns) -> int:
    """A decision with some before it and some after."""
    blocks = list(runs.asked())
    return int(blocks[len(blocks) // 2].questions.decision[0])


@pytest.mark.parametrize("name", SPECS)
def test_a_cone_is_the_whole_regrown_byte_for_byte(name: str) -> None:
    runs = past(name)
    number = one_amid(runs)
    offered = next(runs.asked(number)).questions.items[0]
    changes = {"alter": {number: Shown("likes", 50.0, int(offered[0]))}}
    forces = {"force": {number: None}}
    for change in (changes, forces, changes | forces):
        some, whole = cone(runs, **change), cone(runs, **change, anew=True)
        assert some.trace.digest() == whole.trace.digest()
        assert some.asked + some.reused == whole.asked and whole.reused == 0
        assert some.asked < whole.asked
        for column, values in some.decisions.items():
            assert (values == whole.decisions[column]).all()


@pytest.mark.parametrize("name", SPECS)
def test_a_change_of_nothing_is_the_past(name: str) -> None:
    runs = past(name)
    number = one_amid(runs)
    same = cone(runs, alter={number: lambda questions: questions})
    assert same.trace.digest() == runs.past.trace.digest()
    assert same.asked == 0 and same.size == 0 and not len(same.table())


@pytest.mark.parametrize("name", ["polya", "neighbours", "judged", "model"])
def test_forced_to_what_it_did_a_decision_changes_nothing_else(name: str) -> None:
    runs = past(name, 1)
    asked = next(runs.asked())
    item = int(asked.questions.items[0, max(asked.answers.picks[0, 0], 0)])
    did = item if asked.answers.picks[0, 0] >= 0 else None
    same = cone(runs, force={int(asked.questions.decision[0]): did})
    assert same.size == 0 and same.asked == 0
    table = same.table()
    assert table["forced"].tolist() == [True] and not table["answered"].any()
    notes = same.trace.columns("decisions")["note"]
    assert (notes != 0).sum() == 1 + (runs.past.trace.columns("decisions")["note"] != 0).sum()


def test_a_blind_rule_has_no_cone_but_the_decision_itself() -> None:
    runs = past("blind")
    forced = cone(runs, force={0: None})
    table = forced.table()
    assert table.loc[table["answered"], "decision"].tolist() == [0, 0]
    assert table["exposed"].sum() > 2  # they are shown other likes, and do as they did


def test_an_altered_exposure_is_of_one_decision_alone() -> None:
    runs = past("polya", 1)
    changed = cone(runs, alter={3: Shown("likes", 1e9, 2)})
    table = changed.table()
    first = table.iloc[0]
    assert first["decision"] == 3 and first["exposed"] and not first["forced"]
    made = changed.trace.columns("exposures")
    mine = (made["decision"] == 3) & (made["item"] == 2)
    assert made["signal_likes"][mine].tolist() == [1e9] and made["origin"][mine].tolist() == [-1]
    assert made["probability"][mine] > 0.99
    before = runs.past.trace.columns("exposures")
    earlier = before["decision"] < 3
    assert (made["signal_likes"][earlier] == before["signal_likes"][earlier]).all()


def test_the_cone_by_step_and_what_it_comes_to() -> None:
    runs = PastRuns(POLYA.replace("population.groups.0.count", 20), range(25), seed=1)
    offered = range(7)
    seeded = cone(runs, alter={0: Shown("likes", 1e6, 0)}, force=dict.fromkeys(range(1, 6), 0))
    assert seeded.by_step()["exposed"].sum() == seeded.table()["exposed"].sum()
    assert list(seeded.by_step()["step"]) == [0, 1]
    apart = seeded.difference("top-1 share")
    assert apart.n == 25 and apart.low > 0
    assert "asked again" in str(seeded) and len(offered) == 7


def test_models_are_asked_only_what_differs() -> None:
    spec = SPECS["model"]
    fake = models_for(spec)
    assert fake is not None
    runs = PastRuns(spec, (0,), models=fake)
    assert runs.past.trace.columns("decisions")["run"].size == 8
    before = len(fake[MODEL].asked)
    assert before == 8
    late = cone(runs, force={6: None})
    # The last one alone comes after it.
    assert (late.asked, late.reused) == (1, 7)
    assert len(fake[MODEL].asked) == before + 1


def test_from_a_trace_nobody_is_asked_what_is_on_record() -> None:
    spec = SPECS["model"]
    grown = PastRuns(spec, (0, 1), models=models_for(spec)).past.trace
    fake = models_for(spec)
    assert fake is not None
    runs = PastRuns(spec, (1,), models=fake, trace=grown)
    late = cone(runs, force={6: None})
    assert len(fake[MODEL].asked) == late.asked == 1
    anew = cone(PastRuns(spec, (1,), models=models_for(spec)), force={6: None})
    for column in ("choice", "agent", "step"):
        told, asked = (
            late.trace.columns("decisions")[column],
            anew.trace.columns("decisions")[column],
        )
        assert (told == asked).all()


def test_what_makes_no_sense_is_refused() -> None:
    runs = past("polya", 1)
    with pytest.raises(SpecificationError, match="neither given"):
        cone(runs)
    with pytest.raises(SpecificationError, match="decision: 99 given"):
        cone(runs, force={99: None})
    with pytest.raises(SpecificationError, match="item .70. given; allowed"):
        cone(runs, force={0: 70})


def test_any_function_of_questions_is_a_change() -> None:
    def turned(questions: Questions) -> Questions:
        return Raised("likes", 3.0, item=int(questions.items[0, 0]))(Without("order")(questions))

    runs = past("polya", 1)
    changed = cone(runs, alter={1: turned})
    assert changed.table()["exposed"].any()
    assert np.isfinite(changed.trace.columns("exposures")["signal_likes"]).all()


def test_amounts_are_forced_as_amounts() -> None:
    runs = past("market", 1)
    number = one_amid(runs)
    forced = cone(runs, force={number: {0: 12.0, 1: 30.0}})
    made = forced.trace.columns("decisions")
    mine = made["decision"] == number
    assert made["value"][mine].tolist() == [12.0, 30.0]
    table = forced.table()
    assert table["forced"].sum() == 1 and table["answered"].sum() > 1
    with pytest.raises(SpecificationError, match="the amount of each item"):
        cone(runs, force={number: 1})
    with pytest.raises(SpecificationError, match="an item of"):
        cone(past("polya", 1), force={0: {0: 1.0}})


def test_amounts_altered_show_as_amounts() -> None:
    runs = past("market", 1)
    found = what_if(runs, Without("others"), one_amid(runs))
    shift = found.shift
    half = np.abs(shift.before - shift.after).sum(axis=1) / 2
    assert np.allclose(shift.distance, half) and (half > 0).all() and shift.moved.all()
