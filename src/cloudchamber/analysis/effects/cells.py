"""Which numbers of which cells are compared, from results or from a frame."""

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import SpecificationError, nearest
from cloudchamber.measures import Measure, measure_named
from cloudchamber.phenomenon.null import gained

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Table", "Tallies", "pairs", "tables"]

Reals = NDArray[np.float64]
Tallies = tuple[Reals, Callable[[Reals], float]]
"""Of a measure that compares runs: tallies [replicates, 2, items], and what to take of a cell's."""
Table = tuple[str, "pd.DataFrame", Callable[[str, str], Tallies] | None]


def tables(source: Any, measure: Any) -> list[Table]:
    """Of each measure its name, its table by cell, and for a measure across runs what gives the tallies."""
    import pandas as pd

    asked = [measure] if isinstance(measure, str) or callable(measure) else list(measure)
    if isinstance(source, pd.DataFrame):
        names = [_name(one) for one in asked]
        return [(name, table, None) for name, table in _of_frame(source, names)]
    if not asked:
        raise SpecificationError("effects: of results, say which measure; e.g. 'gini'")
    found: list[Table] = []
    for one in asked:
        kind = measure_named(one) if isinstance(one, str) else one
        across = isinstance(kind, Measure) and kind.across_runs
        tallies = _tallies(source, kind) if across else None
        found.append((_name(kind), source.measure(kind), tallies))
    return found


def _name(measure: Any) -> str:
    """Of a measure, given by name, as such, or as any function of a trace."""
    if isinstance(measure, str):
        return measure
    return str(getattr(measure, "name", None) or getattr(measure, "__name__", "measure"))


def _tallies(results: Any, measure: Measure) -> Callable[[str, str], Tallies]:
    """Of two cells the last tallies of the replicates that both have."""

    def stacked(cell: str, baseline: str) -> Tallies:
        of_tally = measure.of_tally
        assert of_tally is not None, f"{measure.name} cannot be had of tallies"
        done = results.done
        parts = []
        for name in (cell, baseline):
            places = done[done["name"] == name].set_index("run")["replicate"]
            tally = gained(results.trace, places.index)
            order = np.argsort(at := places.loc[tally.run.tolist()].to_numpy())
            parts.append((at[order], tally.value[order, -1]))
        (a, one), (b, other) = parts
        both = np.intersect1d(a, b)
        pairs = np.stack([one[np.isin(a, both)], other[np.isin(b, both)]], axis=1)
        return pairs, lambda rows: float(np.mean(of_tally(rows)))

    return stacked


def _of_frame(frame: "pd.DataFrame", names: list[str]) -> "list[tuple[str, pd.DataFrame]]":
    """The tables by cell that a wide or a long frame holds."""
    columns = set(map(str, frame.columns))
    cell = next((one for one in ("cell", "name") if one in columns), "")
    if not (cell and {"value", "replicate"} <= columns):
        if len(names) > 1:
            raise SpecificationError(
                f"a wide frame holds one measure; given: {', '.join(names)}. Give a long one, with "
                "columns cell, replicate, value, measure"
            )
        return [(names[0] if names else "value", frame)]
    if "measure" not in columns:
        return [(names[0] if names else "value", _wide(frame, cell))]
    there = list(dict.fromkeys(frame["measure"]))
    for name in names:
        if name not in there:
            raise SpecificationError(f"measure: {name!r}; {nearest(name, there)}")
    return [(name, _wide(frame[frame["measure"] == name], cell)) for name in names or there]


def _wide(frame: "pd.DataFrame", cell: str) -> "pd.DataFrame":
    if frame.duplicated([cell, "replicate"]).any():
        raise SpecificationError(
            "effects: a replicate of a cell has several rows; give one number a run"
        )
    table = frame.pivot(index="replicate", columns=cell, values="value")
    return table.reindex(columns=list(dict.fromkeys(frame[cell])))


def pairs(cells: list[str], against: str | Mapping[str, str] | None) -> list[tuple[str, str]]:
    """Who is compared with whom."""
    if against is None:
        return [(b, a) for a, b in combinations(cells, 2)]
    wanted = against if isinstance(against, Mapping) else {cell: against for cell in cells}
    for name in (*wanted, *wanted.values()):
        if name not in cells:
            raise SpecificationError(f"cell: {name!r}; {nearest(name, cells)}")
    return [(cell, baseline) for cell, baseline in wanted.items() if cell != baseline]
