"""Items of a feed from a file: a table with a column `headline`, or a text with an item on each line."""

import csv
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from cloudchamber.errors import FieldDataError

__all__ = ["read_items"]

NEEDED, OPTIONAL = "headline", "quality"
TABLES = {".csv": ",;\t", ".tsv": "\t,;"}
"""Separators of a table, by the end of its name; the first that fits counts."""


def read_items(path: Path) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Headlines, and their quality if the table has a column of it; a headline becomes one line.

    Raises:
        FieldDataError: see `Feed.from_file`.
    """
    text = _text(path)
    if path.suffix.lower() not in TABLES:
        return _enough(path, [" ".join(line.split()) for line in text.splitlines()]), ()
    header, rows = _table(path, text)
    at = header.index(NEEDED)
    rows = [row for row in rows if len(row) > at and row[at].strip()]
    headlines = _enough(path, [" ".join(row[at].split()) for row in rows])
    return headlines, _quality(path, header, rows)


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise FieldDataError(f"cannot read the items in {path}: {why}.") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise FieldDataError(
            f"{path} is not UTF-8 text (byte 0x{raw[error.start]:02x} in line {line}); save it as UTF-8."
        ) from None


def _table(path: Path, text: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows, by the first separator under which there is a column of headlines."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    if not first:
        raise FieldDataError(f"{path} is empty; give a column {NEEDED!r} and an item a line.")
    headers = {separator: _header(first, separator) for separator in TABLES[path.suffix.lower()]}
    for separator, header in headers.items():
        if NEEDED in header:
            table = _rows(path, text, separator)
            _refuse_long(path, table)
            return header, table[1:]
    most = max((len(header), header) for header in headers.values())[1]
    there = ", ".join(filter(None, most)) or "none"
    raise FieldDataError(
        f"{path} has no column {NEEDED!r}; its columns are: {there[:200]}. Rename one."
    )


def _header(line: str, separator: str) -> list[str]:
    return [name.strip(' "').lower() for name in line.split(separator)]


def _rows(path: Path, text: str, separator: str) -> list[list[str]]:
    try:
        rows = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
        return [row for row in rows if any(map(str.strip, row))]
    except csv.Error as error:
        raise FieldDataError(
            f"{path} is not CSV ({error}); close every quotation mark, and keep headlines short."
        ) from None


def _refuse_long(path: Path, table: Sequence[Sequence[str]]) -> None:
    """A headline with a separator in it, and no quotation marks around it, would lose its end."""
    for number, row in enumerate(table[1:], start=1):
        if any(map(str.strip, row[len(table[0]) :])):
            raise FieldDataError(
                f"{path}: row {number} below the header has {len(row)} fields, the header "
                f"{len(table[0])}; put a headline that holds a separator in quotation marks."
            )


def _enough(path: Path, lines: list[str]) -> tuple[str, ...]:
    kept = tuple(filter(None, lines))
    if len(kept) < 2:
        items = "1 item" if len(kept) == 1 else "0 items"
        raise FieldDataError(f"{path} holds {items}; a feed needs at least 2.")
    return kept


def _quality(path: Path, header: list[str], rows: list[list[str]]) -> tuple[float, ...]:
    if OPTIONAL not in header:
        return ()
    at = header.index(OPTIONAL)
    try:
        return tuple(float(row[at]) for row in rows)
    except (IndexError, ValueError):
        raise FieldDataError(
            f"{path}: column {OPTIONAL!r} holds something that is no number."
        ) from None
