"""What the exposures of a trace say about attention: to position, to shown signals, to labels.

Each option shown counts with the probability the agent gave it, where that is recorded exactly (the
Rao-Blackwell form of the same estimate: less noise, no bias), and else with whether it was chosen. Of runs
in which an agent may pick several options one after the other, the choices count, since the recorded
probability is that of the first pick. All sums are SQL: a trace is never loaded whole, and every result is
by run, for the run is the unit.
"""

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from cloudchamber.errors import TraceError
from cloudchamber.measures.concentration import gini
from cloudchamber.trace.tables import SIGNAL, Readable, Status

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "answer_rates",
    "choice_by_position",
    "choice_by_signal",
    "expected_gini",
    "expected_gini_over_time",
    "first_place_share",
    "leader_rate",
    "mean_position",
    "share_of_items",
    "share_of_shown",
    "signal_effect",
    "valid_mass",
    "variance_shares",
]

# An option of the world's list; the options of "who is next" are agents and have no item.
_OPTIONS = "exposures WHERE channel = 'option' AND item >= 0"
_EXACT = "coalesce(probability, (chosen > 0)::INTEGER)::DOUBLE"
_PICKED = "(chosen > 0)::INTEGER::DOUBLE"


def _weighed(source: Readable) -> str:
    """SQL for the options with `w`, what each counts: run, position, item, label, signals, w.

    Options of decisions whose answer could not be used are left out: nothing is known of them, and
    that is not that none was chosen. So are those that were shown to who was to write.
    """
    several = _several(source)
    weight = _EXACT
    if several:
        runs = ", ".join(map(str, several))
        weight = f"CASE WHEN run IN ({runs}) THEN {_PICKED} ELSE {_EXACT} END"
    options = f"SELECT *, {weight} AS w FROM {_OPTIONS}"
    unusable = "SELECT run, decision FROM decisions WHERE status <> 'ok' OR kind = 'write'"
    if source.sql(f"{unusable} LIMIT 1").fetchall():
        options += f" AND (run, decision) NOT IN ({unusable})"
    return f"({options})"


def _several(source: Readable) -> list[int]:
    """The runs in which some decision has more than one pick."""
    query = "SELECT run FROM decisions GROUP BY run HAVING max(pick) > 1 ORDER BY run"
    return [row[0] for row in source.sql(query).fetchall()]


def mean_position(source: Readable) -> "pd.Series[float]":
    """Mean selected position by run: sum of position times weight over sum of weights.

    1 is the first place; (n + 1) / 2 where position plays no part among n options. NaN where options
    were never shown beside one another.
    """
    mean = "sum(w * position) / nullif(sum(w), 0)"
    query = f"""SELECT run, CASE WHEN max(position) > 1 THEN {mean} END AS value
                FROM {_weighed(source)} WHERE position > 0 GROUP BY run ORDER BY run"""
    return _series(source, query, "mean position")


def expected_gini(source: Readable) -> "pd.Series[float]":
    """Gini of the choices that each run's agents were expected to make: of the summed probabilities.

    What `concentration.gini` says of choices, without the noise of drawing each from its distribution.
    The distributions are noisy too: which item stands first, and which label it bears, is drawn for
    each decision and moves them. So the expected Gini of few decisions is larger than that of many,
    as that of choices is, only less so. Where every decision gives the same probabilities in another
    order, with mean m and standard deviation s over the options, it is about s / (m sqrt(pi T)) after
    T of them. Compare runs of equally many decisions.

    Where probabilities were not recorded the choices themselves count. An item that was never shown
    counts as never chosen. Of items judged one at a time the probabilities of a yes are summed,
    whether or not it became an act.
    """
    course = expected_gini_over_time(source)
    last = course.groupby("run").tail(1).set_index("run")["value"]
    return last.rename("expected gini")


def expected_gini_over_time(source: Readable) -> "pd.DataFrame":
    """`expected_gini` of all choices up to each step: columns run, step, value.

    Of a run of a single step it is told after each batch of that step instead.
    """
    import pandas as pd  # 300 ms that `import cloudchamber` need not pay

    query = f"""
        SELECT run, moment AS step, item, sum(w) AS w
        FROM {_weighed(source)} JOIN (
            SELECT run, decision, CASE WHEN max(step) OVER (PARTITION BY run) = 0 THEN batch ELSE step END
                   + 1 AS moment
            FROM decisions WHERE pick <= 1)
        USING (run, decision) GROUP BY ALL"""
    frame = _frame(source, query)
    held = _frame(source, "SELECT run, max(item) + 1 AS n FROM outcomes GROUP BY run")
    counts: dict[Any, int] = dict(zip(held["run"], held["n"].astype(int), strict=True))
    parts = []
    for run, rows in frame.groupby("run"):
        wide = rows.pivot(index="step", columns="item", values="w").fillna(0.0).sort_index()
        items = counts.get(run, int(max(wide.columns)) + 1)
        wide = wide.reindex(columns=range(items), fill_value=0.0)
        value = gini(wide.to_numpy().cumsum(axis=0))
        parts.append(pd.DataFrame({"run": run, "step": wide.index, "value": value}))
    if not parts:
        return pd.DataFrame({"run": [], "step": [], "value": []})
    return pd.concat(parts, ignore_index=True)


def choice_by_position(source: Readable) -> "pd.DataFrame":
    """P(choice | position) by run: a row a run, a column a position (1 = first); NaN: never shown."""
    query = f"""SELECT run, position, avg(w) AS value FROM {_weighed(source)}
                WHERE position > 0 GROUP BY run, position"""
    frame = _frame(source, query)
    return frame.pivot(index="run", columns="position", values="value").sort_index()


def first_place_share(source: Readable, places: int = 1) -> "pd.Series[float]":
    """Share of the choices that fall on the first `places` positions, by run: lock-in to the top."""
    query = f"""SELECT run, sum(w) FILTER (position <= {int(places)}) / nullif(sum(w), 0) AS value
                FROM {_weighed(source)} WHERE position > 0 GROUP BY run ORDER BY run"""
    return _series(source, query, "first place share")


def share_of_items(source: Readable, items: Sequence[int]) -> "pd.Series[float]":
    """Share of all (expected) choices that fall on some items, by run."""
    wanted = ", ".join(str(int(item)) for item in items)
    within = f"coalesce(sum(w) FILTER (item IN ({wanted})), 0)"
    query = f"""SELECT run, {within} / nullif(sum(w), 0) AS value
                FROM {_weighed(source)} GROUP BY run ORDER BY run"""
    return _series(source, query, "share of items")


def choice_by_signal(
    source: Readable,
    signal: str = "likes",
    *,
    levels: Sequence[float] = (0, 1, 10, 100, 1000),
    positions: Sequence[int] = (1,),
) -> "pd.DataFrame":
    """P(choice | level of a shown signal, position band) by run.

    Args:
        source: a trace.
        signal: the field shown, e.g. "likes".
        levels: lower edges of the levels, ascending: 1 with 10 next is the level 1 up to below 10.
        positions: first positions of the bands, ascending; (1,) is one band of all, (1, 4) is the
            first three places and the rest.

    Returns:
        Columns run, level (lower edge; NaN: hidden), band (first position), value (the probability),
        shown (how many exposures it rests on).

    Raises:
        TraceError: no exposure of the trace has such a signal column.
    """
    column = _signal_column(source, signal)
    query = f"""SELECT run, {_band(column, levels)} AS level, {_band("position", positions)} AS band,
                       avg(w) AS value, count(*) AS shown
                FROM {_weighed(source)} GROUP BY ALL ORDER BY ALL"""
    return _frame(source, query)


def signal_effect(
    source: Readable,
    signal: str = "likes",
    *,
    cut: float = 1,
    within: Sequence[str] = ("position",),
) -> "pd.Series[float]":
    """Effect of a shown signal by run: P(choice | at or above the cut) - P(choice | below).

    Compared within strata (the same position, the same item, ...) and averaged with Mantel-Haenszel
    weights n1 n0 / (n1 + n0), so that a signal that goes with the position is not credited for it.
    Exposures that hide the signal do not count; NaN where no stratum holds both. Where likes grew from
    choices, add "item" to `within`, or better alter them by experiment: popular items are also the good.
    Options compete: a signal that all options of a slate carry alike moves no choice between them.

    Raises:
        TraceError: no exposure of the trace has such a signal column.
    """
    column = _signal_column(source, signal)
    strata = "".join(f', "{name}"' for name in within)
    query = f"""
        WITH cells AS (
            SELECT run{strata},
                   count(*) FILTER ({column} >= {cut})::DOUBLE AS n1, avg(w) FILTER ({column} >= {cut}) AS p1,
                   count(*) FILTER ({column} < {cut})::DOUBLE AS n0, avg(w) FILTER ({column} < {cut}) AS p0
            FROM {_weighed(source)} GROUP BY ALL)
        SELECT run, sum((p1 - p0) * n1 * n0 / (n1 + n0)) FILTER (n1 > 0 AND n0 > 0)
                    / sum(n1 * n0 / (n1 + n0)) FILTER (n1 > 0 AND n0 > 0) AS value
        FROM cells GROUP BY run ORDER BY run"""
    return _series(source, query, f"effect of {signal}")


def share_of_shown(
    source: Readable,
    signal: str = "likes",
    *,
    cut: float = 1,
    places: tuple[int, float] | None = None,
) -> "pd.Series[float]":
    """Share of the (expected) choices that fall on options which show at least `cut`, by run.

    Only at the places from the first to the last of `places`, if given. What is hidden shows nothing.

    Raises:
        TraceError: no exposure of the trace has such a signal column.
    """
    column = _signal_column(source, signal)
    fall = f"coalesce(sum(w) FILTER ({column} >= {cut} AND {_placed(places)}), 0)"
    query = f"""SELECT run, {fall} / nullif(sum(w), 0) AS value
                FROM {_weighed(source)} GROUP BY run ORDER BY run"""
    return _series(source, query, f"share on what shows {signal}")


def leader_rate(source: Readable, signal: str = "likes") -> "pd.Series[float]":
    """How often the one option that shows the most of a signal is picked, by run.

    Over decisions in which one option shows more than every other; NaN where there is none. Options that
    hide the signal do not lead.

    Raises:
        TraceError: no exposure of the trace has such a signal column.
    """
    column = _signal_column(source, signal)
    query = f"""
        WITH shown AS (
            SELECT run, decision, w, {column} AS s, max({column}) OVER (PARTITION BY run, decision) AS most
            FROM {_weighed(source)} WHERE position > 0),
        led AS (
            SELECT run, decision, sum(w) FILTER (s = most) AS w FROM shown
            GROUP BY run, decision HAVING count(*) FILTER (s = most) = 1 AND count(*) > 1)
        SELECT run, value FROM (SELECT DISTINCT run FROM shown)
        LEFT JOIN (SELECT run, avg(w) AS value FROM led GROUP BY run) USING (run) ORDER BY run"""
    return _series(source, query, "leader's pick rate")


def variance_shares(
    source: Readable, by: Sequence[str] = ("label", "position", "item")
) -> "pd.DataFrame":
    """Share of the variance of choice between options that goes with each factor, by run.

    Epsilon squared: 1 - (within-group mean square) / (total mean square), the one-way share of variance
    corrected for the number of groups, 0 in expectation where the factor plays no part. With random
    labels and orders the three are separate questions: does the agent choose labels, places or items?
    A constant factor gives NaN.
    """
    import pandas as pd  # 300 ms that `import cloudchamber` need not pay

    out = {}
    for factor in by:
        query = f"""
            WITH cells AS (SELECT run, "{factor}" AS f, count(*)::DOUBLE AS n, sum(w) AS s, sum(w * w) AS q
                           FROM {_weighed(source)} WHERE "{factor}" >= 0 GROUP BY run, f)
            SELECT run, sum(n) AS n, count(*) AS groups, sum(q) - sum(s) * sum(s) / sum(n) AS total,
                   sum(q - s * s / n) AS inner_sum
            FROM cells GROUP BY run ORDER BY run"""
        found = _frame(source, query).set_index("run")
        freedom = found["n"] - found["groups"]
        ratio = (found["inner_sum"] / freedom) / (found["total"] / (found["n"] - 1))
        out[factor] = (1 - ratio).where(
            (found["groups"] > 1) & (freedom > 0) & (found["total"] > 0)
        )
    return pd.DataFrame(out)


def answer_rates(source: Readable) -> "pd.DataFrame":
    """Share of a run's decisions of each status (ok, refused, unparseable, timeout, failed)."""
    query = """SELECT run, status::VARCHAR AS status, count(*) AS n FROM decisions
               WHERE pick <= 1 GROUP BY ALL"""
    frame = _frame(source, query)
    wide = frame.pivot(index="run", columns="status", values="n").sort_index().fillna(0.0)
    statuses = [status.name for status in Status]
    return wide.div(wide.sum(axis=1), axis=0).reindex(columns=statuses, fill_value=0.0)


def valid_mass(source: Readable) -> "pd.Series[float]":
    """Mean probability that a model put on valid answers, by run; NaN for rules."""
    query = (
        "SELECT run, avg(mass) AS value FROM decisions WHERE pick <= 1 GROUP BY run ORDER BY run"
    )
    return _series(source, query, "valid mass")


def _series(source: Readable, query: str, name: str) -> "pd.Series[float]":
    return _frame(source, query).set_index("run")["value"].astype(np.float64).rename(name)


def _frame(source: Readable, query: str) -> "pd.DataFrame":
    found: pd.DataFrame = source.sql(query).df()
    return found


def _signal_column(source: Readable, signal: str) -> str:
    names = source.sql("SELECT * FROM exposures LIMIT 0").columns
    if SIGNAL + signal not in names:
        shown = [name.removeprefix(SIGNAL) for name in names if name.startswith(SIGNAL)]
        raise TraceError(
            f"no exposure shows the signal {signal!r}; shown in this trace: "
            f"{', '.join(shown) or 'none'}"
        )
    return f'"{SIGNAL}{signal}"'


def _placed(places: tuple[int, float] | None) -> str:
    """SQL for being at one of some places."""
    if places is None:
        return "true"
    first, last = places
    return f"position >= {first}" + (f" AND position <= {last:g}" if isfinite(last) else "")


def _band(column: str, edges: Sequence[float]) -> str:
    """SQL for the highest edge that is not above the value; NULL for NULL and below the first."""
    cases = " ".join(f"WHEN {column} >= {edge} THEN {edge}" for edge in sorted(edges, reverse=True))
    return f"(CASE {cases} END)::DOUBLE"
