"""What is told while it grows: in words, in a terminal, and as lines elsewhere."""

import pytest

from cloudchamber.cli.watching import amount, pace, span, stopping, told, watching
from cloudchamber.experiment import Budget, Progress
from cloudchamber.experiment.limits import Spending


class Clock:
    """A clock that is put forward by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def progress() -> Progress:
    return Progress(12, 3, clock=Clock(), expected=200, to_show=40)


def test_runs_of_rules_in_words() -> None:
    going = progress()
    going.clock.now = 100.0  # type: ignore[attr-defined]
    going.questions, going.shown = 50, 10
    assert told(going) == "3/12 runs, 50/200 decisions"
    assert pace(going) == "0.5/s, 300 s left" or pace(going) == "0.5/s, 5 min left"
    going.failed = 2
    assert told(going).startswith("3/12 runs, 2 failed, ")
    going.to_show = 4_000_000
    assert pace(going).endswith(" days left")
    assert pace(progress()) == "0.0/s, ? left"


def test_models_in_words() -> None:
    going = progress()
    going.budget = Budget()
    going.cells, going.asked, going.questions = 4, 50, 60
    going.behind.update({"a": 2, "b": 0, "c": 1})
    assert told(going) == "2/4 cells, 3/12 runs, 60/200 questions, 50 from the store"
    going.budget.spent.add(Spending(42, 123_456, 1.5))
    assert told(going).endswith(", 8 from the store, 123 k tokens, cost 1.50")
    going.budget.spent.add(Spending(1, 1, float("nan")))
    assert told(going).endswith(" tokens, cost unknown")


def test_the_pace_is_that_of_the_last_minute() -> None:
    going, clock = progress(), Clock()
    going.clock = clock
    going.to_show = 100_000
    for second in range(1, 400):
        clock.now = float(second)
        # The store answers what was asked before at a hundred a second, a model the rest at one.
        going.questions += 100 if second < 200 else 1
        going.shown = going.questions
        going.mark()
    assert going.rate == pytest.approx(1.0, rel=0.1)
    assert going.left == pytest.approx(100_000 - going.shown, rel=0.1)


def test_stopping_in_words() -> None:
    going = progress()
    assert stopping(going) == ""
    going.budget = Budget()
    going.budget.stop("interrupted")
    assert stopping(going) == "stopping (interrupted)"
    going.budget.under_way = 3
    assert stopping(going) == (
        "stopping (interrupted); waiting for 3 answers under way, Ctrl-C drops them"
    )


def test_without_a_terminal_a_line_comes_now_and_then_and_at_the_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with watching(quiet=False) as tell:
        tell(Progress(2, 1, questions=5, expected=10))
        assert capsys.readouterr().err == "", "not at each change"
        monkeypatch.setattr("cloudchamber.cli.watching.EVERY", 0.0)
        tell(Progress(2, 1, questions=5, expected=10))
        assert capsys.readouterr().err.startswith("growing: 1/2 runs, 5/10 decisions, ")
        monkeypatch.undo()
        stopped = Progress(2, 1, budget=Budget())
        assert stopped.budget is not None
        stopped.budget.stop("interrupted")
        tell(stopped)
        tell(stopped)
        assert capsys.readouterr().err == "growing: stopping (interrupted)\n"
    with watching(quiet=True) as tell:
        tell(Progress(2, 1))
    assert capsys.readouterr().err == ""


def test_amounts() -> None:
    assert [amount(n) for n in (0, 9_999, 10_000, 123_456, 2_500_000, 3e9)] == [
        "0",
        "9,999",
        "10 k",
        "123 k",
        "2.5 M",
        "3 G",
    ]
    assert [span(s) for s in (5, 89, 90, 5400, 200_000)] == [
        "5 s",
        "89 s",
        "2 min",
        "1.5 h",
        "2 days",
    ]
