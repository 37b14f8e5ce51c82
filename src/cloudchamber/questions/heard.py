"""What is shown beside the options: flat columns with offsets, a row's entries one after the other.

Others' acts and messages, the own past and notes, the score. Texts are there only where agents write.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cloudchamber.trace.tables import Channel

__all__ = ["Heard", "Ints", "Reals", "Texts"]

Ints = NDArray[np.integer[Any]]
Reals = NDArray[np.float64]
Texts = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Heard:
    """What is shown beside the options, flat: row r owns entries offsets[r] to offsets[r + 1]."""

    offsets: Ints
    channel: NDArray[np.int8]
    item: Ints
    source: Ints
    origin: Ints
    latency: Ints
    value: Reals
    """An amount, a tally (summary) or a score; NaN where there is none."""
    results: Mapping[str, Reals] = field(default_factory=dict)
    """What own acts led to, an array for each result shown; NaN where there is none."""
    text: Texts | None = None
    """Notes and messages as strings, "" where an entry is none; None where there are no texts at all."""
    name: Texts | None = None
    """What each text is: the name of a note, or "message"."""

    @classmethod
    def nothing(cls, rows: int) -> "Heard":
        """Nothing shown to any of `rows` rows."""
        none = np.zeros(0, np.int64)
        return cls(
            np.zeros(rows + 1, np.int64), none.astype(np.int8), none, none, none, none, np.zeros(0)
        )

    @classmethod
    def of(
        cls,
        rows: int,
        channel: Channel | Ints,
        row: Ints,
        item: Ints,
        source: Ints,
        origin: Ints,
        latency: Ints,
        value: Reals | None = None,
        results: Mapping[str, Reals] | None = None,
    ) -> "Heard":
        """Entries of `rows` rows; `row` tells whose each is, and does not fall."""
        return cls(
            np.concatenate([[0], np.cumsum(np.bincount(row, minlength=rows))]),
            np.broadcast_to(np.asarray(channel, np.int8), row.shape),
            item.astype(np.int64),
            source.astype(np.int64),
            origin.astype(np.int64),
            latency.astype(np.int64),
            np.full(len(row), np.nan) if value is None else value,
            results or {},
        )

    def worded(self, text: Texts, name: str) -> "Heard":
        """The entries as texts of one name."""
        return replace(self, text=text, name=np.full(len(text), name, object))

    def words(self, name: Literal["text", "name"]) -> Texts:
        """One of the two columns of words, "" where there is none."""
        told = self.text if name == "text" else self.name
        return np.full(len(self.item), "", object) if told is None else told

    def row(self) -> Ints:
        """The row of each entry."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def take(self, rows: Ints) -> "Heard":
        """The entries of some rows, in the order of `rows`."""
        lengths = np.diff(self.offsets)[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
        return self._at(np.repeat(self.offsets[:-1][rows], lengths) + within, offsets)

    def select(self, keep: NDArray[np.bool_]) -> "Heard":
        """Some of the entries, by a mask over them; as many rows as before."""
        count = np.bincount(self.row()[keep], minlength=len(self.offsets) - 1)
        return self._at(np.flatnonzero(keep), np.concatenate([[0], np.cumsum(count)]))

    def _at(self, at: Ints, offsets: Ints) -> "Heard":
        rest = {name: getattr(self, name)[at] for name in _COLUMNS}
        words: dict[str, Any] = {
            name: None if (told := getattr(self, name)) is None else told[at] for name in _WORDS
        }
        results = {name: told[at] for name, told in self.results.items()}
        return Heard(offsets, **rest, results=results, **words)

    @classmethod
    def joined(cls, parts: Iterable["Heard"], rows: int) -> "Heard":
        """Several channels' entries, each row's in the order of the parts."""
        given = [part for part in parts if part.offsets[-1]]
        if not given:
            return cls.nothing(rows)
        if len(given) == 1:
            return given[0]
        row = np.concatenate([part.row() for part in given])
        order = np.argsort(row, kind="stable")
        offsets = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=rows))])
        rest = {
            name: np.concatenate([getattr(part, name) for part in given])[order]
            for name in _COLUMNS
        }
        names = dict.fromkeys(name for part in given for name in part.results)
        results = {
            name: np.concatenate(
                [part.results.get(name, np.full(len(part.item), np.nan)) for part in given]
            )[order]
            for name in names
        }
        words: dict[str, Any] = {}
        if any(part.text is not None for part in given):
            words = {
                name: np.concatenate([part.words(name) for part in given])[order] for name in _WORDS
            }
        return cls(offsets, **rest, results=results, **words)


_COLUMNS = ("channel", "item", "source", "origin", "latency", "value")
_WORDS: tuple[Literal["text", "name"], ...] = ("text", "name")
