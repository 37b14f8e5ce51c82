"""Exposures altered from outside: what agents are shown instead of what the run itself would show them.

An alteration is a function of a block's questions. It changes what is shown and nothing else: who is asked,
of what kind and under which noise stays. What is recorded is what was shown; an altered exposure rests on no
decision of its run, so its origin is -1 and its latency 0.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import AnswerError
from cloudchamber.questions import Heard, Questions

__all__ = ["Alter", "altered"]

Alter = Callable[[Questions], Questions]

_ENTRY = ("channel", "item", "source", "origin", "latency", "value")


def altered(
    questions: Questions, alter: Alter | None
) -> tuple[Questions, NDArray[np.bool_] | None]:
    """The questions as they are shown, and which of their options (n, k) are shown otherwise; None: none.

    Raises:
        AnswerError: the alteration gives more or fewer rows or options.
    """
    given = questions if alter is None else alter(questions)
    if given is questions:
        return questions, None
    if given.items.shape != questions.items.shape or len(given.heard.offsets) != len(given) + 1:
        raise AnswerError(
            f"an alteration made {given.items.shape} options of {questions.items.shape}; allowed: as many "
            "rows and options (-1 stands at the end of a short row)."
        )
    foreign = given.items != questions.items
    for name in {*given.signals, *questions.signals}:
        foreign |= _differ(_shown(given, name), _shown(questions, name))
    if given.labels is not None and questions.labels is not None:
        foreign |= given.labels != questions.labels
    shown = replace(
        questions,
        items=given.items,
        signals=given.signals,
        heard=_disowned(given.heard, questions.heard),
        labels=given.labels,
        gaps=questions.gaps or bool((given.items < 0).any()),
    )
    return shown, foreign if foreign.any() else None


def _shown(questions: Questions, name: str) -> NDArray[np.float64]:
    return questions.signals.get(name, np.full(questions.items.shape, np.nan))


def _differ(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray((one != other) & ~(np.isnan(one) & np.isnan(other)))


def _disowned(given: Heard, own: Heard) -> Heard:
    """What is heard, where entries that the row did not hear of itself rest on no decision."""
    if given is own or not given.offsets[-1]:
        return given
    known = {(row, *entry) for row, entry in _entries(own)}
    strange = np.array([(row, *entry) not in known for row, entry in _entries(given)], bool)
    return replace(
        given,
        origin=np.where(strange, -1, given.origin),
        latency=np.where(strange, 0, given.latency),
    )


def _entries(heard: Heard) -> list[tuple[int, tuple[float | str, ...]]]:
    """Each entry with its row; NaN as a value that equals itself."""
    names = sorted(heard.results)
    columns = [getattr(heard, name) for name in _ENTRY] + [heard.results[name] for name in names]
    plain = [np.where(np.isnan(part), -np.inf, part) for part in map(np.asarray, columns)]
    told = [part.tolist() for part in plain]
    told += [heard.words("text").tolist(), heard.words("name").tolist()]
    return list(zip(heard.row().tolist(), zip(*told, strict=True), strict=True))
