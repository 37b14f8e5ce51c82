"""Which conditions of a study matter to its phenomenon, and which suffice, from results that are there."""

from pathlib import Path
from typing import TYPE_CHECKING

from cloudchamber.analysis.saved import save
from cloudchamber.analysis.sensitivity.screening import Screening, screen
from cloudchamber.analysis.sensitivity.surrogate import surrogate_indices
from cloudchamber.analysis.sensitivity.variance import Indices, sobol_indices
from cloudchamber.analysis.sufficiency import Sufficiency, sufficient_conditions
from cloudchamber.errors import SpecificationError
from cloudchamber.experiment import Results, Sample
from cloudchamber.experiment.probing import Paths, Rows
from cloudchamber.measures import Measure
from cloudchamber.study.study import Study

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["excesses", "grown", "sensitivity", "sufficiency"]


def excesses(study: Study, results: Results, measure: Measure | None = None) -> "pd.DataFrame":
    """A measure less that of each cell's own null: a row a replicate, a column a judged cell.

    Where the null is equal shares, it is the measure itself: the null is the same for every cell. Of the
    phenomenon's own measure it is told in the phenomenon's direction: of what falls, how far it fell.

    Args:
        study: whose results they are.
        results: of `study.run` or `study.results`.
        measure: the phenomenon's own, if not given.
    """
    import pandas as pd  # 300 ms that `import cloudchamber` need not pay

    table = results.measure(measure or study.phenomenon.measure)
    nulls = {cell.name: study.null_of(cell) for cell in study.judged()}
    own = measure is None or measure is study.phenomenon.measure
    sign = -1.0 if own and study.phenomenon.criterion.direction == "below" else 1.0
    return pd.DataFrame(
        {
            name: sign * (table[name] - (table[null.name] if null else 0.0))
            for name, null in nulls.items()
        }
    )


def grown(study: Study, results: Results, *, above: float | None = None) -> "pd.DataFrame":
    """Whether each run grew the phenomenon: 1 or 0 by replicate and combination, NaN where there is no run.

    A run grew it if it exceeds its own null, in the direction of the phenomenon, by more than `above`.

    Args:
        study: whose results they are.
        results: of `study.run` or `study.results`.
        above: the phenomenon's own margin, if not given; in the measure's units.

    Raises:
        SpecificationError: the margin is told in spreads, or there is no null, and `above` is not given.
    """
    criterion = study.phenomenon.criterion
    if above is None and (criterion.in_sd or study.null is None):
        lacking = "the margin is told in spreads" if criterion.in_sd else "the study has no null"
        raise SpecificationError(
            f"above: none is given, and {lacking}; give one in the units of the "
            f"{study.phenomenon.measure.name}."
        )
    told = excesses(study, results)[[cell.name for cell in study.combinations()]]
    found: pd.DataFrame = (told > (criterion.margin if above is None else above)).astype(float)
    return found.where(told.notna())


def sensitivity(study: Study, results: Results, *, level: float = 0.95) -> Indices | Screening:
    """Which factors the excess over the null depends on; kept as results/sensitivity.parquet.

    What is computed follows from the study's plan: Morris screening of `morris_paths`, Sobol indices of
    `saltelli_rows`, and of a sampled design those of a surrogate.

    Args:
        study: whose results they are.
        results: of `study.run` or `study.results`, at least three replicates.
        level: confidence of each interval.

    Raises:
        SpecificationError: a plan that tells no sensitivity, or too little was grown.
    """
    design = study.combinations()
    table = excesses(study, results)
    found: Indices | Screening
    if isinstance(design, Paths):
        found = screen(design, table, level=level)
    elif isinstance(design, Rows):
        found = sobol_indices(design, table, level=level)
    elif isinstance(design, Sample):
        found = surrogate_indices(design, table, level=level)
    else:
        raise SpecificationError(
            "plan: sensitivity takes a sampled design; give the study plan=partial(sobol_sequence, n=64), "
            "or one of morris_paths and saltelli_rows."
        )
    save(found.table(), _kept(results, "sensitivity"))
    return found


def sufficiency(
    study: Study,
    results: Results,
    *,
    certain: float = 0.9,
    most: int = 4,
    above: float | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Sufficiency:
    """The smallest sets of conditions that make the phenomenon certain; kept as results/sufficiency.parquet.

    Args:
        study: whose results they are.
        results: of `study.run` or `study.results`.
        certain: the share of runs from which it is called certain.
        most: conditions of a set at most.
        above: see `grown`.
        level: confidence of each interval.
        seed: of the split into runs that find and runs that judge.

    Raises:
        SpecificationError: see `grown` and `cloudchamber.analysis.sufficient_conditions`.
    """
    runs = grown(study, results, above=above)
    found = sufficient_conditions(
        study.combinations(), runs, certain=certain, most=most, level=level, seed=seed
    )
    save(found.table(), _kept(results, "sufficiency"))
    save(runs.rename_axis("replicate").reset_index(), _kept(results, "grown"))
    return found


def _kept(results: Results, name: str) -> Path:
    return results.folder.parent / "results" / f"{name}.parquet"
