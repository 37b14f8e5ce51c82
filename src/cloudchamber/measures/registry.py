"""The measures that cloudchamber has, by name."""

from functools import partial

import numpy as np

from cloudchamber.errors import SpecificationError, nearest
from cloudchamber.measures import attention, concentration
from cloudchamber.measures.agreement import AGREEMENTS
from cloudchamber.measures.cascades import CASCADES
from cloudchamber.measures.cooperation import COOPERATION
from cloudchamber.measures.markets import MARKETS
from cloudchamber.measures.measure import Measure, final, of_tally
from cloudchamber.measures.opinions import OPINIONS
from cloudchamber.measures.spreading import SPREADING

__all__ = ["MEASURES", "UNPREDICTABILITY", "measure_named"]

_TOP_5 = partial(concentration.top_share, k=5)

MEASURES: dict[str, Measure] = {
    m.name: m
    for m in (
        of_tally("gini", "0 for equal shares, 1 for one item", 0, 1, concentration.gini),
        of_tally("top-1 share", "share of all choices", 0, 1, concentration.top_share),
        of_tally("top-5 share", "share of all choices", 0, 1, _TOP_5),
        of_tally("entropy", "1 for equal shares, 0 for one item", 0, 1, concentration.entropy),
        of_tally("effective number", "items", 1, np.inf, concentration.effective_number),
        of_tally("herfindahl", "sum of squared shares", 0, 1, concentration.herfindahl),
        Measure(
            "expected gini",
            "of the choices agents were expected to make; 0 for equal shares, 1 for one item",
            0,
            1,
            attention.expected_gini,
            attention.expected_gini_over_time,
        ),
        Measure("mean position", "places from the top", 1, np.inf, attention.mean_position),
        Measure("first place share", "share of all choices", 0, 1, attention.first_place_share),
        Measure("effect of likes", "probability of choice", -1, 1, attention.signal_effect),
        *(
            Measure(
                f"share on liked{words}",
                "share of all choices",
                0,
                1,
                partial(attention.share_of_shown, places=places),
            )
            for words, places in (
                ("", None),
                (", places 1-5", (1, 5)),
                (", places 6 on", (6, np.inf)),
            )
        ),
        Measure("leader's pick rate", "share of decisions", 0, 1, attention.leader_rate),
        *AGREEMENTS,
        *CASCADES,
        *OPINIONS,
        *SPREADING,
        *COOPERATION,
        *MARKETS,
    )
}

# Not among MEASURES: its numbers speak of the runs measured together, so it is asked for a cell at a time.
UNPREDICTABILITY = Measure(
    "unpredictability",
    "mean difference in an item's share between two runs",
    0,
    1,
    partial(final, function=concentration.unpredictability_by_run),
    None,
    concentration.unpredictability_by_run,
    across_runs=True,
)


def measure_named(name: str) -> Measure:
    """The measure of that name; "unpredictability" too, which compares the runs it is given.

    Raises:
        SpecificationError: there is none.
    """
    known = MEASURES | {UNPREDICTABILITY.name: UNPREDICTABILITY}
    if name not in known:
        raise SpecificationError(f"measure: {name!r}; {nearest(name, known)}")
    return known[name]
