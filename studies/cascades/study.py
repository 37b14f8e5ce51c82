"""Information cascades: does the sight of earlier choices make agents wrong together?

After Bikhchandani, Hirshleifer & Welch (1992) and the experiment of Anderson & Holt (1997): one of two
options is right, everyone holds a private sign that is right with probability 2/3, and people choose one
after another.
"""

from account import supplement

from cloudchamber import Factor, Group, Microspec, Population, Setting, Study
from cloudchamber.agents import Bayesian, LanguageModel, OwnSign
from cloudchamber.intervention import instruct, isolate, mix_in
from cloudchamber.measures import MEASURES
from cloudchamber.microspec import Complete, Decider, Hidden, Sequential
from cloudchamber.phenomenon import INFORMATION_CASCADE
from cloudchamber.worlds import Cascade

RULES = ("bayesian", "own-sign", "quantal", "random")
"""What `--agents` takes that means something here; `cloudchamber list` names them."""

PRECISION = 2 / 3
OWN = "Go by your own sign alone, whatever others chose."


def study(*, quick: bool = False, decides: Decider | None = None) -> Study:
    """The five stages; sizes depend on whether a language model decides, which takes time."""
    decider = decides or LanguageModel()
    people, replicates = sizes(decider.reads_text, quick)
    crowd = Group(name="people", count=people, decides=decider)
    return Study(
        name="cascades",
        title="Information cascades",
        question=(
            "Does the sight of what others chose before make agents follow them against their own evidence, "
            "so that they are wrong together, and what prevents it?"
        ),
        hypothesis=(
            "Agents weigh what others chose as evidence beside their own; once the choices before outweigh "
            "one sign, nobody's choice tells anything of its sign, and whatever the first few happened to "
            "choose is chosen for good."
        ),
        phenomenon=INFORMATION_CASCADE,
        microspec=Microspec(
            world=Cascade(precision=PRECISION),
            population=Population(groups=(crowd,)),
            turns=Sequential(steps=1),
        ),
        factors=(sight(people, quick),),
        replicates=replicates,
        null=isolate(),
        risk="counts",
        interventions=(
            mix_in(OwnSign(), max(people // 4, 1), "who follow their sign"),
            instruct(OWN, "told to go by the own sign"),
        ),
        also=tuple(
            MEASURES[name] for name in ("accuracy", "share of cascades", "against own sign")
        ),
        account=supplement,
        notes=_notes(quick, decider),
    )


def sizes(model: bool, quick: bool) -> tuple[int, int]:
    """People in a sequence, sequences."""
    if model:
        return (6, 6) if quick else (12, 24)
    return (20, 200) if quick else (40, 2000)


def sight(people: int, quick: bool) -> Factor:
    """What is seen of earlier choices."""
    hidden = {"visibility.fields.choices": Hidden()}

    def listed(last: int) -> dict[str, object]:
        return hidden | {"communication": Complete(representation="acts", last=last)}

    counts = Setting("counts", {"visibility.fields.choices": "exact"})
    settings = (
        Setting("nothing", hidden),
        Setting("the last choice", listed(1)),
        counts,
        Setting("every choice", listed(people)),
    )
    return Factor("sight", (settings[0], counts) if quick else settings)


def _notes(quick: bool, decider: Decider) -> tuple[str, ...]:
    notes = [
        "Which option is right is drawn for each run and everyone's sign likewise; the cells of a replicate "
        "share them. Options bear random codes, drawn anew for each decision, and stand in random order.",
        "A run counts as a wrong majority where most of the second half of its choices are wrong, and as a "
        "cascade where they are all alike. Some sequences of agents that heed nobody end so too; each cell "
        "is told against its twin in which nothing is seen.",
        "Those mixed in follow their own sign always; the others do not know that they are there.",
    ]
    if decider.reads_text:
        notes.append(
            "A language model decides: what it does is a finding about this model and this prompt, not "
            "about agents at large. If it does not follow its own sign when it sees nothing else (see the "
            "checks), then nothing here is about information."
        )
    elif isinstance(decider, Bayesian):
        notes.append(
            "A rule decides: what it grows follows from the rule. It was derived for agents who see every "
            "choice before theirs; one who sees the last choice alone takes it for the first."
        )
    if quick:
        notes.append("This is the quick version: fewer cells, fewer people, fewer runs.")
    return tuple(notes)
