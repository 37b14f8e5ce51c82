"""The force of the majority: does a group without a preference settle on one answer because it sees itself?

After De Marzo, Castellano & Garcia (2024): everyone stands by one of two answers that mean nothing, sees how
many stand by each, and answers anew.
"""

from account import supplement

from cloudchamber import Factor, Group, Microspec, Population, Setting, Study
from cloudchamber.agents import Always, LanguageModel, MajorityForce, Random
from cloudchamber.intervention import isolate, mix_in
from cloudchamber.measures import MEASURES
from cloudchamber.microspec import Complete, Decider, Ring, Simultaneous, Visibility
from cloudchamber.phenomenon import MAJORITY_FORCE
from cloudchamber.worlds import Opinion

RULES = ("majority-force", "random")
"""What `--agents` takes that means something here; `cloudchamber list` names them."""

STRENGTHS = (0.5, 0.9, 1.1, 1.5, 2.5)
STRENGTH = "population.groups.0.decides.strength"


def study(*, quick: bool = False, decides: Decider | None = None) -> Study:
    """The five stages; sizes depend on whether a language model decides, which takes time."""
    decider = decides or LanguageModel()
    people, steps, replicates = sizes(decider.reads_text, quick)
    crowd = Group(name="people", count=people, decides=decider)
    forced = isinstance(decider, MajorityForce)
    return Study(
        name="majority",
        title="The force of the majority",
        question=(
            "Does a group that prefers neither of two answers settle on one of them because it sees how many "
            "stand by each, and who can turn it?"
        ),
        hypothesis=(
            "Each answers as most of those it sees do, the more surely the more they are. Beyond a strength "
            "of 1 an even split is not stable: whatever chance favours first grows, and stays."
        ),
        phenomenon=MAJORITY_FORCE,
        microspec=Microspec(
            world=Opinion(),
            population=Population(groups=(crowd,)),
            turns=Simultaneous(steps=steps),
        ),
        factors=factors(quick, forced),
        replicates=replicates,
        null=isolate(),
        risk="1.5 / everyone" if forced else "everyone",
        interventions=(
            mix_in(Random(), max(people // 4, 1), "who toss a coin"),
            mix_in(Always(item=1), max(people // 10, 1), "who never change"),
        ),
        also=(MEASURES["mean opinion"],),
        account=supplement,
        notes=_notes(quick, decider),
    )


def sizes(model: bool, quick: bool) -> tuple[int, int, int]:
    """People, steps, runs of each cell."""
    if model:
        return (8, 3, 4) if quick else (12, 6, 10)
    return (100, 20, 40) if quick else (400, 40, 100)


def factors(quick: bool, forced: bool) -> tuple[Factor, ...]:
    """Whom one sees, and for the rule its strength."""
    everyone = Setting("everyone", {"communication": Complete(), "visibility": Visibility()})
    near = {"communication": Ring(k=2), "visibility": Visibility(whose="neighbours")}
    sight = Factor("sight", (everyone, Setting("neighbours", near)))
    if not forced:
        return (sight,)
    strengths = (STRENGTHS[0], STRENGTHS[3]) if quick else STRENGTHS
    return Factor.at(STRENGTH, strengths, "strength"), sight


def _notes(quick: bool, decider: Decider) -> tuple[str, ...]:
    notes = [
        "At the start each stands by one of the answers by the toss of a coin. All answer at once, step "
        "after step; options bear random codes, drawn anew for each decision.",
        "The majority of a small group is never 0: of N who answer by chance it is about 0.8 over the root "
        "of N. Each cell is told against its twin in which nobody sees what others answer.",
        "Neighbours are two on each side of a ring.",
    ]
    if decider.reads_text:
        notes.append(
            "A language model decides: what it does is a finding about this model and this prompt, not "
            "about agents at large. That all are one model that prefers an answer, or a code, is in the twin "
            "as well."
        )
    else:
        notes.append("A rule decides: what it grows follows from the rule.")
    if quick:
        notes.append("This is the quick version: fewer cells, fewer people, fewer steps and runs.")
    return tuple(notes)
