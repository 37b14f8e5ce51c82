"""What happens along a sequence of choices: whether they become all alike, whether they are right.

All is told by the choices alone, so that agents of every kind are measured alike: a run ends in a cascade
where the second half of its choices are all of one option, and with a wrong majority where most of them are
not right. Some runs of agents that heed nobody end so too; a phenomenon is told against their twins. All
sums are SQL, and every result is by run.
"""

from typing import TYPE_CHECKING, Final

import numpy as np

from cloudchamber.measures.measure import Measure
from cloudchamber.measures.whole import WHOLE
from cloudchamber.trace.tables import SIGNAL, Readable

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CASCADES",
    "accuracy",
    "against_own_sign",
    "cascade",
    "cascade_start",
    "right_by_place",
    "wrong_cascade",
    "wrong_majority",
]

_RIGHT = "(SELECT run, min(value)::INTEGER AS right_one FROM series WHERE measure = 'right' GROUP BY run)"
"""The right option of each run, where the world has one."""
_CHOICES = f"""(
    SELECT run, choice, row_number() OVER (PARTITION BY run ORDER BY decision, pick) AS place,
           count(*) OVER (PARTITION BY run) AS n
    FROM decisions JOIN {WHOLE} USING (run)
    WHERE choice >= 0 AND kind <> 'next' AND (kind <> 'judge' OR value > 0))"""
"""The choices that became acts, in order, of runs of which all are known."""
_ENDINGS = f"""(
    SELECT run, n, last, coalesce(max(place) FILTER (choice <> last), 0) + 1 AS start
    FROM (SELECT *, last_value(choice) OVER (PARTITION BY run ORDER BY place
          ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS last FROM {_CHOICES})
    GROUP BY run, n, last)"""
"""The last choice of each run, and from which place on all are like it."""
_SETTLED = "(start - 1) * 2 <= n"


def accuracy(source: Readable) -> "pd.Series[float]":
    """Share of a run's choices that are right; NaN in a world where none is."""
    query = f"""
        SELECT run, sum(value) FILTER (item = right_one) / nullif(sum(value), 0) AS value
        FROM (SELECT run, item, arg_max(value, step) - arg_min(value, step) AS value
              FROM outcomes GROUP BY run, item) LEFT JOIN {_RIGHT} USING (run)
        GROUP BY run ORDER BY run"""
    return _by_run(source, query, "accuracy")


def wrong_majority(source: Readable) -> "pd.Series[float]":
    """1 where most of the second half of a run's choices are wrong, else 0; NaN where none is right.

    Unlike a cascade it may hold some who choose otherwise.
    """
    query = f"""
        SELECT run, CASE WHEN any_value(right_one) IS NOT NULL AND count(place) > 0 THEN
               2 * count(*) FILTER (choice <> right_one) > count(place) END::DOUBLE AS value
        FROM (SELECT DISTINCT run FROM outcomes) LEFT JOIN (
            SELECT * FROM {_CHOICES} WHERE 2 * place > n) USING (run) LEFT JOIN {_RIGHT} USING (run)
        GROUP BY run ORDER BY run"""
    return _by_run(source, query, "share of wrong majorities")


def right_by_place(source: Readable) -> "pd.DataFrame":
    """1 where the choice at a place in the sequence is right, else 0: a row a run, a column a place."""
    query = f"""SELECT run, place, (choice = right_one)::INTEGER::DOUBLE AS value
                FROM {_CHOICES} JOIN {_RIGHT} USING (run)"""
    found: pd.DataFrame = source.sql(query).df()
    return found.pivot(index="run", columns="place", values="value").sort_index()


def cascade(source: Readable) -> "pd.Series[float]":
    """1 where a run ends in a cascade, else 0."""
    return _ending(source, f"({_SETTLED})", "share of cascades")


def wrong_cascade(source: Readable) -> "pd.Series[float]":
    """1 where a run ends in a cascade on an option that is not right, else 0; NaN where none is right."""
    told = f"CASE WHEN right_one IS NOT NULL THEN {_SETTLED} AND last <> right_one END"
    return _ending(source, told, "share of wrong cascades")


def cascade_start(source: Readable) -> "pd.Series[float]":
    """The place from which on all choices are alike, 1 for the first; NaN for a run without cascade."""
    return _ending(source, f"CASE WHEN {_SETTLED} THEN start END", "cascade start")


def against_own_sign(source: Readable, sign: str = "sign") -> "pd.Series[float]":
    """Share of choices of an option to which the agent's own sign does not point; NaN without signs."""
    if SIGNAL + sign not in source.sql("SELECT * FROM exposures LIMIT 0").columns:
        query = "SELECT DISTINCT run, NULL::DOUBLE AS value FROM outcomes ORDER BY run"
        return _by_run(source, query, "against own sign")
    query = f"""
        SELECT run, avg(against) AS value FROM (SELECT DISTINCT run FROM outcomes) LEFT JOIN (
            SELECT run, (max(shown) FILTER (chosen > 0) < max(shown))::INTEGER::DOUBLE AS against
            FROM (SELECT run, decision, chosen, "{SIGNAL}{sign}" AS shown FROM exposures
                  WHERE channel = 'option' AND item >= 0)
            GROUP BY run, decision HAVING max(chosen) > 0) USING (run)
        GROUP BY run ORDER BY run"""
    return _by_run(source, query, "against own sign")


def _ending(source: Readable, told: str, name: str) -> "pd.Series[float]":
    query = f"""SELECT run, ({told})::DOUBLE AS value
                FROM (SELECT DISTINCT run FROM outcomes) LEFT JOIN {_ENDINGS} USING (run)
                LEFT JOIN {_RIGHT} USING (run) ORDER BY run"""
    return _by_run(source, query, name)


def _by_run(source: Readable, query: str, name: str) -> "pd.Series[float]":
    found: pd.DataFrame = source.sql(query).df()
    return found.set_index("run")["value"].astype(np.float64).rename(name)


CASCADES: Final = (
    Measure("accuracy", "share of choices that are right", 0, 1, accuracy),
    Measure("share of wrong majorities", "share of runs", 0, 1, wrong_majority),
    Measure("share of cascades", "share of runs", 0, 1, cascade),
    Measure("share of wrong cascades", "share of runs", 0, 1, wrong_cascade),
    Measure("cascade start", "choices", 1, np.inf, cascade_start),
    Measure("against own sign", "share of choices", 0, 1, against_own_sign),
)
"""The measures of sequences of choices."""
