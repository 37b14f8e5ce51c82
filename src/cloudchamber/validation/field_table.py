"""Tables of the field: CSV files of text, each row and number of which is there or is refused."""

import gzip
import zlib
from collections.abc import Sequence
from csv import Error as CsvError
from csv import reader
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import FieldDataError, nearest

__all__ = ["FieldTable", "read_table"]

_LAST = 2**31 - 1


@dataclass(frozen=True, eq=False)
class FieldTable:
    """The rows of a file, as text."""

    path: Path
    columns: dict[str, int]
    """Where each wanted column stands, of those that are there."""
    rows: list[list[str]]

    def texts(self, column: str) -> list[str]:
        """A column as it was written, without spaces around."""
        at = self.columns[column]
        return [row[at].strip() for row in self.rows]

    def coded(self, column: str) -> tuple[NDArray[np.int64], list[str]]:
        """Numbers from 0 in the order of first appearance, and the names.

        Raises:
            FieldDataError: a row has none.
        """
        names = self.texts(column)
        if "" in names:
            raise FieldDataError(
                f"{self.path}: row {names.index('') + 1} below the header has no {column}."
            )
        code = {name: number for number, name in enumerate(dict.fromkeys(names))}
        return np.array([code[name] for name in names], dtype=np.int64), list(code)

    def numbers(self, column: str) -> NDArray[np.float64]:
        """Numbers from 0.

        Raises:
            FieldDataError: a row has none.
        """
        texts = self.texts(column)
        values = np.empty(len(texts))
        for place, text in enumerate(texts):
            try:
                values[place] = float(text)
            except ValueError:
                values[place] = np.nan
            if not 0 <= values[place] < np.inf:
                raise FieldDataError(
                    f"{self.path}: row {place + 1} below the header has {column} {text!r}; allowed: a number "
                    "that is 0 or more, with a point for decimals."
                )
        return values

    def whole(self, column: str) -> NDArray[np.int64]:
        """Whole numbers from 0.

        Raises:
            FieldDataError: a row has none.
        """
        values = self.numbers(column)
        wrong = (values != np.floor(values)) | (values > _LAST)
        if wrong.any():
            at = int(wrong.argmax())
            raise FieldDataError(
                f"{self.path}: row {at + 1} below the header has {column} {values[at]:.15g}; allowed: whole "
                f"numbers from 0 to {_LAST}."
            )
        return values.astype(np.int64)


def read_table(path: Path, needed: Sequence[str], optional: Sequence[str] = ()) -> FieldTable:
    """Read a CSV, `.csv` or `.csv.gz`, in UTF-8, with a header; other columns are ignored.

    Raises:
        FieldDataError: it cannot be read or decoded, is empty, lacks a column, has a row of other length.
    """
    header, rows = _parsed(_text(path), path, needed)
    return FieldTable(path, _columns(header, path, needed, optional), rows)


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        if path.suffix == ".gz":
            raw = gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FieldDataError(
            f"{path}: cannot be read ({reason}); give a .csv or .csv.gz file."
        ) from error
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\0" in raw[:4096]:
        raise FieldDataError(
            f"{path}: is not UTF-8 text (it looks like UTF-16 or a spreadsheet); "
            "save it as CSV in UTF-8."
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = raw[: error.start].count(b"\n") + 1
        raise FieldDataError(
            f"{path}: line {row} holds byte 0x{raw[error.start]:02x}, which is not UTF-8; save the file as "
            "CSV in UTF-8."
        ) from error


def _parsed(text: str, path: Path, needed: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    try:
        lines = [row for row in reader(StringIO(text), strict=True) if any(map(str.strip, row))]
    except CsvError as error:
        raise FieldDataError(
            f"{path}: is not CSV ({error}); close every quotation mark."
        ) from error
    if not lines:
        raise FieldDataError(
            f"{path}: is empty; needed: a header with {', '.join(needed)}, and rows."
        )
    header, rows = [name.strip() for name in lines[0]], lines[1:]
    if not rows:
        raise FieldDataError(f"{path}: has a header but no row below it.")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise FieldDataError(
                f"{path}: row {number} below the header has {len(row)} fields, the header {len(header)}; "
                "put fields that contain a comma in quotation marks."
            )
    return header, rows


def _columns(
    header: list[str], path: Path, needed: Sequence[str], optional: Sequence[str]
) -> dict[str, int]:
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        raise FieldDataError(
            f"{path}: the header {header[0]!r} has no comma; separate fields by commas."
        )
    also = f" (and {', '.join(optional)})" if optional else ""
    for name in needed:
        if name not in header:
            raise FieldDataError(
                f"{path}: has no column {name!r}; needed: {', '.join(needed)}{also}. "
                f"It has {nearest(name, header).removeprefix('allowed: ')}"
            )
    for name in (*needed, *optional):
        if header.count(name) > 1:
            raise FieldDataError(f"{path}: has {header.count(name)} columns {name!r}; keep one.")
    return {name: header.index(name) for name in (*needed, *optional) if name in header}
