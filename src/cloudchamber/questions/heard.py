"""What is shown beside the options: flat columns with offsets, a row's entries one after the other.

Others' acts and messages, the own past and notes, the score. Texts are there only where agents write.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from cloudchamber.questions.own import Ints, Own, Reals
from cloudchamber.trace.tables import Channel

__all__ = ["Heard", "Ints", "Reals", "Texts"]

Texts = NDArray[np.object_]


@dataclass(frozen=True)
class Heard:
    """What is shown beside the options, flat: row r owns entries offsets[r] to offsets[r + 1].

    `own` are the entries of own acts again, side by side. Where nothing else is shown they are what is
    kept, and the columns are laid out of them when one is first read.
    """

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
    tallied: bool = False
    """Whether the own past, and what others did in it, is told as tallies: `value` is how often."""

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """A column that is not laid out yet: all are."""
            if name not in self.__dataclass_fields__ or "own" not in self.__dict__:
                raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
            self.__dict__.update(vars(_laid_out(self.own)))
            return getattr(self, name)

    @classmethod
    def recalled(cls, own: Own) -> "Heard":
        """What each row remembers of its own acts, and nothing else."""
        later = object.__new__(cls)
        later.__dict__["own"] = own
        return later

    @property
    def alone(self) -> bool:
        """Whether this is own acts as they are kept, and nothing else; not once they are laid out."""
        return "offsets" not in self.__dict__

    @cached_property
    def own(self) -> Own:
        """What each row remembers of its own acts, side by side."""
        return _side_by_side(self)

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
        if self.alone:
            return Heard.recalled(self.own.take(rows))
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
        return Heard(offsets, **rest, results=results, **words, tallied=self.tallied)

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
        tallied = any(part.tallied for part in given)
        return cls(offsets, **rest, results=results, **words, tallied=tallied)


_COLUMNS = ("channel", "item", "source", "origin", "latency", "value")
_WORDS: tuple[Literal["text", "name"], ...] = ("text", "name")


def _laid_out(own: Own) -> Heard:
    """Own acts one after the other; each is followed by what the other did in the same meeting."""
    there = own.item.T >= 0

    def entries(part: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(part.T[there])

    row = np.nonzero(there)[0]
    results = {name: entries(part) for name, part in own.results.items()}
    amount = None if own.amount is None else entries(own.amount)
    agent, rows = own.agent[row], len(own)
    item, decision, latency = (entries(part) for part in (own.item, own.decision, own.latency))
    if own.met is None or own.partner is None or own.others is None:
        return Heard.of(rows, Channel.own, row, item, agent, decision, latency, amount, results)
    told = {name: entries(getattr(own, name)) for name in ("met", "partner", "others")}
    after = told["met"] >= 0
    at = np.repeat(np.arange(len(row)), 1 + after)
    every = bool(len(row)) and bool(after.all())
    other = np.append(False, at[1:] == at[:-1])[: len(at)]

    def either(mine: NDArray[Any], name: str) -> NDArray[Any]:
        if every:
            return np.stack((mine, told[name]), axis=1).reshape(-1)
        return np.where(other, told[name][at], mine[at])

    return Heard.of(
        rows,
        np.where(other, Channel.met, Channel.own),
        row[at],
        either(item, "met"),
        either(agent, "partner"),
        either(decision, "others"),
        latency[at],
        None if amount is None else amount[at],
        {name: np.where(other, np.nan, led[at]) for name, led in results.items()},
    )


def _side_by_side(heard: Heard) -> Own:
    """The own acts among the entries, at least one of each row; the newest of each stands last."""
    rows = len(heard.offsets) - 1
    mine, theirs = heard.channel == Channel.own, heard.channel == Channel.met
    at = np.flatnonzero(mine | theirs if heard.tallied else mine)
    row = heard.row()[at]
    many = np.bincount(row, minlength=rows)
    width = max(int(many.max(initial=0)), 1)
    column = width - many[row] + np.arange(len(at)) - (np.cumsum(many) - many)[row]

    def placed(part: NDArray[Any], blank: float = -1) -> NDArray[Any]:
        whole = np.full((width, rows), blank, part.dtype)
        whole[column, row] = part
        return whole

    agent = np.full(rows, -1, np.int64)
    agent[row] = heard.source[at]
    told = placed(heard.origin[at]), placed(heard.latency[at], 0)
    value = heard.value[at]
    if heard.tallied:
        item, met = (np.where(which[at], heard.item[at], -1) for which in (mine, theirs))
        return Own(agent, placed(item), *told, met=placed(met), often=placed(value, 0.0))
    results = {name: placed(part[at], np.nan) for name, part in heard.results.items()}
    amount = None if np.isnan(value).all() else placed(value, np.nan)
    own = Own(agent, placed(heard.item[at]), *told, amount=amount, results=results)
    if not theirs.any():
        return own
    after = np.append(theirs, False)[at + 1]

    def following(part: Ints) -> Ints:
        return placed(np.where(after, np.append(part, -1)[at + 1], -1))

    met, partner, others = (following(p) for p in (heard.item, heard.source, heard.origin))
    return replace(own, met=met, partner=partner, others=others)
