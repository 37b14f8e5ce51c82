"""What the conventions study's report says beyond any study's: who wins, and what agents choose alone."""

from typing import TYPE_CHECKING

from cloudchamber.analysis import mean
from cloudchamber.measures.agreement import (
    after_meetings,
    collective_bias,
    first_choices,
    winners,
)
from cloudchamber.report import Check, Prose, Supplement
from cloudchamber.report.evidence import brief, full

if TYPE_CHECKING:
    from cloudchamber import Results, Study
    from cloudchamber.analysis import Estimate

EVEN = 0.1
"""How far from an even share a name or a place may be before it is called a leaning; twice as far is bad."""


def supplement(study: "Study", results: "Results") -> Supplement:
    """Sentences and checks, of the cell at risk."""
    if not full(results.trace):
        told = "Not all decisions were kept: which names won cannot be told."
        return Supplement(blocks={3: (Prose(told),)})
    runs = results.ids(study.at_risk())
    if not runs:
        return Supplement()
    names = results.design[study.at_risk()].spec.world.names
    checks = (*_leanings(results, runs, names), _heeded(results, runs))
    return Supplement(tuple(_won(study, results, runs, names)), checks)


def _won(study: "Study", results: "Results", runs: list[int], names: tuple[str, ...]):
    """The winners beside what agents choose without memory."""
    found = collective_bias(results.trace, len(names), runs)
    yield f"**Collective against individual bias** ({study.at_risk()}): {found.sentence(names)}"
    share = _of(winners(results.trace)["share"], runs).within(0, 1)
    yield f"In the last meetings of these runs the winning name is {brief(share)} of what is said."


def _leanings(results: "Results", runs: list[int], names: tuple[str, ...]):
    """Without memory: does an agent prefer a name, or the place where a name stands?"""
    even, first = 1 / len(names), first_choices(results.trace)
    favourite = int(first[first.index.isin(runs)].mean().idxmax())
    share = _of(first[favourite], runs).within(0, 1)
    told = (
        f"Remembering nothing, they choose {names[favourite]} with probability {brief(share)}; without a "
        f"preference it would be {even:.3g}."
    )
    yield Check("Do they prefer a name before any meeting?", told, _state(share, even))
    place = _of(first_choices(results.trace, by="position")[1], runs).within(0, 1)
    told = f"They choose the name that stands first with probability {brief(place)}; {even:.3g} by chance."
    yield Check("Do they prefer a place before any meeting?", told, _state(place, even))


def _state(share: "Estimate", even: float) -> str:
    """Fine near the even share, bad far from it."""
    away = abs(share.value - even)
    return "fine" if away <= EVEN else "warning" if away <= 2 * EVEN else "bad"


def _heeded(results: "Results", runs: list[int]) -> Check:
    """After a failure: does the other's word count at all?"""
    after = after_meetings(results.trace)
    stays, shifts = (_of(after[name], runs).within(0, 1) for name in ("stays", "shifts"))
    heeds = _of(after["heeds"], runs).within(-1, 1)
    question = "Do they heed what the other said?"
    if not (shifts.known and heeds.known):
        return Check(question, "Too few meetings failed to tell.", "warning")
    told = (
        f"After a meeting in which both said the same they say it again with probability {brief(stays)}; "
        f"after one that failed they say what the other said with probability {brief(shifts)}. With the same "
        f"own name before, a name is more probable by {brief(heeds)} where the other said it."
    )
    return Check(
        question, told, "fine" if heeds.low > EVEN else "warning" if heeds.low > 0 else "bad"
    )


def _of(values, runs: list[int]) -> "Estimate":
    return mean(values[values.index.isin(runs)])
