"""Agreement of agents that name things: how far it goes, when it came, on what, and what each begins with.

Agreement is told by the facts that a naming game records at every level of the trace; who won, and what was
chosen first, by the decisions, which a full trace holds. A run of another world has no number (NaN).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import TraceError
from cloudchamber.measures.estimate import Estimate, mean, proportion
from cloudchamber.measures.facts import fact, of_fact
from cloudchamber.measures.measure import Measure
from cloudchamber.trace.tables import Readable

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "AGREEMENTS",
    "CollectiveBias",
    "after_meetings",
    "agreement_times",
    "collective_bias",
    "first_choices",
    "last_choices",
    "name_share",
    "winners",
]

_EXACT: Final = "coalesce(probability, (chosen > 0)::INTEGER)::DOUBLE"
LAST: Final = 3
"""Answers for each agent that count as the last ones of a run."""


def agreement_times(source: Readable) -> "pd.DataFrame":
    """When each run first agreed: index run; columns meetings, rounds, agreed.

    A run that never did has the meetings and rounds of its whole length, and False: that is what is known
    of its time, and it is to be told with the rest (censored), not left out. A round is a step of the run.
    """
    import pandas as pd  # 300 ms that `import cloudchamber` need not pay

    first, all_of_them = fact(source, "meetings to agreement"), fact(source, "meetings")
    agreed = first.notna()
    steps = source.sql(
        "SELECT run, max(step) AS value FROM outcomes GROUP BY run ORDER BY run"
    ).df()
    meetings = first.where(agreed, all_of_them)
    rounds = meetings / all_of_them * steps.set_index("run")["value"]
    return pd.DataFrame({"meetings": meetings, "rounds": rounds, "agreed": agreed})


def last_choices(source: Readable, group: int | None = 0, last: int = LAST) -> "pd.DataFrame":
    """Share of each item among a run's last choices: a row a run, a column an item.

    Args:
        source: a trace with decisions.
        group: whose choices count; all if None. Committed agents are another group.
        last: how many of them, for each agent of the population.

    Raises:
        TraceError: the trace was kept without decisions.
    """
    _refuse_summaries(source)
    whose = "" if group is None else f'AND "group" = {int(group)}'
    query = f"""
        WITH made AS (
            SELECT run, choice, row_number() OVER (PARTITION BY run ORDER BY decision DESC) AS back
            FROM decisions WHERE choice >= 0 AND kind <> 'next' AND (kind <> 'judge' OR value > 0) {whose}),
        sizes AS (SELECT run, {int(last)} * count(DISTINCT agent) AS n FROM decisions GROUP BY run)
        SELECT run, choice AS item, count(*)::DOUBLE AS value
        FROM made JOIN sizes USING (run) WHERE back <= n GROUP BY ALL"""
    return _shares(source, query)


def first_choices(source: Readable, by: Literal["item", "position"] = "item") -> "pd.DataFrame":
    """Share of each item, or place, where nothing is remembered or heard: a row a run, a column of each.

    Of decisions that were shown the options alone; by their probabilities, where these are recorded.
    """
    _refuse_summaries(source)
    query = f"""
        SELECT run, {by} AS item, sum({_EXACT}) AS value
        FROM exposures WHERE channel = 'option' AND item >= 0 AND (run, decision) NOT IN (
            SELECT run, decision FROM exposures WHERE channel <> 'option')
        GROUP BY ALL"""
    return _shares(source, query)


def winners(source: Readable, group: int | None = 0) -> "pd.DataFrame":
    """The item most often chosen at a run's end, and its share of the last choices: columns item, share."""
    import pandas as pd  # as above

    shares = last_choices(source, group)
    return pd.DataFrame({"item": shares.idxmax(axis=1), "share": shares.max(axis=1)})


def after_meetings(source: Readable) -> "pd.DataFrame":
    """What agents do after the latest meeting that they remember: a row a run, NaN where there was none such.

    Columns: `stays`, the probability of the own choice again where both had chosen the same; `shifts`, that
    of the other's choice where they had not; `heeds`, how much more probable an item is where the other chose
    it than where it did not, at the same own choice and for the same item. Of these only the last tells
    heeding the other from habit and from a favourite item: for both of them it is 0.
    """
    query = f"""
        WITH latest AS (
            SELECT run, decision, max_by(item, position) FILTER (channel = 'own') AS own,
                   max_by(item, position) FILTER (channel = 'met') AS met
            FROM exposures WHERE channel IN ('own', 'met') GROUP BY run, decision),
        after AS (
            SELECT run, item, own, met, {_EXACT} AS w FROM exposures JOIN latest USING (run, decision)
            WHERE channel = 'option' AND item >= 0 AND met >= 0),
        alike AS (
            SELECT run, avg(w) FILTER (met = item) - avg(w) FILTER (met <> item) AS heeds,
                   1 / (1 / count(*) FILTER (met = item) + 1 / count(*) FILTER (met <> item)) AS weight
            FROM after GROUP BY run, item, own
            HAVING count(*) FILTER (met = item) > 0 AND count(*) FILTER (met <> item) > 0)
        SELECT run, stays, shifts, heeds FROM (SELECT DISTINCT run FROM outcomes) LEFT JOIN (
            SELECT run, avg(w) FILTER (own = met AND item = own) AS stays,
                   avg(w) FILTER (own <> met AND item = met) AS shifts FROM after GROUP BY run) USING (run)
        LEFT JOIN (SELECT run, sum(heeds * weight) / sum(weight) AS heeds FROM alike GROUP BY run) USING (run)
        ORDER BY run"""
    found: pd.DataFrame = source.sql(query).df()
    return found.set_index("run").astype(np.float64)


def name_share(item: int, group: int | None = 0) -> Measure:
    """A measure: the share of one item among a run's last choices.

    With the name that a committed minority says, and the group that is not committed: how far it has been
    overturned; more than half is a majority.
    """
    compute = partial(_share_of, item=item, group=group)
    return Measure(f"share of name {item}", "share of the last choices", 0, 1, compute)


def _share_of(source: Readable, item: int, group: int | None) -> "pd.Series[float]":
    runs = source.sql("SELECT DISTINCT run FROM outcomes ORDER BY run").df()["run"]
    if not source.sql("SELECT 1 FROM decisions LIMIT 1").fetchall():
        import pandas as pd  # as above

        return pd.Series(np.nan, index=pd.Index(runs, name="run"))
    shares = last_choices(source, group)
    known = shares.reindex(columns=[item], fill_value=0.0)[item]
    return known.reindex(runs).rename_axis("run")


@dataclass(frozen=True, slots=True)
class CollectiveBias:
    """What populations settle on, beside what their agents choose by themselves."""

    item: int
    """The item that wins most often."""
    won: Estimate
    """The share of the runs that it wins."""
    alone: Estimate
    """Its share among choices without memory, over runs."""
    p: float
    """Monte Carlo p of the winners of all runs, were each drawn by the shares among those choices."""
    counts: tuple[int, ...]
    """How many runs each item wins."""

    def sentence(self, names: tuple[str, ...] = ()) -> str:
        """As it is read aloud."""
        name = names[self.item] if names else f"item {self.item}"
        return (
            f"{name} wins {self.counts[self.item]} of {sum(self.counts)} runs (share {self.won}); of the "
            f"choices made without any memory its share is {self.alone} (p = {self.p:.2g} if winners were "
            "drawn by the shares of such choices)."
        )


def collective_bias(
    source: Readable,
    items: int,
    runs: Iterable[int] | None = None,
    *,
    group: int | None = 0,
    draws: int = 9999,
    seed: int = 0,
) -> CollectiveBias:
    """Set what runs settle on beside what agents choose without memory.

    Args:
        source: a full trace.
        items: how many items there are.
        runs: runs of one cell; all of the trace, if not given.
        group: whose choices count; all if None.
        draws: Monte Carlo draws of the winners under the agents' own shares.
        seed: of these draws.

    Raises:
        TraceError: no decision was made without memory, or the trace has no decisions.
    """
    every = range(items)
    first = first_choices(source).reindex(columns=every, fill_value=0.0)
    ends = winners(source, group)["item"]
    if runs is not None:
        wanted = [int(run) for run in runs]
        first, ends = first[first.index.isin(wanted)], ends[ends.index.isin(wanted)]
    if first.empty:
        raise TraceError(
            "in this trace no agent chose without memory, so its own bias is not known; take runs that "
            "begin without a convention"
        )
    won = ends.value_counts().reindex(every, fill_value=0).to_numpy()
    alone = first.mean().to_numpy()
    item, many = int(won.argmax()), int(won.sum())
    drawn = np.random.default_rng(seed).multinomial(many, alone / alone.sum(), draws)
    far = _unlikely(drawn, alone) >= _unlikely(won[None], alone) * (1 - 1e-9)
    return CollectiveBias(
        item,
        proportion(int(won[item]), many),
        mean(first[item]).within(0, 1),
        float((1 + far.sum()) / (1 + draws)),
        tuple(int(n) for n in won),
    )


def _unlikely(counts: NDArray[np.integer], share: NDArray[np.float64]) -> NDArray[np.float64]:
    """(draws,): twice the log-likelihood ratio of counts against their expectation, G."""
    total = counts.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = counts * np.log(counts / (total * share))
    return np.asarray(2 * np.where(counts > 0, terms, 0.0).sum(axis=1))


def _refuse_summaries(source: Readable) -> None:
    if not source.sql("SELECT 1 FROM decisions LIMIT 1").fetchall():
        raise TraceError(
            "this trace holds no decisions (its level is summary), so who chose what is not known; "
            "grow the runs at the level full"
        )


def _shares(source: Readable, query: str) -> "pd.DataFrame":
    """Values by run and item as shares of each run's whole."""
    frame = source.sql(query).df()
    wide = frame.pivot(index="run", columns="item", values="value").fillna(0.0).sort_index()
    shares: pd.DataFrame = wide.div(wide.sum(axis=1), axis=0)
    return shares


def _agreed(source: Readable) -> "pd.Series[float]":
    return (
        agreement_times(source)["agreed"].astype(np.float64).where(fact(source, "meetings").notna())
    )


def _rounds(source: Readable) -> "pd.Series[float]":
    return agreement_times(source)["rounds"]


AGREEMENTS: Final = (
    of_fact("agreement", "share of the last meetings in which both said the same", 0, 1),
    Measure("agreed", "share of runs that ever agreed", 0, 1, _agreed),
    Measure(
        "rounds to agreement",
        "rounds until all of the last meetings succeeded; of a run that never agreed, its length",
        0,
        np.inf,
        _rounds,
    ),
    name_share(1),
)
"""The measures of naming games."""
