"""The canonical rows of a trace and their digest: what 'the same trace' means.

Rows are sorted by their table's key; each row is packed little-endian; NaN has one bit pattern and
zero one sign; a string counts by its hash; volatile columns (time, money, tokens) and signals
that are hidden everywhere are left out.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b, sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cloudchamber.trace.tables import SIGNAL, TABLES, Columns, Table

__all__ = ["digest_of", "ordered"]

_STRING_BYTES = 16


def digest_of(
    blocks: Callable[[str], Iterable[Columns]], signals: Sequence[str] | None = None
) -> str:
    """The digest of a trace, table after table.

    Args:
        blocks: the rows of a table as columns; several blocks must hold ascending, disjoint
            ranges of the first key, so that a trace larger than memory can be read piece by piece.
        signals: the names of the signal columns that hold any number; None: found in the blocks,
            which then are all kept in memory.
    """
    whole = sha256()
    for name, table in TABLES.items():
        parts: Iterable[Columns] = blocks(name)
        shown: Sequence[str] = ()
        if name == "exposures":
            if signals is None:
                parts = list(parts)
                shown = sorted({s for part in parts for s in _shown(part)})
            else:
                shown = sorted(signals)
        whole.update(_table_digest(table, parts, shown))
    return whole.hexdigest()


def _shown(columns: Columns) -> list[str]:
    return [n for n, v in columns.items() if n.startswith(SIGNAL) and not np.isnan(v).all()]


def _table_digest(table: Table, blocks: Iterable[Columns], signals: Sequence[str]) -> bytes:
    names = [column.name for column in table.columns if not column.volatile] + list(signals)
    hashed = sha256(" ".join([table.name, *names]).encode())
    for block in blocks:
        count = len(block[table.key[0]])
        kept = {n: _plain(block[n], count) if n in block else _hidden(count) for n in names}
        hashed.update(_packed(ordered(table.key, kept)))
    return hashed.digest()


def _hidden(count: int) -> NDArray[Any]:
    return np.full(count, np.nan)


def _plain(values: NDArray[Any], count: int) -> NDArray[Any]:
    """Values with one representation each."""
    if values.dtype.kind == "f":
        plain: NDArray[Any] = values + values.dtype.type(0)  # -0.0 becomes 0.0
        plain[np.isnan(plain)] = np.nan
        return plain
    if values.dtype.kind != "O":
        return values
    known: dict[str, bytes] = {}
    hashes = np.empty(count, f"S{2 * _STRING_BYTES}")
    for row, text in enumerate(values.tolist()):
        if text not in known:
            hashed = blake2b(text.encode(), digest_size=_STRING_BYTES)
            known[text] = hashed.hexdigest().encode()
        hashes[row] = known[text]
    return hashes


def ordered(key: Sequence[str], columns: Columns) -> Columns:
    """The rows sorted by the key, ties by every other column: a function of the set of rows."""
    if len(columns[key[0]]) < 2:
        return columns
    by = [columns[name] for name in key]
    relation = _relation(by)
    if relation == "ascending":
        return columns
    if relation == "unsorted":
        order = np.lexsort(by[::-1])
        columns = {name: values[order] for name, values in columns.items()}
        relation = _relation([columns[name] for name in key])
    if relation == "tied":
        order = np.lexsort(
            [*reversed(columns.values()), *(columns[name] for name in reversed(key))]
        )
        columns = {name: values[order] for name, values in columns.items()}
    return columns


def _relation(by: Sequence[NDArray[Any]]) -> str:
    """How neighbouring rows compare by some columns: all ascending, some tied, or unsorted."""
    tied = np.ones(len(by[0]) - 1, dtype=bool)
    for values in by:
        if np.any(values[1:][tied] < values[:-1][tied]):
            return "unsorted"
        tied &= values[1:] == values[:-1]
    return "tied" if tied.any() else "ascending"


def _packed(columns: Columns) -> bytes:
    layout = np.dtype([(name, v.dtype.newbyteorder("<")) for name, v in columns.items()])
    rows = np.empty(len(next(iter(columns.values()))), layout)
    for name, values in columns.items():
        rows[name] = values
    return rows.tobytes()
