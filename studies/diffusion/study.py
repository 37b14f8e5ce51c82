"""Thresholds and diffusion: when does it tip, so that what a few begin is taken up by nearly all?

After Granovetter (1978): everyone takes something up once enough others have; thresholds differ. How far it
goes depends on how they are spread, and jumps.
"""

from account import supplement

from cloudchamber import Cell, Factor, Group, Microspec, Population, Setting, Study
from cloudchamber.agents import Always, LanguageModel, Threshold
from cloudchamber.intervention import delay, isolate, mix_in
from cloudchamber.measures import MEASURES
from cloudchamber.microspec import (
    Affordances,
    Complete,
    Decider,
    Simultaneous,
    Visibility,
    WattsStrogatz,
)
from cloudchamber.phenomenon import ADOPTION_CASCADE
from cloudchamber.worlds import Diffusion, Drawn

RULES = ("threshold", "contagion", "random")
"""What `--agents` takes that means something here; `cloudchamber list` names them."""

MEAN = 0.25
"""The mean threshold, as a share of those seen."""
SPREADS = (0.08, 0.12, 0.14, 0.16, 0.24)
FEW = (0.08, 0.16)
CALM, TIPPED = "0.08 / everyone", "0.16 / everyone"
TIES = 8


def study(*, quick: bool = False, decides: Decider | None = None) -> Study:
    """The five stages; sizes depend on whether a language model decides, which takes time."""
    decider = decides or LanguageModel()
    people, steps, replicates = sizes(decider.reads_text, quick)
    microspec = Microspec(
        world=Diffusion(
            # Where thresholds are drawn some need nobody; without thresholds somebody must have it.
            seeds=0 if isinstance(decider, Threshold) else 1,
            of="share",
            thresholds=Drawn(mean=MEAN, sd=SPREADS[0]),
        ),
        population=Population(groups=(Group(name="people", count=people, decides=decider),)),
        turns=Simultaneous(steps=steps),
        affordances=Affordances(acts=("adopt",)),
    )
    return Study(
        name="diffusion",
        title="Thresholds and diffusion",
        question=(
            "When everyone takes something up once enough others have, does the spread of their thresholds "
            "decide how far it goes, and what stops it?"
        ),
        hypothesis=(
            "Each takes it up once the share of those seen who have it reaches a threshold of its own. "
            "Whoever needs nobody begins and moves the next; where thresholds are spread widely enough "
            "that each step moves more than the last needed, nearly all are reached."
        ),
        phenomenon=ADOPTION_CASCADE,
        microspec=microspec,
        factors=factors(people, quick, decider.reads_text),
        replicates=replicates,
        more=() if quick else (planted(microspec, people),),
        null=isolate(),
        risk=TIPPED,
        interventions=(
            mix_in(Always(item=0), max(people // 5, 1), "who never take it up"),
            delay(
                max(steps // 4, 2)
            ),  # where all decide at once, what is seen is a step old anyway
        ),
        also=tuple(MEASURES[name] for name in ("peak", "time to half")),
        account=supplement,
        notes=_notes(quick, decider),
    )


def sizes(model: bool, quick: bool) -> tuple[int, int, int]:
    """People, steps, runs of each cell."""
    if model:
        return (8, 3, 4) if quick else (10, 5, 10)
    return (100, 40, 50) if quick else (200, 60, 200)


def factors(people: int, quick: bool, model: bool) -> tuple[Factor, ...]:
    """How thresholds are spread, and whom one sees."""
    spread = Factor.at("world.thresholds.sd", FEW if quick or model else SPREADS, "spread")
    everyone = Setting("everyone", {"communication": Complete(), "visibility": Visibility()})
    near = {
        "communication": WattsStrogatz(k=min(TIES, (people - 1) // 4 * 2), p=0.1),
        "visibility": Visibility(whose="neighbours"),
    }
    near_too = () if quick else (Setting("neighbours", near),)
    return spread, Factor("sight", (everyone, *near_too))


def planted(spec: Microspec, people: int) -> Cell:
    """Where little happens by itself: a tenth have it from the start."""
    return Cell(f"{CALM}, a tenth planted", spec.replace("world.seeds", max(people // 10, 1)))


def _notes(quick: bool, decider: Decider) -> tuple[str, ...]:
    notes = [
        "Thresholds are drawn for each agent of each run, as shares of those it sees; the spread moves no "
        "draw, so that cells differ only by it. Whoever has it keeps it and is not asked again.",
        "A cell's null is the same cell in which nobody sees what others do. Whoever has a threshold of 0 "
        "or below takes it up there too.",
        f"Neighbours are about {TIES} others in a small world. Late news is a quarter of the run late, two "
        "steps at least.",
    ]
    if decider.reads_text:
        notes.append(
            "A language model decides: what it does is a finding about this model and this prompt, not "
            "about agents at large. It is told from which share on taking it up is worth it to it, and one "
            "agent has it at the start."
        )
    else:
        notes.append("A rule decides: what it grows follows from the rule.")
        if not isinstance(decider, Threshold):
            notes.append("This rule heeds no thresholds; one agent has it at the start.")
    if quick:
        notes.append("This is the quick version: fewer cells, fewer people, fewer steps and runs.")
    return tuple(notes)
