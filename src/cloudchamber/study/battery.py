"""The battery of a study: its cell at risk, perturbed in every dimension, one at a time, as a study again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING

from cloudchamber.analysis.battery import Perturbed, Relevance, relevance
from cloudchamber.analysis.effects.equivalence import Test
from cloudchamber.errors import SpecificationError
from cloudchamber.intervention.perturbations import Battery, Perturbation
from cloudchamber.intervention.perturbations import battery as perturbations
from cloudchamber.study.study import Study

if TYPE_CHECKING:
    from cloudchamber.experiment import Results

__all__ = ["StudyBattery", "battery", "least_change"]


@dataclass(frozen=True)
class StudyBattery:
    """A study's battery: a study to be run, and how its results are judged."""

    study: Study
    """Run, estimated and reported like any other: the perturbations are its interventions."""
    perturbations: tuple[Perturbation, ...]
    left_out: Mapping[str, str]
    """Dimension -> why nothing of it can be perturbed here."""

    @cached_property
    def perturbed(self) -> tuple[Perturbed, ...]:
        """Each perturbation's cell, and the cell that its excess is told against."""
        found = []
        for one in self.perturbations:
            cell = self.study.design()[f"with {one.name}"]
            twin = self.study.null_of(cell)
            null = "" if twin is None else twin.name
            found.append(Perturbed(cell.name, one.dimension, one.name, null))
        return tuple(found)

    def margin(self, given: float | None = None) -> float:
        """The least change that would matter, in the measure's units; the phenomenon's own if none is given.

        Raises:
            SpecificationError: it is not above 0, or the phenomenon's is told in spreads and none is given.
        """
        return least_change(self.study, given)

    def judge(
        self, results: "Results", *, margin: float | None = None, test: Test = "permutation"
    ) -> Relevance:
        """Which dimensions matter to the macro pattern, which do not, which cannot be told.

        Args:
            results: of `study.run` (or `study.results`).
            margin: the least change that would matter; the phenomenon's own, if not given.
            test: as for `cloudchamber.analysis.effects.estimates`.

        Raises:
            SpecificationError: as `margin`.
        """
        study, least = self.study, self.margin(margin)
        base = study.design()[study.at_risk()]
        twin = study.null_of(base)
        return relevance(
            results,
            study.phenomenon.measure,
            base.name,
            self.perturbed,
            margin=least,
            null="" if twin is None else twin.name,
            level=study.phenomenon.criterion.level,
            test=test,
        )


def least_change(study: Study, given: float | None = None) -> float:
    """The least change of a study's measure that would matter, in the measure's units.

    Args:
        study: any.
        given: what is asked for; the phenomenon's own margin if nothing is.

    Raises:
        SpecificationError: it is not above 0, or the phenomenon's is told in spreads and none is given.
    """
    criterion = study.phenomenon.criterion
    units = f"the units of the {study.phenomenon.measure.aloud()}"
    if given is None and (criterion.in_sd or criterion.margin == 0):
        of = "in standard deviations of its null" if criterion.in_sd else "0"
        raise SpecificationError(
            f"margin: the phenomenon's is {of}; give the least change that would matter, in {units}."
        )
    least = criterion.margin if given is None else given
    if not (isfinite(least) and least > 0):
        raise SpecificationError(f"margin: {least:g} was given; allowed: above 0, in {units}.")
    return least


def battery(study: Study, *, only: tuple[str, ...] = ()) -> StudyBattery:
    """A study's battery.

    Args:
        study: any; what is perturbed is its cell at risk.
        only: dimensions, if not all (see `cloudchamber.intervention.DIMENSIONS`).

    Raises:
        SpecificationError: an unknown dimension, or nothing that could be perturbed.
    """
    risk = study.design()[study.at_risk()]
    all_of_it = perturbations(risk.spec)
    known = (*dict.fromkeys(one.dimension for one in all_of_it.perturbations), *all_of_it.left_out)
    for name in only:
        if name not in known:
            raise SpecificationError(f"dimension: {name!r} given; allowed: {', '.join(known)}.")
    kept = _only(all_of_it, only)
    if not kept.perturbations:
        raise SpecificationError(
            "nothing of the study can be perturbed: "
            + "; ".join(f"{name}: {why}" for name, why in kept.left_out.items())
        )
    derived = replace(
        study,
        name=f"{study.name}-battery",
        title=f"{study.title or study.name}: what matters?",
        question=(
            f"Which regimes are causally relevant to {study.phenomenon.name} in the cell "
            f"{risk.name!r}, and which are shown not to be?"
        ),
        hypothesis="",
        microspec=risk.spec,
        factors=(),
        more=(),
        risk="",
        interventions=tuple(one.change for one in kept.perturbations),
        attack=None,
        field=None,
        account=None,
    )
    return StudyBattery(derived, kept.perturbations, kept.left_out)


def _only(whole: Battery, only: tuple[str, ...]) -> Battery:
    if not only:
        return whole
    kept = tuple(one for one in whole.perturbations if one.dimension in only)
    return Battery(kept, {name: why for name, why in whole.left_out.items() if name in only})
