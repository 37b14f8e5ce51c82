"""Designs: cells by name, grown once for each different specification."""

import re

import pytest

from cloudchamber.errors import SpecificationError
from cloudchamber.experiment import Cell, Design, Factor, Setting, factorial
from cloudchamber.experiment.design import run_id
from tests.experiment.small import design, spec


def test_a_factorial_is_every_combination_and_each_cell_is_what_its_levels_say() -> None:
    cells = {cell.name: cell for cell in design()}
    assert list(cells) == [
        "hidden / shuffled",
        "hidden / popularity",
        "exact / shuffled",
        "exact / popularity",
    ]
    wanted = spec().replace("visibility.fields.likes", "hidden")
    assert cells["hidden / popularity"].spec == wanted.replace("visibility.order", "popularity")
    assert dict(cells["exact / shuffled"].levels) == {"likes": "exact", "order": "shuffled"}


def test_without_factors_there_is_the_baseline_alone() -> None:
    (only,) = factorial(spec(), [])
    assert (only.name, only.spec) == ("baseline", spec())


def test_cells_of_one_specification_are_one_condition() -> None:
    twins = Design((Cell("one", spec()), Cell("other", spec()), Cell("third", spec(readers=4))))
    assert [cell.name for cell in twins.conditions()] == ["one", "third"]
    assert len(twins) == 3
    assert twins["one"].id == twins["other"].id == spec().hash[:12]


def test_two_cells_of_one_name_are_refused() -> None:
    with pytest.raises(SpecificationError, match=r"given twice: \['one'\]"):
        Design((Cell("one", spec()), Cell("one", spec(readers=4))))


def test_an_unknown_cell_is_answered_with_those_there_are() -> None:
    with pytest.raises(SpecificationError, match="no cell 'nope'; allowed: hidden / shuffled"):
        design()["nope"]


def test_of_many_cells_the_near_ones_are_named_first_and_the_rest_is_counted() -> None:
    many = Design(tuple(Cell(f"latency {number:03d}", spec()) for number in range(300)))
    with pytest.raises(SpecificationError) as refused:
        many["latncy 217"]
    said = str(refused.value)
    assert said.startswith("the design has no cell 'latncy 217'; allowed: latency 217, ")
    assert " and 284 more. Did you mean 'latency 217'" in said and len(said) < 400
    with pytest.raises(SpecificationError, match="allowed: latency 017, latency 117, latency 170"):
        many["17"]


@pytest.mark.parametrize(
    ("path", "level", "said"),
    [
        ("visibility.latncy", 1, "Did you mean 'latency'"),
        ("visibilty.latency", 1, "Did you mean 'visibility'"),
        ("visibility.latency", "long", "cell 'long'"),
        ("visibility.top", 7, "there are 6 items"),
        ("population.groups.3.count", 2, "has no entry '3'"),
        ("visibility.fields.clicks", "hidden", "no such field"),
    ],
)
def test_a_factor_that_makes_no_sense_names_the_cell_and_what_is_near(
    path: str, level: object, said: str
) -> None:
    with pytest.raises(SpecificationError, match=re.escape(said)) as caught:
        factorial(spec(), [Factor.at(path, [level])])
    assert f"cell '{level}'" in str(caught.value)


def test_a_level_may_set_several_fields() -> None:
    both = Setting("late top", {"visibility.latency": 1, "visibility.top": 2})
    (cell,) = factorial(spec(), [Factor("how", (both,))])
    assert (cell.spec.visibility.latency, cell.spec.visibility.top) == (1, 2)


def test_where_finds_cells_by_level() -> None:
    assert [cell.name for cell in design().where(likes="exact")] == [
        "exact / shuffled",
        "exact / popularity",
    ]
    assert design().where(likes="exact", order="newest") == ()


def test_the_number_of_a_run_is_stable_positive_and_unlike_any_other() -> None:
    numbers = {
        run_id(cell.spec, seed, replicate)
        for cell in design()
        for seed in (0, 1, 2**62)
        for replicate in range(50)
    }
    assert len(numbers) == 4 * 3 * 50
    assert all(0 < number < 2**53 for number in numbers)
    assert run_id(spec(), 0, 0) == run_id(spec(), 0, 0)
    assert run_id(spec(), 0, 1) != run_id(spec(), 1, 0)
