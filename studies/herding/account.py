"""What the herding study's report says beyond any study's: position, shown likes, and who saw them."""

from typing import TYPE_CHECKING

from cloudchamber.analysis import cluster_curve, mean
from cloudchamber.measures import attention
from cloudchamber.report import Check, Prose, Supplement
from cloudchamber.report.evidence import brief, curves
from cloudchamber.report.figures import Axis, curve, profile

if TYPE_CHECKING:
    from cloudchamber import Results, Study
    from cloudchamber.analysis import Estimate

LEVELS = (0, 1, 10, 100, 1000)
BANDS = (1, 6, 11, 25)
BAND_NAMES = {1: "places 1-5", 6: "places 6-10", 11: "places 11-24", 25: "places 25 on"}
LIST, SINGLE = "seeded / shuffled", "seeded / one at a time"
PLACEBO = "check: one at a time, placebo"
FOLLOW = {
    "a list": "check: told to follow likes",
    "one item at a time": "check: one at a time, told to follow likes",
}


def supplement(study: "Study", results: "Results") -> Supplement:
    """Sentences, checks and figures of position and shown likes."""
    if not results.trace.sql("SELECT 1 FROM exposures LIMIT 1").fetchall():
        told = "The trace was kept without exposures (its level is summary): what follows from them, the "
        none = Prose(told + "effect of position and of shown likes, cannot be told.")
        return Supplement(blocks={3: (none,)})
    return Supplement(
        (*place_in_words(study, results), *likes_in_words(results)),
        tuple(saw_likes(results)),
        {3: (*by_position(study, results), *by_likes(study, results))},
    )


def place_in_words(study: "Study", results: "Results"):
    """Mean selected position where the order is shuffled and likes are hidden, against blindness to it."""
    plain, items = _runs(results, "hidden / shuffled"), study.microspec.world.items
    position = attention.mean_position(results.trace)
    first = attention.first_place_share(results.trace)
    if plain and items > 1:
        top, mean_place = _of(first, plain).within(0, 1), _of(position, plain).within(1, items)
        yield (
            f"**Place**: with likes hidden and the order shuffled, {brief(top)} of the (expected) choices "
            f"fall on the first place, and the mean place chosen is {brief(mean_place)}; blind to "
            f"place they would be {1 / items:.3f} and {(items + 1) / 2:g}."
        )


def likes_in_words(results: "Results"):
    """What any shown like does where likes are dealt at random, against none at the same place."""
    for where, cell, what in (
        ("in a list", LIST, "at the same place, the probability of choice of an item"),
        ("one item at a time", SINGLE, "the probability of a yes to an item"),
    ):
        if _runs(results, cell):
            told = _effect_in_words(mean(_effect(results, cell, 1)))
            yield (
                f"**Shown likes, {where}**, dealt at random: {what} that shows any, less that of one that "
                f"shows none, is {told}.{_doubted(results, cell)}"
            )


def _effect_in_words(effect: "Estimate") -> str:
    return brief(effect) if effect.known else "not known"


def _doubted(results: "Results", cell: str) -> str:
    """A caution where nothing here says whether an effect of likes is about likes."""
    if cell != SINGLE or not _asked(results):
        return ""
    if _runs(results, PLACEBO):
        stands = _wordings(results).state == "fine"
        return (
            ""
            if stands
            else " It does not stand up to other words and other numbers (see the checks)."
        )
    return (
        " Whether that is about likes, or about any words and any number, only the full study asks."
    )


def _asked(results: "Results") -> bool:
    groups = (group for cell in results.design for group in cell.spec.population.groups)
    return any(group.decides.reads_text for group in groups)


def _runs(results: "Results", cell: str) -> list[int]:
    """The complete runs of a cell, if the design has it."""
    return results.ids(cell) if cell in {one.name for one in results.design} else []


def _of(values, runs: list[int]) -> "Estimate":
    return mean(values[values.index.isin(runs)])


def by_position(study: "Study", results: "Results"):
    """P(choice | position) where the order is shuffled, for each way of showing likes."""
    table = attention.choice_by_position(results.trace)
    shuffled = study.design().where(order="shuffled")
    told = curves(results, shuffled, table, point="position", within=(0, 1))
    if told.empty:
        return
    yield profile(
        told,
        id="position",
        title="How the place in the feed decides",
        caption=(
            "Probability that the item at each place is chosen, order shuffled for each reader; mean over "
            "runs with pointwise 95 % interval. The dashed line is a choice blind to place."
        ),
        position=Axis("position", "place in the feed"),
        probability=Axis("value", "P(choice)", zero=True),
        low="low",
        high="high",
        series="likes",
        options=study.microspec.world.items,
    )


def by_likes(study: "Study", results: "Results"):
    """P(choice | shown likes, place) where likes are seeded, from a list and one at a time."""
    for which, cell in (("list", LIST), ("single", SINGLE)):
        if _runs(results, cell):
            yield from _likes(results, cell, which)


def _likes(results: "Results", cell: str, which: str):
    import pandas as pd

    bands = BANDS if which == "list" else (1,)
    frame = attention.choice_by_signal(results.trace, "likes", levels=LEVELS, positions=bands)
    frame = frame[frame["run"].isin(results.ids(cell)) & frame["level"].notna()]
    parts = []
    for band, rows in frame.groupby("band"):
        wide = rows.pivot(index="run", columns="level", values="value")
        told = cluster_curve(wide, within=(0, 1)).reset_index(names="likes")
        parts.append(told.assign(band=BAND_NAMES[int(band)] if which == "list" else "alone"))
    if not parts:
        return
    told = pd.concat(parts, ignore_index=True)
    listed = "in a list" if which == "list" else "one item at a time"
    yield curve(
        # Equal steps for 0, 1, 10, ...: what is asked is whether more likes do more than one.
        told.assign(step=told["likes"].map({level: at for at, level in enumerate(LEVELS)})),
        id=f"likes-{which}",
        title=f"What shown likes do, {listed}",
        caption=(
            f"Probability of choice by likes shown (seeded at random), {listed}; mean over runs with "
            "pointwise 95 % interval."
        ),
        x=Axis("step", "likes shown", names=tuple((at, f"{n:,}") for at, n in enumerate(LEVELS))),
        y=Axis("value", "P(choice)" if which == "list" else "P(yes)", zero=True),
        low="low",
        high="high",
        series="band" if which == "list" else None,
        points=True,
    )


def saw_likes(results: "Results"):
    """Manipulation checks: told to follow the likes, does it? And is it the likes, or any number?"""
    there = {cell.name for cell in results.design if results.ids(cell)}
    for where, cell in FOLLOW.items():
        if cell in there:
            yield _saw(results, cell, where)
    if PLACEBO in there:
        yield _wordings(results)


def _effect(results: "Results", cell: str, cut: float):
    """Of likes at or above the cut against fewer, on P(choice), by run of a cell."""
    effect = attention.signal_effect(results.trace, "likes", cut=cut)
    return effect[effect.index.isin(results.ids(cell))]


def _saw(results: "Results", cell: str, where: str) -> Check:
    told = mean(_effect(results, cell, 1000))
    question = f"Does it see the likes in {where}, and do as told?"
    said = (
        "Told to choose the most liked, its probability of choosing an item that shows 1,000 likes exceeds "
        f"that of others by {told}"
    )
    if told.known and told.low > 0:
        return Check(question, f"{said}: it sees them.", "fine")
    if told.known and told.high < 0:
        return Check(
            question, f"{said}: it sees them, and does the opposite of what it is told.", "warning"
        )
    return Check(
        question,
        f"{said}: no sign that it does; an effect of likes on it may be of something else.",
        "warning",
    )


def _sign(effect: "Estimate") -> int:
    return int(effect.low > 0) - int(effect.high < 0)


def _wordings(results: "Results") -> Check:
    cells = {
        "as the study words it": SINGLE,
        "worded otherwise": "check: one at a time, plain",
        "as a number that means nothing": PLACEBO,
    }
    effects = {name: mean(_effect(results, cell, 1)) for name, cell in cells.items()}
    told = "; ".join(f"{name} {effect}" for name, effect in effects.items())
    usual, other, placebo = effects.values()
    trusted = _sign(usual) == _sign(other) == 1 and usual.low > placebo.high
    return Check(
        "Is the effect of likes about likes?",
        f"P(yes) with any like less P(yes) with none, one item at a time: {told}. "
        + (
            "It keeps its sign in other words, and a mere number does less."
            if trusted
            else "It does not stand up: in other words, or for a mere number, it is not clearly different."
        ),
        "fine" if trusted else "warning",
    )
