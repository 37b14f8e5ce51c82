"""Results: what a design grew, by cell and replicate, as data frames."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cloudchamber.errors import SpecificationError, TraceError
from cloudchamber.experiment.design import Cell, Design, run_id
from cloudchamber.experiment.manifest import Manifest
from cloudchamber.measures import Measure, final_tallies, measure_named
from cloudchamber.trace import TraceFolder

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Results"]

SHORT = 6
"""Cells that are named where runs are lacking."""


@dataclass(frozen=True, repr=False)
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
    def stopped(self) -> str:
        """Why the last call ended before everything was grown; empty if it did not, or nobody noted it."""
        try:
            return Manifest.read(self.folder.parent).stopped
        except TraceError:
            return ""

    @property
    def unfinished(self) -> str:
        """What is missing, in which cells, and why; empty where every run is there."""
        runs = self.runs.drop_duplicates("run")
        lacking = runs[runs["status"] != "done"]
        if lacking.empty:
            return ""
        of = runs.groupby("name", sort=False)["status"]
        done = {str(name): (int((one == "done").sum()), len(one)) for name, one in of}
        short = [f"{name} ({n} of {all})" for name, (n, all) in done.items() if n < all]
        more = f" and {len(short) - SHORT} more" if len(short) > SHORT else ""
        why = f" The last call ended early: {self.stopped}." if self.stopped else ""
        return (
            f"{len(lacking)} of {len(runs)} runs are missing or failed; what is here rests on the others. "
            f"Cells that lack runs: {', '.join(short[:SHORT])}{more}.{why} The same command goes on where "
            "it stopped."
        )

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

    def measure(
        self, compute: "str | Measure | Callable[[TraceFolder], pd.Series[float]]"
    ) -> "pd.DataFrame":
        """A measure of the trace, as `by_cell` gives it.

        Args:
            compute: the measure's name (see `cloudchamber.measures.MEASURES`, or "unpredictability"), a
                `Measure`, or any function of a trace that gives a number by run.

        A number of unpredictability says how much a run differs from the others of its cell; a column's
        mean is the cell's unpredictability, and its interval takes a jackknife.

        Raises:
            SpecificationError: no measure has that name; lists the names.
        """
        found = measure_named(compute) if isinstance(compute, str) else compute
        if isinstance(found, Measure) and found.across_runs:
            return self._cell_by_cell(found)
        return self.by_cell(found(self.trace))

    def _cell_by_cell(self, measure: Measure) -> "pd.DataFrame":
        """A measure that compares runs, of each cell's runs alone."""
        import pandas as pd

        assert measure.of_tally is not None, f"{measure.name} cannot be had of tallies"
        columns: dict[str, pd.Series[float]] = {}
        tallies = final_tallies(self.trace)
        for cell in self.design:
            done = self.done[self.done["name"] == cell.name].set_index("run")["replicate"]
            parts = []
            for tally in tallies:
                here = np.isin(tally.run, done.index)
                value = measure.of_tally(tally.value[here, -1])
                parts.append(pd.Series(value, index=done.loc[tally.run[here].tolist()].to_numpy()))
            columns[cell.name] = pd.concat(parts) if parts else pd.Series(dtype=np.float64)
        table = pd.DataFrame(columns).sort_index()
        return table.rename_axis("replicate").rename_axis("name", axis=1)

    def require(self, cell: str) -> Cell:
        """The cell of that name.

        Raises:
            SpecificationError: there is none; lists the names.
        """
        try:
            return self.design[cell]
        except SpecificationError as error:
            raise SpecificationError(str(error)) from None

    def _counts(self) -> str:
        """How many runs are there of how many that are asked for."""
        runs = self.runs.drop_duplicates("run")
        done, failed = ((runs["status"] == status).sum() for status in ("done", "failed"))
        told = f"{done} of {len(runs)} runs done"
        return f"{told}, {failed} failed" if failed else told

    def __repr__(self) -> str:
        try:
            told = self._counts()
        except TraceError:
            told = "no trace that can be read"
        return f"Results({len(self.design)} cells, {told}, in {str(self.folder)!r})"

    def _repr_html_(self) -> str:
        try:
            table = self.runs.groupby(["name", "status"], sort=False).size().unstack(fill_value=0)
        except TraceError as error:
            return f"<p>{escape(repr(self))}: {escape(str(error))}</p>"
        shown = table.reindex([cell.name for cell in self.design])
        return f"<p>{escape(repr(self))}</p>{shown.to_html(border=0)}"
