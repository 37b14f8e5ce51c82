"""What the cascade study's report says beyond any study's: who is right where, and whether signs count."""

from typing import TYPE_CHECKING

from cloudchamber.analysis import mean
from cloudchamber.measures.cascades import against_own_sign, right_by_place
from cloudchamber.report import Check, Prose, Supplement
from cloudchamber.report.evidence import brief, curves, full
from cloudchamber.report.figures import Axis, curve
from cloudchamber.validation.closed_forms import cascade_shares
from cloudchamber.validation.closed_forms import right_by_place as right_at

if TYPE_CHECKING:
    from cloudchamber import Results, Study

ALONE = "nothing"
THEORY = "Bayesians, in theory"


def supplement(study: "Study", results: "Results") -> Supplement:
    """Sentences, a check and a figure."""
    if not full(results.trace):
        told = "Not all decisions were kept: who was right at which place cannot be told."
        return Supplement(blocks={3: (Prose(told),)})
    return Supplement(
        tuple(_beside_theory(study, results)),
        tuple(_own_signs(study, results)),
        {3: tuple(_by_place(study, results))},
    )


def _people(study: "Study") -> int:
    return study.microspec.population.count


def _beside_theory(study: "Study", results: "Results"):
    """Wrong cascades beside those of Bayesians who see everything."""
    cells = {cell.name for cell in results.design}
    name = study.at_risk()
    runs = results.ids(name) if name in cells else []
    if not runs:
        return
    wrong = study.phenomenon.measure(results.trace)
    told = mean(wrong[wrong.index.isin(runs)]).within(0, 1)
    known = cascade_shares(study.microspec.world.precision, 1000)
    yield (
        f"**Beside theory**: of sequences in the cell {name}, {brief(told)} end with a wrong majority. Of "
        f"Bayesians who toss a coin where both options are as likely {known.wrong:.3f} end in a wrong "
        "cascade (Bikhchandani, Hirshleifer & Welch 1992)."
    )


def _own_signs(study: "Study", results: "Results"):
    """Without sight of others: does an agent go by its sign at all?"""
    if ALONE not in {cell.name for cell in results.design} or not results.ids(ALONE):
        return
    against = against_own_sign(results.trace)
    share = mean(against[against.index.isin(results.ids(ALONE))])
    if not share.known:
        return
    told = f"Seeing nothing else, agents choose against their sign in {brief(share.within(0, 1))} of cases"
    question = "Do they go by their own sign when they see nothing else?"
    if share.high < 0.5:
        state = "fine" if share.high < 0.25 else "warning"
        yield Check(question, f"{told}; by chance it would be half.", state)
        return
    said = f"{told}: not clearly less than the half of chance. What follows is not about evidence."
    yield Check(question, said, "bad")


def _by_place(study: "Study", results: "Results"):
    """How often the choice at each place is right, by what is seen."""
    import pandas as pd

    cells, table = study.combinations(), right_by_place(results.trace)
    told = curves(results, cells, table, point="place", within=(0, 1))
    if told.empty:
        return
    places = range(_people(study))
    theory = [right_at(study.microspec.world.precision, place) for place in places]
    line = {"place": [place + 1 for place in places], "value": theory, "cell": THEORY}
    frame = pd.concat([told, pd.DataFrame(line)], ignore_index=True)
    yield curve(
        frame,
        id="places",
        title="Who is right, by place in the sequence",
        caption=(
            "Share of sequences in which the choice at each place is right, by what is seen of earlier "
            "choices; mean over runs with pointwise 95 % interval. Beside it what Bayesians who see every "
            "choice do in theory."
        ),
        x=Axis("place", "place in the sequence"),
        y=Axis("value", "P(right)"),
        low="low",
        high="high",
        series="cell",
        reference=(study.microspec.world.precision, "one sign alone"),
    )
