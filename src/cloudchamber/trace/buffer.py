"""Rows of one table that wait until there are enough of them for a part of a file."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cloudchamber.trace.tables import SIGNAL, Columns, Table

__all__ = ["Buffer"]


class Buffer:
    """Columns of up to `capacity` rows; a column stays one number while all its rows agree.

    The arrays are kept for the next part, so a long trace allocates once.
    """

    def __init__(self, table: Table, capacity: int) -> None:
        self.table = table
        self.capacity = capacity
        self.rows = 0
        self._arrays: Columns = {}
        self._constants: dict[str, Any] = {}
        self._spare: Columns = {}

    def add(self, given: Mapping[str, Any], start: int, stop: int) -> None:
        """Copy rows start..stop of what was given (as `conform` returns it); they must fit."""
        known = {*self._arrays, *self._constants}
        signals = [name for name in known if name.startswith(SIGNAL)]
        for name in {*self.table.names, *signals, *given}:
            if name in given:
                value = given[name]
            else:
                column = self.table.column(name)
                value = column.dtype.type(column.default)
            if isinstance(value, np.ndarray):
                self._room(name, stop - start)[self.rows : self.rows + stop - start] = value[
                    start:stop
                ]
            else:
                self._add_constant(name, value, stop - start)
        self.rows += stop - start

    def _add_constant(self, name: str, value: Any, count: int) -> None:
        if name not in self._arrays:
            if self.rows == 0:
                self._constants[name] = value
                return
            if _same(self._constants.get(name, np.nan), value):
                self._constants[name] = value
                return
        self._room(name, count)[self.rows : self.rows + count] = value

    def _room(self, name: str, count: int) -> Any:
        """The column as an array with room for more rows, after the rows it has."""
        whole = self._arrays.get(name)
        needed = self.rows + count
        if whole is not None and len(whole) >= needed:
            return whole
        grown = self._spare.pop(name, None)
        if grown is None or len(grown) < needed:
            # Doubling, so that small traces take little and large ones are not copied often.
            size = min(self.capacity, max(needed, 2 * self.rows, 1024))
            grown = np.empty(size, self.table.column(name).dtype)
        if whole is not None:
            grown[: self.rows] = whole[: self.rows]
        elif self.rows:
            # A signal that was not shown until now has no constant: it was hidden.
            grown[: self.rows] = self._constants.pop(name, np.nan)
        self._constants.pop(name, None)
        self._arrays[name] = grown
        return grown

    def take(self) -> tuple[Columns, dict[str, Any]]:
        """The rows as arrays and constants, valid until the next `add`; the buffer is empty after.

        There is at least one array, so the number of rows is known.
        """
        first = self.table.names[0]
        if not self._arrays and self.rows:
            self._arrays[first] = np.full(self.rows, self._constants.pop(first))
        arrays = {name: values[: self.rows] for name, values in self._arrays.items()}
        constants = self._constants
        self._spare.update(self._arrays)
        self._arrays, self._constants, self.rows = {}, {}, 0
        return arrays, constants


def _same(one: Any, other: Any) -> bool:
    return bool(one == other or (one != one and other != other))  # noqa: PLR0124
