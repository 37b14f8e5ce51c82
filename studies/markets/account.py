"""What the market study's report says beyond any study's: division, price and profit, each by itself."""

from typing import TYPE_CHECKING

import numpy as np

from cloudchamber.analysis import cluster_curve, mean
from cloudchamber.measures import measure_named
from cloudchamber.measures.amounts import amounts
from cloudchamber.mechanism.best_answers import best_answers
from cloudchamber.report import Check, Supplement
from cloudchamber.report.evidence import brief, estimates
from cloudchamber.report.figures import Axis, grid_of_curves, intervals
from cloudchamber.worlds.market_words import named

if TYPE_CHECKING:
    from cloudchamber import Results, Study
    from cloudchamber.analysis import Estimate

RANDOM = "check: amounts at random"
GAINS = ("price gain", "profit gain")
SAME = 0.01
"""Of the way from Nash to the joint optimum: no difference."""


def supplement(study: "Study", results: "Results") -> Supplement:
    """Sentences, checks and figures."""
    return Supplement(
        tuple(_kept_apart(study, results)),
        tuple(_checks(study, results)),
        {3: (*_gains(study, results), *_by_round(study, results))},
    )


def _runs(results: "Results", cell: str) -> list[int]:
    """The complete runs of a cell, if the design has it."""
    return results.ids(cell) if cell in {one.name for one in results.design} else []


def _told(results: "Results", measure: str, cell: str):
    values = measure_named(measure)(results.trace)
    return mean(values[values.index.isin(_runs(results, cell))])


def _kept_apart(study: "Study", results: "Results"):
    """Division and what it earns, in the cell at risk, in two sentences and a third that joins them."""
    cell = study.at_risk()
    if not _runs(results, cell):
        return
    spec = results.design[cell].spec
    market = spec.world.market(spec.population.count)
    nash, joint = market.nash(), market.joint()
    known = {
        "price": [market.prices(acts).mean() for acts in (nash, joint)],
        "profit": [market.profits(acts).sum(axis=1).mean() for acts in (nash, joint)],
    }
    lasting, each = (
        _told(results, name, cell) for name in ("lasting specialisation", "specialisation")
    )
    yield (
        f"**Specialisation** ({cell}): what lasts of it is {brief(lasting)}; in a single round, as the "
        f"published measure has it, it is {brief(each)}, whatever varies from round to round included."
    )
    price, profit = (_told(results, name, cell) for name in ("market price", "profit"))
    yield (
        f"**Price and profit** ({cell}): the price is {brief(price)} (at Nash {known['price'][0]:.4g}, at "
        f"the joint optimum {known['price'][1]:.4g}); a firm earns {brief(profit)} a round (at Nash "
        f"{known['profit'][0]:.6g}, at the joint optimum {known['profit'][1]:.6g})."
    )
    yield from _together(study, results, cell)


def _together(study: "Study", results: "Results", cell: str):
    """What division and profit say together, where both are known."""
    apart = results.measure("lasting specialisation")
    twin = study.null_of(results.design[cell])
    if twin is None or twin.name not in apart:
        return
    divided = mean((apart[cell] - apart[twin.name]).dropna())
    gain = _told(results, "profit gain", cell)
    if not (divided.known and gain.known):
        return
    margin = study.phenomenon.criterion.margin
    where = (
        "more"
        if divided.low > margin
        else "no more"
        if divided.high < margin
        else "not shown to be more"
    )
    yield (
        f"**Together** ({cell}): firms are {where} specialised than at Nash (by {brief(divided)}; more "
        f"counts from {margin:g}), and their profit is {_beside_nash(gain)}: {brief(gain)} of the way to the "
        "joint optimum."
    )


def _beside_nash(gain: "Estimate") -> str:
    if gain.low > -SAME and gain.high < SAME:
        return "that of Nash"
    if gain.low > 0:
        return "above Nash"
    return "below Nash" if gain.high < 0 else "not clearly above or below Nash"


def _checks(study: "Study", results: "Results"):
    """Whether firms heed their costs at all, and how specialised noise looks."""
    cell = study.at_risk()
    if _runs(results, RANDOM):
        lasting, each = (
            _told(results, name, RANDOM) for name in ("lasting specialisation", "specialisation")
        )
        yield Check(
            "How specialised does mere noise look?",
            f"Firms that draw their amounts at random: {brief(each)} by the published measure, round by "
            f"round, and {brief(lasting)} by what lasts, which is what counts here. At Nash both are "
            f"{_told(results, 'lasting specialisation', _twin(study, results)).value:.3g}.",
            "fine",
        )
    yield from _answering(study, results, cell)
    cheaper = _cheaper(study, results, cell)
    if cheaper is not None and cheaper.known:
        state = "fine" if cheaper.low > 0 else "warning"
        said = "it heeds them" if state == "fine" else "no sign that costs are heeded"
        yield Check(
            "Do firms make more of what costs them less?",
            f"In {cell}, over all rounds, a firm makes {brief(cheaper)} units more of the good that costs it "
            f"less than of the other: {said}.",
            state,
        )


def _answering(study: "Study", results: "Results", cell: str):
    """Whether firms answer what the others made."""
    spec = results.design[cell].spec
    market = spec.world.market(spec.population.count)
    found = best_answers(results.trace, market)
    pace = mean(found["pace"][found.index.isin(_runs(results, cell))].dropna())
    if pace.known:
        yield Check(
            "Do firms answer what the others made?",
            f"In {cell} a firm's amounts go {brief(pace)} of the way to what would answer best, beside what "
            "they owe to its own last amounts (1: all the way in each round, 0: not at all; few rounds bias "
            f"it downwards): {'they do' if pace.low > 0 else 'no sign of it'}.",
            "fine" if pace.low > 0 else "warning",
        )


def _twin(study: "Study", results: "Results") -> str:
    twin = study.null_of(results.design[study.at_risk()])
    return study.at_risk() if twin is None else twin.name


def _cheaper(study: "Study", results: "Results", cell: str):
    """Units of the cheapest good less those of the dearest, by run, averaged over firms and rounds."""
    world = results.design[cell].spec.world
    found = []
    for one in amounts(results.trace):
        mine = np.isin(one.run, _runs(results, cell))
        if not mine.any():
            continue
        cost = world.costs_of(one.value.shape[2])
        if (cost.max(axis=1) == cost.min(axis=1)).any():
            return None
        firm = np.arange(len(cost))
        made = one.value[mine].mean(axis=1)
        gap = made[:, firm, cost.argmin(axis=1)] - made[:, firm, cost.argmax(axis=1)]
        found.append(gap.mean(axis=1))
    return mean(np.concatenate(found)) if found else None


def _gains(study: "Study", results: "Results"):
    """Price and profit of every cell on the scale from Nash to the joint optimum."""
    cells = [
        cell.name for cell in (*study.combinations(), *study.judged()) if results.ids(cell.name)
    ]
    told = [
        ({"label": cell, "measure": name.removesuffix(" gain")}, _told(results, name, cell))
        for cell in dict.fromkeys(cells)
        for name in GAINS
    ]
    frame = estimates(told)
    if frame.empty or not np.isfinite(frame["value"]).any():
        return
    yield intervals(
        frame,
        id="gains",
        title="What firms gain by it",
        caption=(
            "Price and profit as shares of the way from Nash (0) to the joint optimum (1), later half of the "
            "rounds; mean over runs with 95 % interval. Below 0: less than firms that best answer each other."
        ),
        value=Axis("value", "share of the way from Nash to the joint optimum"),
        text="text",
        group="measure",
        reference=(0.0, "Nash"),
        sort="given",
    )


def _by_round(study: "Study", results: "Results"):
    """What each firm makes of each good, round by round, in the cell at risk and at Nash."""
    import pandas as pd

    parts = []
    for cell in (study.at_risk(), _twin(study, results)):
        runs = _runs(results, cell)
        for one in amounts(results.trace):
            made = one.value[np.isin(one.run, runs)]
            if not len(made) or made.shape[1] < 3:
                continue
            for firm in range(made.shape[2]):
                for good in range(made.shape[3]):
                    course = pd.DataFrame(made[:, :, firm, good])
                    told = cluster_curve(course, within=(0, np.inf)).reset_index(names="round")
                    told["round"] += 1
                    told = told.assign(who=f"firm {firm}, {named(good)}", cell=cell)
                    parts.append(told)
    if not parts:
        return
    yield grid_of_curves(
        pd.concat(parts, ignore_index=True),
        id="quantities",
        title="What each firm makes",
        caption="Units of each good by round, mean over runs with pointwise 95 % interval; beside it Nash.",
        x=Axis("round", "round"),
        y=Axis("value", "units", zero=True),
        panel="who",
        low="low",
        high="high",
        series="cell",
        columns=2,
        height=170,
    )
