"""Results: what a design grew, by cell and replicate, as data frames."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cloudchamber.errors import SpecificationError
from cloudchamber.experiment.design import Cell, Design, run_id
from cloudchamber.trace import TraceFolder

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Results"]


@dataclass(frozen=True)
class Results:
    """What is there of a design: complete runs, and what is missing or failed."""

    design: Design
    replicates: int
    seed: int
    folder: Path

    @cached_property
    def trace(self) -> TraceFolder:
        """The trace."""
        return TraceFolder(self.folder)

    @cached_property
    def runs(self) -> "pd.DataFrame":
        """A row for each (cell, replicate) asked for: name, cell, levels, replicate, run, status.

        Cells that share a specification share runs; status is done, failed or missing.
        """
        import pandas as pd

        asked = pd.DataFrame(
            [
                {"name": cell.name, "cell": cell.id, **cell.levels, "replicate": replicate}
                | {"run": run_id(cell.spec, self.seed, replicate)}
                for cell in self.design
                for replicate in range(self.replicates)
            ]
        )
        there = self.trace.runs().drop(columns=["name", "cell", "replicate", "levels"])
        whole = asked.merge(there, on="run", how="left")
        whole["status"] = whole["status"].astype(object).where(whole["status"].notna(), "missing")
        return whole

    @property
    def done(self) -> "pd.DataFrame":
        """The complete runs."""
        return self.runs[self.runs["status"] == "done"]

    @property
    def complete(self) -> bool:
        """Whether every run is there."""
        return bool((self.runs["status"] == "done").all())

    def ids(self, cells: Sequence[Cell | str] | Cell | str) -> list[int]:
        """The complete runs of some cells, by replicate."""
        names = [cells] if isinstance(cells, Cell | str) else cells
        wanted = [cell.name if isinstance(cell, Cell) else cell for cell in names]
        unknown = [name for name in wanted if name not in {cell.name for cell in self.design}]
        if unknown:
            self.design[unknown[0]]
        done = self.done
        found = done[done["name"].isin(wanted)].sort_values(["name", "replicate"])
        return [int(run) for run in found["run"]]

    def by_cell(self, values: "pd.Series[float]") -> "pd.DataFrame":
        """A measure's values by run as a table: a row for each replicate, a column for each cell."""
        done = self.done[["name", "replicate", "run"]].copy()
        done["value"] = done["run"].map(values)
        table = done.pivot(index="replicate", columns="name", values="value")
        return table.reindex(columns=[cell.name for cell in self.design])

    def measure(self, compute: Callable[[TraceFolder], "pd.Series[float]"]) -> "pd.DataFrame":
        """A measure of the trace (trace -> a number by run), as `by_cell` gives it."""
        return self.by_cell(compute(self.trace))

    def require(self, cell: str) -> Cell:
        """The cell of that name.

        Raises:
            SpecificationError: there is none; lists the names.
        """
        try:
            return self.design[cell]
        except SpecificationError as error:
            raise SpecificationError(str(error)) from None
