"""What the price study's report says beyond any study's: price and profit apart, and prices by round."""

from typing import TYPE_CHECKING

import numpy as np

from cloudchamber.analysis import cluster_curve, mean
from cloudchamber.measures import measure_named
from cloudchamber.measures.amounts import amounts
from cloudchamber.report import Check, Supplement
from cloudchamber.report.evidence import brief
from cloudchamber.report.figures import Axis, curve

if TYPE_CHECKING:
    from cloudchamber import Results, Study


def supplement(study: "Study", results: "Results") -> Supplement:
    """Sentences, a check and a figure."""
    cell = study.at_risk()
    if not results.ids(cell):
        return Supplement((), (), {})
    return Supplement(
        (_kept_apart(results, cell),),
        tuple(_below_cost(results, cell)),
        {3: tuple(_by_round(results, cell))},
    )


def _kept_apart(results: "Results", cell: str) -> str:
    """What firms ask and what they earn, in the cell at risk, beside what theory has."""
    spec = results.design[cell].spec
    market = spec.world.market(spec.population.count)
    known = [
        (market.prices(acts).mean(), market.profits(acts).sum(axis=1).mean())
        for acts in (market.nash(), market.joint())
    ]
    told = {}
    for name in ("market price", "profit", "price gain", "profit gain"):
        values = measure_named(name)(results.trace)
        told[name] = brief(mean(values[values.index.isin(results.ids(cell))]))
    (price, profit), (high, most) = known
    return (
        f"**Price and profit** ({cell}): firms ask {told['market price']} (at Nash {price:.4g}, at the joint "
        f"optimum {high:.4g}), {told['price gain']} of the way; each earns {told['profit']} a round (at Nash "
        f"{profit:.4g}, at the joint optimum {most:.4g}), {told['profit gain']} of the way."
    )


def _asked(results: "Results", cell: str):
    """(runs, rounds, firms, goods): the prices in a cell; masked where a firm has not asked any yet."""
    for one in amounts(results.trace):
        mine = np.isin(one.run, results.ids(cell))
        if mine.any():
            asked = one.value[mine]
            unknown = np.broadcast_to(~one.decided[mine][..., None], asked.shape)
            yield np.ma.array(asked, mask=unknown)


def _below_cost(results: "Results", cell: str):
    """How often firms ask less than a unit costs them: whether they heed that at all."""
    spec = results.design[cell].spec
    world = spec.world
    found = [
        (asked < world.costs_of(asked.shape[2])).mean(axis=(1, 2, 3)).filled(np.nan)
        for asked in _asked(results, cell)
    ]
    if not found:
        return
    below = mean(np.concatenate(found)).within(0, 1)
    reads = spec.population.groups[0].decides.reads_text
    prices = world.scale.grid() if reads else np.linspace(0, world.most, 10_001)
    chance = float(np.mean(prices[:, None] < np.ravel(world.costs)))
    heeded = below.high < chance
    yield Check(
        "Do firms ask more than a unit costs them?",
        f"In {cell} {brief(below)} of all prices are below cost: "
        f"{'fewer than' if heeded else 'not clearly fewer than'} the {chance:.2g} of prices at random.",
        "fine" if heeded else "warning",
    )


def _by_round(results: "Results", cell: str):
    """The mean price, round by round, between that of Nash and that of the joint optimum."""
    import pandas as pd

    spec = results.design[cell].spec
    market = spec.world.market(spec.population.count)
    parts = []
    for asked in _asked(results, cell):
        by_run = pd.DataFrame(asked.mean(axis=(2, 3)).filled(np.nan))
        course = cluster_curve(by_run, within=(0, np.inf))
        parts.append(course.reset_index(names="round").assign(what=cell))
    if not parts:
        return
    rounds = parts[0]["round"]
    for what, acts in (("Nash", market.nash()), ("joint optimum", market.joint())):
        level = market.prices(acts).mean()
        parts.append(pd.DataFrame({"round": rounds, "value": level, "what": what}))
    told = pd.concat(parts, ignore_index=True)
    told["round"] += 1
    yield curve(
        told,
        id="prices",
        title="What firms ask",
        caption=(
            "Price, mean over firms and runs, by round, with pointwise 95 % interval; beside it what firms "
            "ask that best answer each other, and what earns all together most."
        ),
        x=Axis("round", "round"),
        y=Axis("value", "price", zero=True),
        low="low",
        high="high",
        series="what",
    )
