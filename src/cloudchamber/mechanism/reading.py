"""From a trace to choices: exposures and decisions, some runs at a time, into `ChoiceData`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import SpecificationError, TraceError
from cloudchamber.mechanism.choice_data import ChoiceData
from cloudchamber.mechanism.shown import HEARD, Heard, Recalled, in_order, joined, tallied
from cloudchamber.questions import Reals
from cloudchamber.trace.tables import SIGNAL, Kind, Readable

if TYPE_CHECKING:
    import duckdb

__all__ = ["choices_of"]

ROWS = 2_000_000
"""Exposures read at a time."""

Table = dict[str, NDArray[Any]]


def choices_of(
    source: Readable,
    *,
    asked: Literal["one", "several", "any"] | None = None,
    runs: Iterable[int] | None = None,
    content: Mapping[str, Reals] | None = None,
) -> ChoiceData:
    """The choices of a trace, with all that was shown for them.

    Decisions whose answer could not be used (status not ok) and those on who is next or what to write are
    left out.

    Args:
        source: a trace, in memory or on disk.
        asked: how many options a decision could take. Needed only where some took more than one: a
            trace says what was picked, not whether "several" were drawn one after the other (each pick
            becomes a row) or "any" number, each on its own.
        runs: only these runs.
        content: what belongs to each item, e.g. ``world.content()``; it is not on the trace.

    Raises:
        SpecificationError: `asked` is needed, or does not fit what was asked.
        TraceError: there are no such decisions, or both lists and judgements among them.
    """
    reading = _Reading(source, None if runs is None else sorted({int(run) for run in runs}))
    told = reading.told
    if not len(told["run"]):
        raise TraceError(
            "the trace has no usable decisions on options; give another, or other runs"
        )
    kinds = {Kind(int(code)).name for code in np.unique(told["kind"])}
    if len(kinds) > 1:
        raise TraceError(
            "some decisions were made of a list, some on one item alone; give `runs` of one kind"
        )
    data, chosen = reading.filled()
    kept = data.item[:, 0] >= 0
    if not kept.all():  # decisions whose exposures were not recorded
        data, chosen = data.where(kept), chosen[kept]
    data = replace(data, content=dict(content or {}))
    form = _asked(asked, kinds == {"judge"}, data, chosen)
    if form == "any":
        return replace(data, asked="any", taken=chosen > 0, choice=np.full(len(data), -1, np.int16))
    return _by_pick(data, chosen) if form == "several" else _single(data, chosen)


def _asked(given: str | None, judged: bool, data: ChoiceData, chosen: NDArray[np.int8]) -> str:
    if judged:
        if given not in (None, "any"):
            raise SpecificationError(
                f'items were judged one at a time: asked is "any", not {given!r}'
            )
        return "any"
    several = chosen.max(initial=0) > 1
    if given is None:
        if several:
            raise SpecificationError(
                "some decisions took more than one option; say whether they were drawn one after "
                'the other (asked="several") or each on its own (asked="any")'
            )
        exact = data.exact
        if data.probability is not None and exact.any():
            total = np.nansum(data.probability[exact], axis=1).max()
            return "any" if total > 1.001 else "one"  # no distribution sums to more than 1
        return "one"
    if given not in ("one", "several", "any"):
        raise SpecificationError(f'asked: {given!r} given; allowed: "one", "several", "any"')
    if given == "one" and several:
        raise SpecificationError('some decisions took more than one option; asked cannot be "one"')
    return given


def _single(data: ChoiceData, chosen: NDArray[np.int8]) -> ChoiceData:
    picked = chosen > 0
    choice = np.where(picked.any(axis=1), picked.argmax(axis=1), -1).astype(np.int16)
    return replace(data, choice=choice)


def _by_pick(data: ChoiceData, chosen: NDArray[np.int8]) -> ChoiceData:
    """A row for each pick, and one for stopping before the most that anybody took."""
    took, there = chosen.max(axis=1), (data.item >= 0).sum(axis=1)
    most = np.minimum(took.max(initial=1), there)
    each = np.where(took < most, took + 1, took).astype(np.int64)
    source = np.repeat(np.arange(len(data)), each)
    pick = np.arange(len(source)) - np.repeat(np.cumsum(each) - each, each) + 1
    rank = chosen[source]
    now = rank == pick[:, None]
    still = (rank == 0) | (rank >= pick[:, None])
    rows = data.where(source)
    probability = rows.probability
    if probability is not None:
        probability = np.where((pick == 1)[:, None], probability, np.float32(np.nan))
    return replace(
        rows,
        pick=pick.astype(np.int16),
        choice=np.where(now.any(axis=1), now.argmax(axis=1), -1).astype(np.int16),
        open=still if rows.open is None else rows.open & still,
        probability=probability,
    )


@dataclass(slots=True)
class _Wide:
    """The matrices of `ChoiceData`, filled some rows at a time."""

    item: NDArray[Any]
    chosen: NDArray[np.int8]
    probability: NDArray[np.float32]
    labels: NDArray[np.int32]
    signals: dict[str, NDArray[np.float32]]
    heard: dict[str, Heard]
    recalled: dict[str, list[Recalled]]
    """Act by act, a block after another."""
    open: NDArray[np.bool_] | None


class _Reading:
    """Reads a trace some runs at a time."""

    def __init__(self, source: Readable, runs: list[int] | None) -> None:
        self.source = source
        self.within = "" if runs is None else f" AND run IN ({', '.join(map(str, runs)) or 'NULL'})"
        names = source.sql("SELECT * FROM exposures LIMIT 0").columns
        self.signals = [name for name in names if name.startswith(SIGNAL)]
        self.shown = self._count("option", self.signals) if self.signals else []
        self.told = self._decisions()

    def filled(self) -> tuple[ChoiceData, NDArray[np.int8]]:
        """The data without its choices, and (n, k) the rank of each option among the picks, 0 for none."""
        n, (k, items) = len(self.told["run"]), self._size()
        wide = self._empty(n, k, items)
        for low, high in self._blocks():
            rows = slice(
                *(
                    np.searchsorted(self.told["run"], low),
                    np.searchsorted(self.told["run"], high + 1),
                )
            )
            self._options(wide, rows, low, high)
            self._heard(wide, rows, low, high)
        told = self.told
        return ChoiceData(
            "one",
            told["run"],
            told["decision"],
            np.ones(n, np.int16),
            told["step"].astype(np.int32),
            told["agent"].astype(np.int32),
            told["group"].astype(np.int16),
            wide.item,
            np.full(n, -1, np.int16),
            probability=None if np.isnan(wide.probability).all() else wide.probability,
            open=wide.open,
            labels=wide.labels if wide.labels.size else None,
            signals={name.removeprefix(SIGNAL): part for name, part in wide.signals.items()},
            heard=wide.heard,
            recalled={name: joined(parts) for name, parts in wide.recalled.items()},
        ), wide.chosen

    def _empty(self, n: int, k: int, items: int) -> _Wide:
        heard = [name for name in HEARD if self._count(name, [])]
        labelled = self.source.sql(
            f"SELECT 1 FROM exposures WHERE channel = 'option' AND label >= 0{self.within} LIMIT 1"
        ).fetchall()
        shape = (n, k)
        return _Wide(
            np.full(shape, -1, np.int16 if items < 2**15 else np.int32),
            np.zeros(shape, np.int8),
            np.zeros(shape, np.float32),
            np.full(shape if labelled else (0, 0), -1, np.int32),
            {name: np.full(shape, np.nan, np.float32) for name in self.shown},
            {
                name: Heard(np.zeros(shape, np.float32), np.full(shape, np.inf, np.float32))
                for name in heard
            },
            {name: [] for name in heard},
            np.ones(shape, bool) if self._count("picked", []) else None,
        )

    def _decisions(self) -> Table:
        return _columns(
            self.source.sql(
                f"""SELECT run, decision, step, agent, "group", enum_code(kind) AS kind FROM decisions
                    WHERE pick <= 1 AND status = 'ok' AND kind NOT IN ('next', 'write'){self.within}
                    ORDER BY run, decision"""
            )
        )

    def _count(self, channel: str, signals: list[str]) -> Any:
        """The signals that are ever shown on a channel; without signals, whether it has any rows."""
        counted = ", ".join(["count(*)", *(f'count("{name}")' for name in signals)])
        query = f"SELECT {counted} FROM exposures WHERE channel = '{channel}'{self.within}"
        rows, *found = self.source.sql(query).fetchall()[0]
        return (
            [name for name, count in zip(signals, found, strict=True) if count] if signals else rows
        )

    def _size(self) -> tuple[int, int]:
        query = f"""SELECT max(position), max(item) + 1 FROM exposures
                    WHERE channel = 'option' AND item >= 0{self.within}"""
        options, items = self.source.sql(query).fetchall()[0]
        return int(options), int(items)

    def _blocks(self) -> Iterator[tuple[int, int]]:
        """First and last run of each block."""
        counted = self.source.sql(
            f"""SELECT run, count(*) FROM exposures WHERE channel = 'option'{self.within}
                GROUP BY run ORDER BY run"""
        ).fetchall()
        start = total = 0
        for at, (_, rows) in enumerate(counted):
            if total and total + rows > ROWS:
                yield counted[start][0], counted[at - 1][0]
                start, total = at, 0
            total += rows
        yield counted[start][0], counted[-1][0]

    def _rows(self, columns: str, channels: str, low: int, high: int) -> Table:
        return _columns(
            self.source.sql(
                f"""SELECT run, decision, position, item{columns} FROM exposures
                    WHERE channel IN ({channels}) AND item >= 0 AND run BETWEEN {low} AND {high}
                    {self.within}"""
            )
        )

    def _options(self, wide: _Wide, rows: slice, low: int, high: int) -> None:
        labelled = ", label" if wide.labels.size else ""
        signals = "".join(f', "{name}"' for name in self.shown)
        found = self._rows(f", probability, chosen{labelled}{signals}", "'option'", low, high)
        row, known = self._matched(found, rows)
        row, column = row[known], found["position"][known].astype(np.int64) - 1
        wide.item[row, column] = found["item"][known]
        wide.chosen[row, column] = found["chosen"][known]
        wide.probability[row, column] = found["probability"][known]
        if wide.labels.size:
            wide.labels[row, column] = found["label"][known]
        for name in self.shown:
            wide.signals[name][row, column] = found[name][known]
        there = wide.item[rows] >= 0
        shown = np.bincount(row - rows.start, minlength=rows.stop - rows.start)
        if (there != (np.arange(there.shape[1]) < shown[:, None])).any():
            raise TraceError(
                "the options of a decision do not stand at places 1, 2, ...; the trace is damaged"
            )
        # A distribution is known whole or not at all.
        block = wide.probability[rows]
        block[np.isnan(block).any(axis=1)] = np.nan

    def _heard(self, wide: _Wide, rows: slice, low: int, high: int) -> None:
        for name, whole in wide.heard.items():
            told = "".join(f', "{one}"' for one in self.signals)
            found = self._rows(f", latency{told}", f"'{name}'", low, high)
            row, known = self._matched(found, rows)
            # A row's acts together, in the order told.
            entry = np.flatnonzero(known)
            entry = entry[np.lexsort((found["position"][entry], row[entry]))]
            row, found = row[entry] - rows.start, {n: part[entry] for n, part in found.items()}
            weight = np.nan_to_num(found.pop(f"{SIGNAL}value", np.ones(len(row))), nan=1.0)
            age = found["latency"].astype(np.float64)
            part = tallied(wide.item[rows], row, found["item"], weight, age)
            whole.count[rows], whole.age[rows] = part.count, part.age
            results = {n.removeprefix(SIGNAL): found[n] for n in self.signals if n in found}
            results = {n: part for n, part in results.items() if not np.isnan(part).all()}
            length = rows.stop - rows.start
            wide.recalled[name].append(in_order(length, row, found["item"], weight, results))
        if wide.open is not None:
            found = self._rows("", "'picked'", low, high)
            row, known = self._matched(found, rows)
            gone = wide.item[row[known]] == found["item"][known][:, None]
            entry, column = np.nonzero(gone)
            wide.open[row[known][entry], column] = False

    def _matched(self, found: Table, rows: slice) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The row of each exposure, and whether its decision is among the rows at all."""
        run, decision = self.told["run"][rows], self.told["decision"][rows]
        runs = np.unique(run)
        width = int(max(decision.max(initial=0), found["decision"].max(initial=0))) + 1
        keys = np.searchsorted(runs, run) * width + decision
        wanted = np.searchsorted(runs, found["run"]) * width + found["decision"]
        at = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
        known = (keys[at] == wanted) if len(keys) else np.zeros(len(wanted), bool)
        return at + rows.start, known & np.isin(found["run"], runs)


def _columns(relation: "duckdb.DuckDBPyRelation") -> Table:
    """Columns as arrays, NULL as NaN."""
    found = relation.fetchnumpy()
    return {
        name: np.asarray(
            np.ma.filled(values.astype(np.float64), np.nan) if np.ma.is_masked(values) else values
        )
        for name, values in found.items()
    }
