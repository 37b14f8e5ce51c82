"""Conventions: do agents that meet in pairs agree on a name, and on one that none of them prefers alone?

After the naming game of Ashery, Aiello & Baronchelli (2025): two meet, each says a name at the same time, and
both gain where it is the same. An agent remembers its last meetings, and knows nothing of a population.
"""

from account import supplement

from cloudchamber import Factor, Group, Microspec, Population, Setting, Study
from cloudchamber.agents import LanguageModel, LookUp, Random
from cloudchamber.intervention import hide, instruct, isolate, mix_in
from cloudchamber.measures import MEASURES
from cloudchamber.microspec import (
    Affordances,
    BarabasiAlbert,
    Decider,
    Hidden,
    Meetings,
    Ring,
    Visibility,
    Window,
)
from cloudchamber.phenomenon import CONVENTION
from cloudchamber.validation.published import CONVENTIONS
from cloudchamber.worlds import NAMES_2, NAMES_10, NamingGame

RULES = ("look-up", "majority-of-memory", "random")
"""What `--agents` takes that means something here; `cloudchamber list` names them."""

SAME = "Pick the name that the other player picked most often in the rounds so far."
RISK = "memory 3 / everyone"


def study(*, quick: bool = False, decides: Decider | None = None) -> Study:
    """The five stages; sizes depend on whether a language model decides, which takes time."""
    decider = decides or LanguageModel()
    people, rounds, replicates = sizes(decider.reads_text, quick)
    return Study(
        name="conventions",
        title="Conventions in a naming game",
        question=(
            "Do agents that meet in pairs settle on one name though nobody tells them to, and do populations "
            "settle on a name that the agents do not prefer alone?"
        ),
        hypothesis=(
            "An agent says what the last meetings make it expect of the next partner; so what happens to be "
            "said more often is said still more, and small leanings that memory gives rise to decide which "
            "name a whole population ends with."
        ),
        phenomenon=CONVENTION,
        microspec=Microspec(
            world=NamingGame(),
            population=Population(groups=(Group(name="players", count=people, decides=decider),)),
            turns=Meetings(steps=rounds),
            memory=Window(k=3),
            visibility=Visibility(fields={"uses": Hidden()}),
            affordances=Affordances(labels="words"),
        ),
        factors=factors(decider, quick),
        replicates=replicates,
        null=isolate(),
        risk=RISK if len(factors(decider, quick)) == 2 else f"{RISK} / 2 names",
        interventions=(
            hide("partner"),
            mix_in(Random(), max(people // 6, 1), "at random"),
            instruct(SAME, "told to follow the other"),
        ),
        also=tuple(MEASURES[name] for name in ("agreed", "rounds to agreement", "top-1 share")),
        published=CONVENTIONS,
        account=supplement,
        notes=_notes(quick, decider),
    )


def sizes(model: bool, quick: bool) -> tuple[int, int, int]:
    """Players, rounds (in each as many meetings as half the players), replicates."""
    if model:
        return (8, 12, 4) if quick else (24, 60, 20)
    return (24, 60, 10) if quick else (24, 200, 40)


def factors(decider: Decider, quick: bool) -> tuple[Factor, ...]:
    """How many meetings are remembered, who can meet whom, and, of rules that know any, how many names."""
    memory = tuple(
        Setting(f"memory {k}", {"memory.k": k}) for k in ((1, 3) if quick else (1, 3, 5))
    )
    if decider.reads_text:
        memory = memory[:2]  # with two names and three meetings there are 170 different prompts
    near = {"visibility.whose": "neighbours"}
    meet = (
        Setting("everyone", {}),
        Setting("a ring", {"communication": Ring(k=2), **near}),
        Setting("a scale-free network", {"communication": BarabasiAlbert(m=2), **near}),
    )
    chosen = [Factor("memory", memory), Factor("meet", meet[:2] if quick else meet)]
    if not (decider.reads_text or isinstance(decider, LookUp) or quick):
        pools = (("2 names", NAMES_2), ("10 names", NAMES_10))
        chosen.append(
            Factor("pool", tuple(Setting(told, {"world.names": names}) for told, names in pools))
        )
    return tuple(chosen)


def _notes(quick: bool, decider: Decider) -> tuple[str, ...]:
    notes = [
        "Agreement is the share of the last meetings, three for each player, in which both said the same. A "
        "population has agreed when all of so many meetings succeeded; one that never did counts with its "
        "whole length in the rounds to agreement, which are then too short.",
        "A cell is told against its twin in which nobody learns what the other said, and so nothing of a "
        "payoff either. By chance two names agree half the time, ten a tenth of it.",
        "The names stand in an order drawn anew for each decision.",
    ]
    if decider.reads_text:
        notes += [
            "A language model decides: what it does is a finding about this model and this prompt, not "
            "about agents at large. If it prefers a name or a place before it remembers anything (see the "
            "checks), then that alone makes players agree.",
            "Exact answers to the same prompt are asked for once: with two names and a short memory there "
            "are few prompts, so many runs cost little more than one.",
        ]
    else:
        notes.append(
            "A rule decides: what it grows follows from the rule, and says which rules suffice, not what "
            "any agent does."
        )
    if quick:
        notes.append(
            "This is the quick version: fewer cells, fewer players, fewer and shorter runs."
        )
    return tuple(notes)
