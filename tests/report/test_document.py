"""Documents refuse what could not be shown."""

import pandas as pd
import pytest

from cloudchamber.errors import SpecificationError
from cloudchamber.report.document import Check, Document, Figure, Prose, Section, Verdict

ROWS = pd.DataFrame({"a": [1]})


def test_answers_and_states_are_closed_lists() -> None:
    with pytest.raises(SpecificationError, match="Did you mean 'undecided'"):
        Verdict("v", "undecidet", ())  # type: ignore[arg-type]
    with pytest.raises(SpecificationError, match=r"Check\.state is 'ok'; allowed: bad, fine, warn"):
        Check("q", "a", "ok")  # type: ignore[arg-type]


def test_one_text_for_a_tuple_of_texts_is_refused() -> None:
    with pytest.raises(SpecificationError, match=r"Write \(text,\)"):
        Verdict("v", "met", "because")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "1a", "a b", "a'b", "a" * 65, "é"])
def test_ids_of_figures_are_plain(name: str) -> None:
    with pytest.raises(SpecificationError, match=r"Figure\.id"):
        Figure(name, "t", "c", {}, ROWS)


def test_a_specification_has_no_data_of_its_own() -> None:
    with pytest.raises(SpecificationError, match="'data' of its own"):
        Figure("a", "t", "c", {"data": {"url": "http://example.org"}}, ROWS)


def test_sections_and_ids() -> None:
    figure = Figure("a", "t", "c", {}, ROWS)
    with pytest.raises(SpecificationError, match="allowed: 1 to 5"):
        Section("s", 6, "", ())
    with pytest.raises(SpecificationError, match="block of type str"):
        Section("s", 1, "", ("text",))  # type: ignore[arg-type]
    with pytest.raises(SpecificationError, match="called 'a'"):
        Document("t", "q", ("a",), (), (Section("s", 1, "", (figure, figure)),), "run")


def test_blocks_are_found_by_kind_in_order() -> None:
    figure, verdict = Figure("a", "t", "c", {}, ROWS), Verdict("v", "met", ())
    sections = (Section("s", 1, "", (Prose("p"), verdict)), Section("u", None, "", (figure,)))
    document = Document("t", "q", ("a",), (), sections, "run")
    assert document.figures == (figure,)
    assert document.verdicts == (verdict,)
    assert len(document.blocks) == 3
