"""What a battery of perturbations says: which regimes matter to a pattern, which do not, which is unknown.

Every perturbation is compared with the unperturbed cell, run by run, on two outcomes: the measure itself,
and its excess over each cell's own null, which is what influence adds. A regime is *relevant* where one of
its perturbations moves the outcome beyond chance, over all comparisons of that outcome (Holm); *irrelevant*
where each is shown to move it by less than the margin (equivalence tests); else *undecided*. So an
irrelevance is claimed for the perturbations tried, not for all that could be; and each outcome has a chance
of its own of a false claim: of both together it is less than twice as large.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cloudchamber.analysis.effects.comparisons import effects
from cloudchamber.analysis.effects.equivalence import Test
from cloudchamber.analysis.effects.power import fewest
from cloudchamber.errors import SpecificationError
from cloudchamber.measures import Measure, measure_named
from cloudchamber.measures.estimate import FEW, Estimate, about

if TYPE_CHECKING:
    import pandas as pd

    from cloudchamber.experiment import Results

__all__ = ["Perturbed", "Relevance", "Said", "relevance"]

Said = Literal["relevant", "irrelevant", "undecided"]
EXCESS = "excess of the {} over its null"


@dataclass(frozen=True, slots=True)
class Perturbed:
    """A cell that differs from the unperturbed one in one dimension."""

    cell: str
    dimension: str
    change: str
    """What was changed, in a few words."""
    null: str = ""
    """The cell that its excess is told against; none, if not given."""


@dataclass(frozen=True)
class Relevance:
    """What a battery says."""

    baseline: str
    margin: float
    effects: "pd.DataFrame"
    """As `effects` gives it, with the columns dimension and change; a row a perturbation and outcome."""
    dimensions: "pd.DataFrame"
    """A row for each outcome and dimension: verdict, changes, and the largest change with its interval."""

    def verdict(self, dimension: str, outcome: str = "") -> Said:
        """Of one dimension; of the measure itself if no outcome is named."""
        table = self.dimensions
        outcome = outcome or str(table["outcome"].iloc[0])
        found = table[(table["dimension"] == dimension) & (table["outcome"] == outcome)]
        if found.empty:
            known = ", ".join(dict.fromkeys(table["dimension"]))
            raise SpecificationError(f"no dimension {dimension!r} of {outcome}; allowed: {known}.")
        said: Said = found["verdict"].iloc[0]
        return said

    def _alike(self, outcome: str) -> bool:
        """Whether an outcome's verdicts and largest changes are those of the first."""
        table = self.dimensions
        first, other = (
            table[table["outcome"] == name].drop(columns="outcome").reset_index(drop=True)
            for name in (table["outcome"].iloc[0], outcome)
        )
        words = ["dimension", "verdict", "change"]
        close = [
            np.allclose(first[name], other[name], atol=5e-4, equal_nan=True)
            for name in ("estimate", "low", "high")
        ]
        return all(close) and first[words].equals(other[words])

    def _too_few(self, outcome: str) -> str:
        """That no change could be told beyond chance, whatever it was; empty where it could."""
        rows = self.effects[self.effects["measure"] == outcome]
        rows = rows[rows["p"].notna()]
        if rows.empty or set(rows["test"]) != {"permutation"}:
            return ""
        alpha = 1 - float(rows["level"].iloc[0])
        least, there = fewest(alpha / len(rows), paired=True), int(rows["n"].max())
        if there >= least:
            return ""
        return (
            f"With {there} pairs of runs no change can be told beyond chance over {len(rows)} comparisons: "
            f"that takes {least} or more."
        )

    def sentences(self) -> list[str]:
        """A line for each outcome and verdict, naming the dimensions it holds of."""
        lines: list[str] = []
        for outcome, rows in self.dimensions.groupby("outcome", sort=False):
            if lines and self._alike(str(outcome)):
                lines.append(
                    f"The same holds of the {outcome}: its verdicts are the same, and so is the largest "
                    "change in each dimension."
                )
                continue
            lines += [few] if (few := self._too_few(str(outcome))) and few not in lines else []
            for verdict, told in _TOLD.items():
                some = rows[rows["verdict"] == verdict]
                if len(some):
                    named = "; ".join(_named(row) for _, row in some.iterrows())
                    lines.append(told.format(outcome=outcome, margin=self.margin) + f" {named}.")
        return lines


_TOLD: dict[Said, str] = {
    "relevant": "Relevant to the {outcome}:",
    "irrelevant": "Shown to change the {outcome} by less than {margin:g}, as perturbed here:",
    "undecided": "Undecided for the {outcome}:",
}


def _named(row: "pd.Series[Any]") -> str:
    """A dimension and the largest change in it, as it is read aloud."""
    names = ("estimate", "low", "high", "runs_needed")
    value, low, high, needed = (float(str(row[name])) for name in names)
    gap = Estimate(value, low, high, 0)

    def signed(number: float) -> str:
        return ("+" if number > 0 else "") + gap.told(number)

    told = f"{row['dimension']} ({row['change']}: {signed(value) if isfinite(value) else 'no pair of runs'}"
    told += f" [{signed(low)}, {signed(high)}]" if isfinite(low) and low < high else ""
    if row["verdict"] == "undecided" and isfinite(needed):
        told += f"; {about(needed, 'pairs of runs')} would decide"
    return told + ")"


def relevance(
    results: "Results",
    measure: "str | Measure",
    baseline: str,
    perturbed: Sequence[Perturbed],
    *,
    margin: float,
    null: str = "",
    level: float = 0.95,
    test: Test = "permutation",
) -> Relevance:
    """Judge a battery.

    Args:
        results: of a design that holds all these cells, replicates paired.
        measure: the outcome.
        baseline: the unperturbed cell.
        perturbed: the others, one change each.
        margin: the least change that would matter, in the measure's units; above 0.
        null: the cell that the baseline's excess is told against; without it, and for a measure that
            compares runs with one another, only the measure itself is an outcome.
        level: 1 - level is the chance of any false claim in the battery, for each outcome.
        test: as for `effects`.

    Raises:
        SpecificationError: no perturbation, an unknown cell, or a margin that is not above 0.
    """
    import pandas as pd  # 300 ms that `import cloudchamber` need not pay

    if not perturbed:
        raise SpecificationError("a battery needs at least one perturbation; none was given.")
    known = measure if isinstance(measure, Measure) else measure_named(measure)
    cells = [baseline, *(one.cell for one in perturbed)]
    parts = []
    # Nulls are no comparisons of the battery: they would be counted among those that p is adjusted for.
    against = {one.cell: baseline for one in perturbed}
    compared = partial(effects, against=against, margin=margin, level=level, test=test)
    if known.across_runs:
        parts.append(compared(results, measure))
    else:
        table = results.measure(measure)
        name = known.aloud()
        nulls = {baseline: null, **{one.cell: one.null for one in perturbed}}
        outcomes = {name: table[cells]}
        if all(nulls.values()):
            over = {cell: table[cell] - table[other] for cell, other in nulls.items()}
            outcomes[EXCESS.format(name)] = pd.DataFrame(over)
        for outcome, frame in outcomes.items():
            parts.append(compared(frame, outcome))
    whole = pd.concat(parts, ignore_index=True)
    whole.insert(1, "dimension", whole["cell"].map({one.cell: one.dimension for one in perturbed}))
    whole.insert(2, "change", whole["cell"].map({one.cell: one.change for one in perturbed}))
    return Relevance(baseline, margin, whole, _by_dimension(whole))


def _by_dimension(table: "pd.DataFrame") -> "pd.DataFrame":
    import pandas as pd

    rows: list[Mapping[str, object]] = []
    for (outcome, dimension), whole in table.groupby(["measure", "dimension"], sort=False):
        moved = whole[whole["verdict"] == "effect"]
        verdict: Said = "relevant" if len(moved) else "undecided"
        if set(whole["verdict"]) == {"no effect"}:
            verdict = "irrelevant"
        some = moved if len(moved) else whole
        largest = some.iloc[int(np.argmax(some["estimate"].abs().fillna(-1.0).to_numpy()))]
        rows.append(
            {
                "outcome": outcome,
                "dimension": dimension,
                "verdict": verdict if largest["n"] >= FEW else "undecided",
                "changes": len(
                    table[(table["measure"] == outcome) & (table["dimension"] == dimension)]
                ),
                **{name: largest[name] for name in ("change", "estimate", "low", "high")},
                **{name: largest[name] for name in ("p_adjusted", "p_equivalence_adjusted")},
                "runs_needed": largest["runs_needed"],
            }
        )
    return pd.DataFrame(rows)
