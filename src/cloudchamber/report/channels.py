"""What a report says of channels and of influence: blocks out of what was found, for a study's `account`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cloudchamber.measures.estimate import Estimate
from cloudchamber.report.axes import Axis
from cloudchamber.report.document import Block, Figure, Prose, Supplement, Table
from cloudchamber.report.evidence import brief
from cloudchamber.report.forest import intervals
from cloudchamber.study.passages import Passages

if TYPE_CHECKING:
    import pandas as pd

    from cloudchamber.counterfactual import Crossing, Influence, Mediation

__all__ = ["influence_blocks", "of_folder", "supplement"]

KINDS = {
    "indirect": "through it",
    "direct": "past it",
    "alone": "by it alone",
    "interaction": "only together",
}


def supplement(
    found: "Mediation",
    crossing: "Crossing | Sequence[Crossing] | None" = None,
    influence: "Influence | None" = None,
    *,
    id: str = "channels",
) -> Supplement:
    """How much of an effect passes through each channel, for the stage of interventions.

    Args:
        found: of `counterfactual.mediate`.
        crossing: of `counterfactual.cross`, if two channels were crossed; or several of them.
        influence: of `counterfactual.influence`, if it was asked who moved whom.
        id: of the figure and the tables, where a report has several such.
    """
    effects = found.table()
    blocks: list[Block] = [_forest(found, effects, id)]
    tables = {id: effects}
    answer = [
        f"**Through {name}** pass {brief(found.indirect(name))} of the total effect of "
        f"{brief(found.total())} on the {_aloud(found)}; past it {brief(found.direct(name))}."
        for name in found.channels
    ]
    if found.unmatched:
        blocks.append(
            Prose(
                f"{found.unmatched} decisions had none in the twin run, and were shown their own."
            )
        )
    left = found.coupled.left_out
    if left:
        some = "; ".join(f"{one}: {why}" for one, why in list(left.items())[:3])
        blocks.append(
            Prose(f"{len(left)} replicates are left out, as a run of theirs failed ({some}).")
        )
    crossings = (
        tuple(crossing) if isinstance(crossing, Sequence) else (crossing,) if crossing else ()
    )
    for one in crossings:
        both = "" if len(crossings) == 1 else f" {one.first} {one.second}"
        tables[f"{id} crossed{both}"] = one.table()
        blocks.append(_crossed(one))
    if influence is not None:
        blocks += influence_blocks(influence)
        tables["influence" if id == "channels" else f"{id} influence"] = influence.edges()
    return Supplement(answer=tuple(answer), blocks={4: tuple(blocks)}, tables=tables)


def of_folder(passages: Passages) -> Supplement:
    """What `cloudchamber channels` left in a study's folder."""
    whose = f" {passages.whose}." if passages.whose else ""
    first = Prose(
        f"**What passes through which channel.** The effect of all influence in {passages.cell}: with it, "
        f"less without ({passages.null}).{whose}"
    )
    told = supplement(passages.mediation, passages.crossings, passages.influence, id="passages")
    more = [
        f"**{one.first.capitalize()} and {one.second} together** do {brief(one.interaction())} more than "
        "either where the other says what it says without."
        for one in passages.crossings
    ]
    if passages.influence is not None:
        moved = passages.influence.branching()
        more.append(
            f"**Who moves whom**: a decision moves {brief(moved)} decisions of others directly "
            f"({moved.n} runs)."
        )
    return replace(told, answer=(*told.answer, *more), blocks={4: (first, *told.blocks[4])})


def _crossed(one: "Crossing") -> Table:
    frame = one.table()
    told = [
        brief(
            Estimate(float(row["value"]), float(row["low"]), float(row["high"]), int(row["runs"]))
        )
        for row in frame.to_dict("records")
    ]
    return Table(
        f"{one.first} and {one.second}, crossed",
        frame[["channel", "effect"]].assign(adds=told, runs=frame["runs"]),
        "What each adds, where the other says its own and where it says what it says without; the "
        "interaction is the difference. Paired by run, 95 % intervals.",
    )


def influence_blocks(influence: "Influence", threshold: float = 0.05) -> tuple[Block, ...]:
    """Who moved whom: the branching ratio, and the largest trees."""
    picks, shifted = influence.branching(), influence.branching(threshold)
    told = (
        f"A decision moved {brief(picks)} decisions of others directly, counted by what would have been "
        f"picked under the same noise, and {brief(shifted)} by a shift of at least {threshold:g} in the "
        f"distribution ({picks.n} runs). Each act was taken out in turn, all others being as they were."
    )
    trees = influence.trees()
    if not len(trees):
        return (Prose(told),)
    caption = "Each decision hangs on the decision of another that moved it most; single ones are left out."
    return (Prose(told), Table("The largest trees of influence", trees, caption))


def _aloud(found: "Mediation") -> str:
    return found.coupled.measure.replace("gini", "Gini coefficient")


def _forest(found: "Mediation", effects: "pd.DataFrame", id: str) -> Figure:
    rows = effects[effects["effect"] != "total"].copy()
    rows["effect"] = rows["effect"].map(KINDS)
    rows["text"] = [
        brief(
            Estimate(float(one["value"]), float(one["low"]), float(one["high"]), int(one["runs"]))
        )
        for one in rows.to_dict("records")
    ]
    total = found.total()
    fitted = ", with the fit's uncertainty" if found.coupled.draws else ""
    return intervals(
        rows[["channel", "effect", "value", "low", "high", "text"]],
        id=id,
        title=f"What of the effect on the {_aloud(found)} passes through each channel",
        caption=f"The total effect is {brief(total)}, {total.n} runs each. Through a channel and past it add "
        "up to the total; by it alone is what its exposures bring about where all else is as without; only "
        "together is what it does beyond that. Crossed worlds under one noise, paired by run; 95 % "
        f"intervals{fitted}.",
        label="channel",
        value=Axis("value", f"change in the {_aloud(found)}"),
        group="effect",
        text="text",
        order=tuple(KINDS.values()),
        sort="given",
        reference=(0.0, "nothing"),
    )
