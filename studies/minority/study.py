"""Committed minorities: how many who never change their name does it take to overturn a convention?

After Ashery, Aiello & Baronchelli (2025): a population remembers meetings in which all said one name; some of
it are replaced by agents that always say another.
"""

from dataclasses import replace

from account import supplement

from cloudchamber import Factor, Group, Microspec, Population, Setting, Study
from cloudchamber.agents import Always, LanguageModel, LookUp
from cloudchamber.agents.look_up_tables import LLAMA_31
from cloudchamber.intervention import hide, instruct, mix_in, uncommit
from cloudchamber.measures import MEASURES
from cloudchamber.microspec import Affordances, Decider, Hidden, Meetings, Visibility, Window
from cloudchamber.phenomenon import COMMITTED_MINORITY
from cloudchamber.validation.published import COMMITTED
from cloudchamber.worlds import NamingGame

RULES = ("look-up", "majority-of-memory")
"""What `--agents` takes that means something here; `cloudchamber list` names them."""

MINORITY = "committed"
KEEP = "Keep to the name that most rounds so far went by."
STRONG, WEAK = ("M", "Q"), ("Q", "M")
"""The convention comes first, the name of the committed second."""


def study(*, quick: bool = False, decides: Decider | None = None) -> Study:
    """The five stages; sizes depend on whether a language model decides, which takes time."""
    decider = decides or LanguageModel()
    people, rounds, replicates, memory = sizes(decider.reads_text, quick)
    if isinstance(decider, LookUp) and decider == LookUp():
        decider = LookUp(table=LLAMA_31)  # the model whose minorities were published at this size
    groups = (
        Group(name="players", count=people, decides=decider),
        Group(name=MINORITY, count=0, decides=Always(item=1)),
    )
    chosen = (shares(people, quick), conventions(decider))
    return Study(
        name="minority",
        title="Committed minorities in a naming game",
        question=(
            "How many agents that always say another name does it take to overturn a convention, and does "
            "that depend on which name is the convention?"
        ),
        hypothesis=(
            "An agent says what its last meetings make it expect; so a few that never change break the "
            "memory of those they meet, and above some number of them the others' expectations tip together."
        ),
        phenomenon=COMMITTED_MINORITY,
        microspec=Microspec(
            world=NamingGame(names=STRONG, convention=0, remembered=memory),
            population=Population(groups=groups),
            turns=Meetings(steps=rounds),
            memory=Window(k=memory),
            visibility=Visibility(fields={"uses": Hidden()}),
            affordances=Affordances(labels="words"),
        ),
        factors=chosen,
        replicates=replicates,
        null=replace(uncommit(MINORITY), name="nobody committed"),
        risk=f"{chosen[0].settings[-1].name} / from M",
        interventions=(
            hide("partner"),
            mix_in(Always(item=0), max(people // 12, 1), "committed to the convention"),
            instruct(KEEP, "told to keep to it"),
        ),
        also=tuple(MEASURES[name] for name in ("agreement", "top-1 share")),
        published=COMMITTED,
        account=supplement,
        notes=_notes(quick, decider),
    )


def sizes(model: bool, quick: bool) -> tuple[int, int, int, int]:
    """Players, rounds (in each as many meetings as half the players), replicates, meetings remembered."""
    if model:
        return (8, 12, 4, 3) if quick else (24, 60, 20, 3)
    return (24, 67, 10, 5) if quick else (24, 67, 100, 5)


def shares(people: int, quick: bool) -> Factor:
    """How many are committed; with 24 players 1, 2, 4, 6, 8 and 10, as published."""
    counts = sorted(
        {max(people // 12, 1), people // 3} if quick else {1, 2, *range(4, people // 2, 2)}
    )
    path = "population.groups.1.share"
    named = (Setting(f"{n} of {people}", {path: n / people}) for n in counts)
    return Factor("committed", tuple(named))


def conventions(decider: Decider) -> Factor:
    """Which name is the convention. A table is about one of them, wherever that stands."""
    from_m, from_q = {"world.names": STRONG}, {"world.names": WEAK}
    if isinstance(decider, LookUp):
        path = "population.groups.0.decides.item"
        from_m, from_q = from_m | {path: STRONG.index("M")}, from_q | {path: WEAK.index("M")}
    return Factor("convention", (Setting("from M", from_m), Setting("from Q", from_q)))


def _notes(quick: bool, decider: Decider) -> tuple[str, ...]:
    notes = [
        "A population counts as overturned where more than half of the others' last words, three for each "
        "player, are the minority's. Each run is told against its twin in which those agents are not "
        "committed: what a population leaves by itself, no minority has overturned.",
        "The committed stand in the place of as many players; at first all players remember meetings in "
        "which both said the convention.",
    ]
    if decider.reads_text:
        notes.append(
            "A language model decides: what it does is a finding about this model and this prompt, not "
            "about agents at large. If it does not keep a convention of itself (see the checks), then there "
            "is none to overturn."
        )
    elif isinstance(decider, LookUp):
        notes.append(
            "The table was counted in runs without a minority; that populations of it fall to minorities as "
            "the model's own did is a prediction of it."
        )
    if quick:
        notes.append("This is the quick version: fewer cells and fewer runs.")
    return tuple(notes)
