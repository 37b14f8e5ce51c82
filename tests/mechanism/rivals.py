"""The mechanisms of a feed that ship, each in turn the readers' own, on the herding study's full design."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np

from cloudchamber.agents import Society, decide
from cloudchamber.cli.finding import load
from cloudchamber.engine import Runs, grow
from cloudchamber.mechanism import (
    ChoiceData,
    ConsiderThenChoose,
    ContentEffect,
    FallOff,
    Gate,
    Logit,
    Mechanism,
    PlaceEffects,
    Signal,
    choices_of,
    compare,
)
from cloudchamber.mechanism.likelihood import Targets
from cloudchamber.microspec import Microspec
from cloudchamber.trace import Trace

__all__ = ["HELD", "RIVALS", "Ranked", "designed", "ranked"]

QUALITY = ContentEffect(field="quality", strength=1.0)
ANY, MORE = Signal(form="any", strength=1.5), Signal(form="log", strength=0.5)
GATE = Gate(width=5, beyond=-3.0)
RIVALS: dict[str, Mechanism] = {
    "gate, any like": ConsiderThenChoose(considered=GATE, terms=(QUALITY, ANY), appeal=-1.0),
    "gate, more likes": ConsiderThenChoose(considered=GATE, terms=(QUALITY, MORE), appeal=-1.0),
    "gate, likes ignored": ConsiderThenChoose(considered=GATE, terms=(QUALITY,), appeal=-1.0),
    "first place, any like": ConsiderThenChoose(
        considered=Gate(width=1, beyond=-1.0), terms=(QUALITY, ANY), appeal=-1.0
    ),
    "falling off, any like": Logit(terms=(FallOff(), QUALITY, ANY)),
    "falling off, more likes": Logit(terms=(FallOff(), QUALITY, MORE)),
    "falling off, size": Logit(terms=(FallOff(), QUALITY, Signal(form="linear", strength=0.005))),
    "falling off, rank": Logit(terms=(FallOff(), QUALITY, Signal(form="rank", strength=1.5))),
    "falling off, saturating": Logit(
        terms=(FallOff(), QUALITY, Signal(form="saturating", strength=2.5, half=30.0))
    ),
    "falling off, from 5 likes on": Logit(
        terms=(FallOff(), QUALITY, Signal(form="threshold", threshold=5.0, strength=1.5))
    ),
    "falling off, likes ignored": Logit(terms=(FallOff(), QUALITY)),
    "each place its own, any like": Logit(
        terms=(PlaceEffects(effects=tuple(-0.9 * np.log(np.arange(2, 49)))), QUALITY, ANY)
    ),
    "blind to place and likes": Logit(terms=(QUALITY,)),
}
"""Those of the herding study, of the pages of docs, and the forms of `Signal`."""
HELD: dict[str, frozenset[str]] = {
    "gate, likes ignored": frozenset({"gate, any like", "gate, more likes"}),
    "falling off, any like": frozenset({"each place its own, any like", "falling off, saturating"}),
    "falling off, size": frozenset({"falling off, saturating"}),
    "falling off, likes ignored": frozenset(
        name for name in RIVALS if name.startswith(("falling off", "each place"))
    ),
    "blind to place and likes": frozenset(RIVALS),
}
"""Rivals that hold a mechanism as a special case, or come to it at an end of their parameters: they predict
as well where it is the truth."""
READERS, ROUNDS, REPLICATES = 10, 1, 5
"""The full design's sizes where a language model decides."""


@cache
def cells(likes: str = "") -> tuple[Microspec, ...]:
    """The nine conditions in which readers choose from a list, likes by order; or those of some likes."""
    study = load("herding", decides=RIVALS["gate, any like"])
    sizes = {"population.groups.0.count": READERS, "turns.steps": ROUNDS}
    return tuple(
        cell.spec.replace_all(sizes)
        for cell in study.combinations()
        if likes in ("", cell.levels["likes"])
    )


def designed(name: str, times: int, likes: str = "") -> Iterator[ChoiceData]:
    """The design, so many times over, the readers being the mechanism; the unit is the replicate."""
    replicates = np.arange(times * REPLICATES)
    trace = Trace()
    for number, spec in enumerate(cells(likes)):
        here = spec.replace("population.groups.0.decides", RIVALS[name])
        runs = Runs(0, replicates, number * len(replicates) + replicates + 1)
        decide(grow(here, runs, trace), Society(here))
    data = choices_of(trace, content=spec.world.content())
    replicate = (data.run - 1) % len(replicates)
    order = np.argsort(replicate, kind="stable")
    data = data.where(order, run=replicate[order] + 1)
    bounds = np.searchsorted(data.run, np.arange(times + 1) * REPLICATES + 1)
    for start, stop in pairwise(bounds.tolist()):
        yield data.where(np.arange(start, stop))


@dataclass(frozen=True)
class Ranked:
    """How often the true mechanism came out, of so many repetitions of the design."""

    first: int
    """No rival scored higher, but for those that hold it."""
    told: int
    """It is the best, or as good as the best and simpler, and every other rival's interval is below it."""
    wrong: int
    """It is told to be behind a rival."""
    times: int
    above: Counter[str]
    """How often each rival scored higher."""
    as_good: Counter[str]
    """From which other rivals, that do not hold it, it could not be told."""


def ranked(name: str, times: int, to: Targets = "choices") -> Ranked:
    """The design with the readers being the mechanism: all rivals compared on runs held out."""
    first = told = wrong = 0
    above: Counter[str] = Counter()
    as_good: Counter[str] = Counter()
    holding = HELD.get(name, frozenset()) | {name}
    for data in designed(name, times):
        found = compare(RIVALS, data, to=to)
        own = found.scores[name].mean()
        higher = [one for one, scores in found.scores.items() if scores.mean() > own]
        near = [one for one in found.as_good if one not in holding]
        above.update(higher)
        first += holding.issuperset(higher)
        wrong += name not in found.as_good
        told += name in found.as_good and not near
        as_good.update(near if name in found.as_good else [])
    return Ranked(first, told, wrong, times, above, as_good)
