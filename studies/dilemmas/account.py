"""What the report on dilemmas says beyond any study's: theory beside runs, and who heeds its partners."""

from typing import TYPE_CHECKING

import numpy as np

from cloudchamber.agents import Grim
from cloudchamber.analysis import mean
from cloudchamber.games import against_random, drawn_partners, grim_against_random, kept_pairs
from cloudchamber.measures.cooperation import Histories, cooperation_of, histories
from cloudchamber.measures.facts import fact_over_time
from cloudchamber.report import Check, Prose, Supplement
from cloudchamber.report.evidence import brief, curves, full
from cloudchamber.report.figures import Axis, curve

if TYPE_CHECKING:
    from cloudchamber import Cell, Results, Study
    from cloudchamber.microspec import Decider

PLAYERS = "players"
ALPHAS = (0.2, 0.5, 0.8)
"""How often the random players cooperate that players are put beside."""
BESIDE = "with a random player, {:g}"
THEORY = "{}, in theory"


def supplement(study: "Study", results: "Results") -> Supplement:
    """Sentences, a check and figures."""
    blocks = tuple(_by_round(study, results))
    if not full(results.trace):
        told = "Not all decisions were kept: what players answer cannot be told."
        return Supplement(blocks={3: (*blocks, Prose(told))})
    said = tuple(_beside_random(study, results))
    return Supplement(said, tuple(_heeded(study, results)), {3: blocks})


def _cells(results: "Results") -> set[str]:
    return {cell.name for cell in results.design}


def _chances(decider: "Decider") -> tuple[float, list[float]] | None:
    """Of a player of memory one: its chances of cooperating, first and after what both did, with slips."""
    names = ("first", "both", "alone", "other", "nobody")
    if not all(hasattr(decider, name) for name in names):
        return None
    first, *after = (
        decider.slip + (1 - 2 * decider.slip) * getattr(decider, name) for name in names
    )
    return first, after


def expected(decider: "Decider", cell: "Cell") -> np.ndarray | None:
    """The chance of cooperating in each round in a cell of one kind of players, where theory has one."""
    known, rounds = _chances(decider), cell.spec.turns.steps
    if known is None:
        return None
    kept = cell.spec.turns.partners == "kept"
    return (kept_pairs if kept else drawn_partners)(*known, rounds)


def beside(decider: "Decider", alpha: float, cell: "Cell") -> float | None:
    """The mean chance of cooperating beside a random player, where theory has one."""
    known, rounds = _chances(decider), cell.spec.turns.steps
    if known is not None:
        return float(against_random(*known, alpha, rounds).mean())
    if isinstance(decider, Grim) and decider.after == 1 and not decider.slip:
        return float(grim_against_random(alpha, rounds, cell.spec.memory.k).mean())
    return None


def _decider(cell: "Cell") -> "Decider":
    return cell.spec.population.groups[0].decides


def _beside_random(study: "Study", results: "Results"):
    """How often players cooperate with random ones."""
    there, parts = {cell.name: cell for cell in results.design}, []
    rate = cooperation_of(0)(results.trace)
    for alpha in ALPHAS:
        cell = there.get(BESIDE.format(alpha))
        if cell is None or not results.ids(cell.name):
            continue
        share = mean(rate[rate.index.isin(results.ids(cell.name))])
        if share.known:
            theory = beside(_decider(cell), alpha, cell)
            more = "" if theory is None else f" (in theory {theory:.3f})"
            parts.append(f"{brief(share.within(0, 1))}{more} where that is {alpha:g}")
    if parts:
        yield (
            "**Beside random players**: with one that cooperates with a set chance, whatever is done to it, "
            f"players cooperate in {'; '.join(parts)}."
        )


def _heeded(study: "Study", results: "Results"):
    """Does what a player does depend on what was done to it?"""
    if study.at_risk() not in _cells(results):
        return
    known = histories(results.trace)
    mine = np.isin(known.run, results.ids(study.at_risk()))
    apart = [_apart(known, mine, own) for own in (0, 1)]
    question = "Do they heed what was done to them?"
    # Two looks, so each at half the error.
    told = [mean(one, level=0.975) for one in apart]
    if not any(one.known for one in told):
        said = "Partners always did the same, or too few runs were made to tell."
        yield Check(question, said, "warning")
        return
    after = [brief(one.within(-1, 1)) if one.known else "an unknown amount" for one in told]
    said = (
        "If the other cooperated rather than defected, those who cooperated themselves cooperate next more "
        f"often by {after[0]}, those who defected by {after[1]} (97.5 % intervals)."
    )
    heeds = any(one.known and (one.low > 0 or one.high < 0) for one in told)
    yield Check(question, said, "fine" if heeds else "bad")


def _apart(known: Histories, mine: np.ndarray, act: int) -> np.ndarray:
    """By run: after an own act, how much oftener they cooperate if the other did than if it defected."""
    own, other, after = known.own[:, :-1], known.other[:, :-1], known.own[:, 1:]
    found = []
    for run in np.unique(known.run[mine]):
        at = mine & (known.run == run)
        shares = []
        for did in (0, 1):
            then = after[at][(own[at] == act) & (other[at] == did) & (after[at] >= 0)]
            shares.append(float((then == 0).mean()) if then.size else np.nan)
        found.append(shares[0] - shares[1])
    return np.array([one for one in found if not np.isnan(one)])


def _by_round(study: "Study", results: "Results"):
    """How many cooperate in each round, by cell, beside theory."""
    import pandas as pd

    course = fact_over_time(results.trace, "cooperation now").dropna()
    cells = [cell for cell in study.combinations() if "memory 1" in cell.name]
    told = curves(results, cells, course, point="round", within=(0, 1))
    if len(told):
        lines = [
            {"round": at + 1, "value": chance, "cell": THEORY.format(cell.name)}
            for cell in cells
            if cell.name in set(told["cell"])
            and (line := expected(_decider(cell), cell)) is not None
            for at, chance in enumerate(line.tolist())
        ]
        yield curve(
            pd.concat([told, pd.DataFrame(lines)], ignore_index=True),
            id="rounds",
            title="How many cooperate, by round",
            caption=(
                "Share of players that cooperate in each round, where one meeting is remembered; mean over "
                "runs with pointwise 95 % interval. Beside it, of rules that go by the last meeting, the "
                "chain for kept partners, and for drawn ones that of a population without end."
            ),
            x=Axis("round", "round"),
            y=Axis("value", "share that cooperates"),
            low="low",
            high="high",
            series="cell",
        )
