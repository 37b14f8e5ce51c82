"""What agents chose by place and by what was shown, beside what mechanisms expect of the same exposures."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cloudchamber.analysis import cluster_curve
from cloudchamber.experiment import Results
from cloudchamber.measures import attention
from cloudchamber.mechanism import By, ConsiderThenChoose, Gate, Mechanism, Signal, choices_of
from cloudchamber.mechanism.redrawing import Record
from cloudchamber.study.parts import Part
from cloudchamber.trace import Trace

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AGENTS", "by_place", "by_signal", "expectations", "gate_of", "signal_of"]

AGENTS = "the agents"
LEVELS = (0.0, 1.0, 10.0, 100.0, 1000.0)
"""Lower edges of the levels of a shown signal."""
FIRST = 5
"""Places that count as within the gate, where no mechanism says how wide it is."""

Expected = Mapping[str, Sequence[tuple[Trace, np.ndarray]]]
"""By whom: traces, and the replicates of their runs."""


def gate_of(mechanisms: Mapping[str, Mechanism]) -> int:
    """How many places are within the gate: by the first mechanism that has one."""
    for one in _terms(mechanisms):
        if isinstance(one, Gate):
            return one.width
    return FIRST


def signal_of(mechanisms: Mapping[str, Mechanism]) -> str:
    """The shown signal that the mechanisms weigh; empty if none does."""
    return next((one.field for one in _terms(mechanisms) if isinstance(one, Signal)), "")


def _terms(mechanisms: Mapping[str, Mechanism]) -> list[Any]:
    whole: list[Any] = []
    for mechanism in mechanisms.values():
        if isinstance(mechanism, ConsiderThenChoose):
            whole.append(mechanism.considered)
        whole += [one.term if isinstance(one, By) else one for one in mechanism.terms]
    return whole


def expectations(
    part: Part,
    results: Results,
    group: str,
    mechanisms: Mapping[str, Mechanism],
    signal: str,
    gate: int,
) -> tuple["pd.DataFrame", "pd.DataFrame"]:
    """P(choice | place) and P(choice | shown signal, inside or outside the gate), of each mechanism.

    Args:
        part: whose fitted cells are looked at; one at a time, so that memory holds one.
        results: of the study.
        group: whose choices.
        mechanisms: fitted, by name.
        signal: the shown signal; empty for none.
        gate: how many places are inside.

    Returns:
        Columns who, position, value, low, high; and who, level, band, value, low, high. Mean over
        replicates; only what the agents did has an interval.
    """
    import pandas as pd  # 300 ms that `import cloudchamber` need not pay

    places: list[pd.DataFrame] = []
    levels: list[pd.DataFrame] = []
    replicate = results.done.drop_duplicates("run").set_index("run")["replicate"]
    for name in part.fitted:
        cell, runs = results.design[name], results.ids(name)
        number = next(at for at, one in enumerate(cell.spec.population.groups) if one.name == group)
        trace = results.trace.select(runs)
        data = choices_of(trace, asked=part.asked, content=cell.spec.world.content())
        record = Record.of(trace, data.where(data.group == number))
        context: dict[str, Any] = {"cell": name, **cell.levels}
        told = {AGENTS: record.options()}
        told |= {who: record.expected(one.at(**context)) for who, one in mechanisms.items()}
        for who, seen in told.items():
            if data.options > 1:
                place = attention.choice_by_position(seen).reset_index()
                long = place.melt(id_vars="run", var_name="position", value_name="value")
                places.append(long.assign(who=who))
            if signal and signal in data.signals:
                bands = (1, gate + 1) if data.options > gate else (1,)
                level = attention.choice_by_signal(seen, signal, levels=LEVELS, positions=bands)
                levels.append(level[level["level"].notna()].assign(who=who))
    whole = [
        pd.concat(some, ignore_index=True) if some else pd.DataFrame() for some in (places, levels)
    ]
    for frame in whole:
        if not frame.empty:
            frame["replicate"] = frame["run"].map(replicate)
    return by_place(whole[0]), by_signal(whole[1], gate)


def by_place(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Over replicates: who, position, value, low, high."""
    import pandas as pd  # as above

    parts = []
    for who, rows in frame.groupby("who", sort=False) if not frame.empty else ():
        wide = rows.pivot_table("value", "replicate", "position", aggfunc="mean")
        told = _told(wide, who == AGENTS).reset_index(names="position")
        parts.append(told.assign(who=str(who)))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def by_signal(frame: "pd.DataFrame", gate: int) -> "pd.DataFrame":
    """Over replicates: who, level, band, value, low, high; a band is named by its places."""
    import pandas as pd  # as above

    parts = []
    several = not frame.empty and frame["band"].nunique() > 1
    for key, rows in frame.groupby(["who", "band"], sort=False) if not frame.empty else ():
        who, band = str(key[0]), int(str(key[1]).removesuffix(".0"))
        # Each exposure counts alike, in whatever cell it was.
        weighed = rows.assign(w=rows["value"] * rows["shown"])
        summed = weighed.groupby(["replicate", "level"])[["w", "shown"]].sum()
        wide = (summed["w"] / summed["shown"]).unstack()
        inside = f"places 1-{gate}" if band == 1 else f"places {gate + 1} on"
        told = _told(wide, who == AGENTS).reset_index(names="level")
        parts.append(told.assign(who=who, band=inside if several else "alone"))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _told(wide: "pd.DataFrame", unsure: bool) -> "pd.DataFrame":
    told = cluster_curve(wide, within=(0, 1))
    if not unsure:
        told[["low", "high"]] = np.nan
    return told
