"""How far agents cooperate, and what kind of player each is towards those it meets.

A world of dilemmas records how far its agents cooperate; the rates here are of what it records. The
dimensions of a player (nice, forgiving, retaliatory, troublemaking, emulative) are worked out from what both
did in each of its meetings, in order, whoever it met.

Source of the dimensions: Fontana, Pierri & Aiello 2024, "Nicer than humans", after Axelrod 1984.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cloudchamber.measures.facts import of_fact
from cloudchamber.measures.measure import Measure
from cloudchamber.measures.whole import WHOLE
from cloudchamber.trace.tables import Readable

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "COOPERATION",
    "DIMENSIONS",
    "Histories",
    "by_group",
    "cooperation_of",
    "dimensions",
    "emulative",
    "forgiving",
    "histories",
    "nice",
    "retaliatory",
    "troublemaking",
]

Reals = NDArray[np.float64]
Acts = NDArray[np.integer]
_DILEMMAS = "(SELECT DISTINCT run FROM series WHERE measure = 'cooperation')"
"""The runs of worlds in which agents can cooperate."""
_MEETINGS = f"""(
    SELECT run, step, batch, decision, agent, "group", choice, row_number() OVER (
        PARTITION BY run, step, batch ORDER BY decision) - 1 AS place
    FROM decisions JOIN {_DILEMMAS} USING (run) JOIN {WHOLE} USING (run)
    WHERE kind = 'choose' AND pick = 1)"""
"""Those who meet decide one after the other in the table: places 0 and 1 of a batch, 2 and 3, ..."""


@dataclass(frozen=True, slots=True)
class Histories:
    """What both did in each agent's meetings, in order: 0 cooperates, 1 defects, -1 no answer."""

    run: Acts
    """(players,)"""
    agent: Acts
    """(players,)"""
    group: Acts
    """(players,): the number of each agent's group."""
    own: Acts
    """(players, meetings); shorter histories end in -2."""
    other: Acts
    """(players, meetings)"""


def histories(source: Readable) -> Histories:
    """The meetings of every agent, of runs of which all decisions are kept.

    Raises:
        duckdb.Error: the source is no trace.
    """
    query = f"""
        SELECT one.run, one.agent, one."group" AS grp, one.choice AS own, two.choice AS other,
               row_number() OVER (PARTITION BY one.run, one.agent
                                  ORDER BY one.step, one.batch, one.decision) - 1 AS nth
        FROM {_MEETINGS} AS one JOIN {_MEETINGS} AS two
        ON one.run = two.run AND one.step = two.step AND one.batch = two.batch
           AND two.place = CASE WHEN one.place % 2 = 0 THEN one.place + 1 ELSE one.place - 1 END
        ORDER BY one.run, one.agent, nth"""
    rows = {name: np.asarray(part) for name, part in source.sql(query).fetchnumpy().items()}
    key = np.stack([rows["run"], rows["agent"]])
    players, first, which = np.unique(key, axis=1, return_index=True, return_inverse=True)
    shape = (players.shape[1], int(rows["nth"].max(initial=-1)) + 1)
    own, other = np.full(shape, -2), np.full(shape, -2)
    own[which.reshape(-1), rows["nth"]] = rows["own"]
    other[which.reshape(-1), rows["nth"]] = rows["other"]
    return Histories(players[0], players[1], rows["grp"][first], own, other)


def nice(own: ArrayLike, other: ArrayLike) -> Reals:
    """1 for who does not defect before the other does, nor in the same meeting; else 0.

    Args:
        own: what the player did, of shape [..., meetings]: 0 cooperates, 1 defects, else unknown.
        other: what the other did, of the same shape.
    """
    mine, its = _first(np.asarray(own) == 1), _first(np.asarray(other) == 1)
    none = np.asarray(own).shape[-1]
    return np.asarray((mine > its) | (mine == none), np.float64)


def forgiving(own: ArrayLike, other: ArrayLike) -> Reals:
    """Of the other's defections how many are forgiven: forgiven / (defections + penalties).

    A defection is held against the other until the player cooperates again, which forgives it; further
    defections meanwhile do not count anew. While it is held, each time that the other cooperated and the
    player defects next is a penalty. NaN where the other never defected (the published code says 0).
    """
    a, b = np.asarray(own), np.asarray(other)
    grudge = np.zeros(a.shape[:-1], bool)
    forgiven, defections, penalties = (np.zeros(a.shape[:-1]) for _ in range(3))
    for at in range(a.shape[-1]):
        forgives = grudge & (a[..., at] == 0)
        forgiven += forgives
        grudge &= ~forgives
        if at + 1 < a.shape[-1]:
            penalties += grudge & (b[..., at] == 0) & (a[..., at + 1] == 1)
        defects = ~grudge & (b[..., at] == 1)
        defections += defects
        grudge |= defects
    return _ratio(forgiven, defections + penalties)


def retaliatory(own: ArrayLike, other: ArrayLike) -> Reals:
    """Of the other's defections right after the player cooperated, how many it answers by defecting.

    A defection in the first meeting counts as one too. NaN where there is none.
    """
    a, b = np.asarray(own), np.asarray(other)
    before = np.concatenate([np.zeros_like(a[..., :1]), a[..., :-1]], axis=-1)
    provoked = (before == 0) & (b == 1)
    provoked = provoked[..., :-1] & (a[..., 1:] >= 0)
    return _ratio((provoked & (a[..., 1:] == 1)).sum(axis=-1), provoked.sum(axis=-1))


def troublemaking(own: ArrayLike, other: ArrayLike) -> Reals:
    """Of the occasions that do not call for it (the first, and after the other cooperated), defections."""
    a, b = np.asarray(own), np.asarray(other)
    before = np.concatenate([np.zeros_like(b[..., :1]), b[..., :-1]], axis=-1)
    occasion = (before == 0) & (a >= 0)
    return _ratio((occasion & (a == 1)).sum(axis=-1), occasion.sum(axis=-1))


def emulative(own: ArrayLike, other: ArrayLike) -> Reals:
    """Share of acts, the first left out, that are what the other did in the meeting before."""
    a, b = np.asarray(own)[..., 1:], np.asarray(other)[..., :-1]
    known = (a >= 0) & (b >= 0)
    return _ratio((known & (a == b)).sum(axis=-1), known.sum(axis=-1))


DIMENSIONS: Final[dict[str, Callable[[ArrayLike, ArrayLike], Reals]]] = {
    "nice": nice,
    "forgiving": forgiving,
    "retaliatory": retaliatory,
    "troublemaking": troublemaking,
    "emulative": emulative,
}


def dimensions(source: Readable, group: int | None = None) -> "pd.DataFrame":
    """The dimensions of players: a row a run, a column a dimension, means over the agents that have it.

    Args:
        source: a full trace.
        group: the number of a group, whose agents alone count; all, if not given.
    """
    import pandas as pd  # 300 ms that `import cloudchamber` need not pay

    known = histories(source)
    table = pd.DataFrame(
        {name: measured(known.own, known.other) for name, measured in DIMENSIONS.items()}
    )
    table["run"] = known.run
    if group is not None:
        table = table[known.group == group]
    means = table.groupby("run").mean()
    runs = source.sql("SELECT DISTINCT run FROM outcomes ORDER BY run").df()["run"]
    return means.reindex(pd.Index(runs, name="run")).astype(np.float64)


def by_group(source: Readable) -> "pd.DataFrame":
    """How far each group's agents cooperate in each step: columns run, group, step, value.

    Of a full trace; the mean of 1 for who cooperates and 0 for who defects, or of the amounts given.
    """
    query = f"""
        SELECT run, "group", step, avg(CASE WHEN kind = 'amount' THEN value ELSE (choice = 0)::DOUBLE END)
               AS value
        FROM decisions JOIN {_DILEMMAS} USING (run)
        WHERE kind IN ('choose', 'amount') AND choice >= 0 GROUP BY ALL ORDER BY ALL"""
    found: pd.DataFrame = source.sql(query).df()
    return found


def cooperation_of(group: int) -> Measure:
    """The share of one group's choices that cooperate, by the number of the group; of a full trace."""
    return Measure(
        f"cooperation rate of group {group}",
        "share of choices",
        0,
        1,
        partial(_rate_of, group=group),
    )


def _rate_of(source: Readable, group: int) -> "pd.Series[float]":
    query = f"""
        SELECT run, avg((choice = 0)::DOUBLE) FILTER (choice >= 0) AS value
        FROM (SELECT DISTINCT run FROM outcomes) LEFT JOIN
             (SELECT * FROM decisions JOIN {_DILEMMAS} USING (run)
              WHERE kind = 'choose' AND "group" = {int(group)}) USING (run)
        GROUP BY run ORDER BY run"""
    found: pd.DataFrame = source.sql(query).df()
    return found.set_index("run")["value"].astype(np.float64)


def _first(mark: NDArray[np.bool_]) -> Acts:
    """The place of the first mark of each row; the length of the row if there is none."""
    end = np.ones_like(mark, shape=(*mark.shape[:-1], 1))
    return np.asarray(np.concatenate([mark, end], axis=-1).argmax(axis=-1))


def _ratio(part: ArrayLike, whole: ArrayLike) -> Reals:
    some, all_ = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    unknown: Reals = np.full(all_.shape, np.nan)
    return np.asarray(np.divide(some, all_, out=unknown, where=all_ > 0))


def _dimension(source: Readable, name: str) -> "pd.Series[float]":
    return dimensions(source)[name]


_UNITS = {
    "nice": "share of players that do not defect first",
    "forgiving": "share of others' defections",
    "retaliatory": "share of provocations",
    "troublemaking": "share of occasions without a provocation",
    "emulative": "share of acts",
}
_SHARE = "share of what could be given, or of choices"
COOPERATION: Final = (
    of_fact("cooperation", _SHARE, 0, 1, name="cooperation rate"),
    of_fact(
        "cooperation now",
        f"{_SHARE}, in the later half of the rounds",
        0,
        1,
        name="late cooperation rate",
        late=True,
    ),
    of_fact("mean score", "points of an agent so far"),
    *(Measure(name, unit, 0, 1, partial(_dimension, name=name)) for name, unit in _UNITS.items()),
)
"""The measures of cooperation."""
