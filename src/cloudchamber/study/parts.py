"""Which cells of a study one mechanism can explain: the same agents, asked in the same form.

Choices from a list and judgements of one item at a time take fits of their own. Cells in which a group is
told something else, or decided by something else, are of other agents; they are left out, and said to be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cloudchamber.agents import LanguageModel
from cloudchamber.experiment import Cell, Results
from cloudchamber.mechanism import ChoiceData, choices_of
from cloudchamber.microspec import Microspec
from cloudchamber.study.study import Study

__all__ = ["Part", "parts_of"]

Asked = Literal["one", "several", "any"]


@dataclass(frozen=True)
class Part:
    """Cells in which the same agents are asked in the same form."""

    form: str
    """In words: "from a list" or "one item at a time", and how many may be taken."""
    asked: Asked
    groups: tuple[str, ...]
    """Whose choices are explained."""
    fitted: tuple[str, ...]
    """The cells whose choices mechanisms are fitted to."""
    unseen: tuple[str, ...]
    """The others, in which they are only regrown."""

    @property
    def cells(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.fitted, *self.unseen)

    def unlike(self, spec: Microspec, risk: Microspec) -> str:
        """Why the agents of a specification are not those of this part; empty if they are.

        Args:
            spec: any.
            risk: that of the study's cell at risk.
        """
        form = _form(spec)
        if form is None or form[0] != self.form:
            return f"agents do not choose {self.form} there"
        return _unlike(spec, risk, self.groups)

    def choices(self, results: Results, group: str) -> ChoiceData:
        """A group's choices in the fitted cells, by replicate.

        The unit is the replicate: its runs in several cells share their noise, and are not independent.
        Contexts: "cell", and each factor's level.
        """
        cells = [results.design[name] for name in self.fitted]
        runs = {run: cell for cell in reversed(cells) for run in results.ids(cell)}
        data = choices_of(
            results.trace, asked=self.asked, runs=runs, content=cells[0].spec.world.content()
        )
        number = {cell.name: _number(cell.spec, group) for cell in cells}
        known = np.unique(data.run)
        of = [runs[int(run)] for run in known]
        at = np.searchsorted(known, data.run)
        mine = data.group == np.array([number[cell.name] for cell in of])[at]
        done = results.done.drop_duplicates("run").set_index("run")["replicate"]
        replicate = done.loc[known.tolist()].to_numpy(np.int64)[at]
        order = np.flatnonzero(mine)
        order = order[np.argsort(replicate[order], kind="stable")]
        told = data.where(order, run=replicate[order])
        levels: dict[str, Any] = {"cell": np.array([cell.name for cell in of])[at][order]}
        for factor in dict.fromkeys(name for cell in of for name in cell.levels):
            if factor.isidentifier():
                level = np.array([cell.levels.get(factor, "") for cell in of])
                levels[factor] = level[at][order]
        return told.within(**levels)


def parts_of(
    study: Study, results: Results, fit_on: Sequence[str] = ()
) -> tuple[tuple[Part, ...], Mapping[str, str]]:
    """The parts of a study that has runs, that of the cell at risk first; and why cells are left out.

    Args:
        study: whose results they are.
        results: of `study.results`.
        fit_on: the cells whose choices are fitted; if none is given, the combinations of factors, and
            further cells of the same world.

    Raises:
        SpecificationError: there is no such cell.
    """
    risk = results.design[study.at_risk()]
    wanted = {results.require(name).id for name in fit_on} or _usual(study, risk)
    groups = _explained(risk.spec)
    left: dict[str, str] = {}
    by: dict[tuple[str, Asked], list[Cell]] = {}
    for cell in results.design:
        why = _unlike(cell.spec, risk.spec, groups)
        form = _form(cell.spec)
        if why or form is None:
            left[cell.name] = why or "amounts are asked for, which no mechanism gives yet"
        elif not results.ids(cell):
            left[cell.name] = "no run of it is complete"
        elif cell.id not in {one.id for one in by.get(form, [])}:
            by.setdefault(form, []).append(cell)
    first = _form(risk.spec)
    parts = []
    for form in sorted(by, key=lambda one: one != first):
        fitted = tuple(cell.name for cell in by[form] if cell.id in wanted)
        unseen = tuple(cell.name for cell in by[form] if cell.id not in wanted)
        if fitted:
            parts.append(Part(form[0], form[1], groups, fitted, unseen))
            continue
        left |= dict.fromkeys(unseen, f"no cell was fitted in which agents choose {form[0]}")
    return tuple(parts), left


def _usual(study: Study, risk: Cell) -> set[str]:
    more = [cell for cell in study.more if cell.spec.world == risk.spec.world]
    return {cell.id for cell in (*study.combinations(), *more)}


def _explained(spec: Microspec) -> tuple[str, ...]:
    """The groups whose choices are explained: those who ask a language model, or else all."""
    there = [group for group in spec.population.groups if group.count]
    asking = [group.name for group in there if isinstance(group.decides, LanguageModel)]
    return tuple(asking or [group.name for group in there])


def _unlike(spec: Microspec, risk: Microspec, groups: tuple[str, ...]) -> str:
    """Why a cell's agents are not those that are explained; empty if they are."""
    own = {group.name: group for group in spec.population.groups if group.count}
    usual = {group.name: group for group in risk.population.groups}
    for name in groups:
        if name not in own:
            return f"it has none of the {name}"
        if own[name].decides != usual[name].decides or own[name].personas != usual[name].personas:
            return f"its {name} are told or decided by something else"
    for name, group in own.items():
        if name not in groups and isinstance(group.decides, LanguageModel):
            return f"its {name} ask a language model, and were not fitted"
    return ""


def _form(spec: Microspec) -> tuple[str, Asked] | None:
    can = spec.affordances
    if can.presentation == "one at a time":
        return "one item at a time", "any"
    forms: dict[str, tuple[str, Asked]] = {
        "one": ("one from a list", "one"),
        "up to": (f"up to {can.most} from a list", "several"),
        "any": ("any number from a list", "any"),
    }
    return forms.get(can.choose)


def _number(spec: Microspec, group: str) -> int:
    return next(at for at, one in enumerate(spec.population.groups) if one.name == group)
