"""Repeated dilemmas: does it matter for cooperation whether partners are kept, and how far memory reaches?

A prisoner's dilemma played over and over, with the same partner or with ones drawn from a population. After
Axelrod (1984), Nowak & Sigmund (1993) and, beside random players, Fontana, Pierri & Aiello (2024).
"""

from account import ALPHAS, BESIDE, PLAYERS, supplement

from cloudchamber import Cell, Factor, Group, Microspec, Population, Setting, Study
from cloudchamber.agents import Always, RandomPlayer, TitForTat, WinStayLoseShift
from cloudchamber.intervention import Intervention, instruct, isolate, mix_in
from cloudchamber.measures import MEASURES
from cloudchamber.microspec import Affordances, Decider, Hidden, Meetings, Visibility, Window
from cloudchamber.phenomenon import COLLAPSE_OF_COOPERATION
from cloudchamber.worlds import Dilemma
from cloudchamber.worlds.dilemma import DEFECT

RULES = (
    "tit-for-tat",
    "grim",
    "win-stay-lose-shift",
    "memory-one",
    "random-player",
)
"""What `--agents` takes that means something here; `cloudchamber list` names them."""

PAVLOV = WinStayLoseShift(slip=0.05)
"""Cooperates for good with one of its kind though both err, and with strangers does not."""
SAME = "Do what the player you met last did in that meeting."
MEMORY = 10
"""The longest that memory reaches; the published window."""


def study(*, quick: bool = False, decides: Decider | None = None) -> Study:
    """The five stages; a rule decides if none is given, and sizes depend on whether a model does."""
    decider = decides or PAVLOV
    people, rounds, replicates = sizes(decider.reads_text, quick)
    microspec = Microspec(
        world=Dilemma(),
        population=Population(groups=(Group(name=PLAYERS, count=people, decides=decider),)),
        turns=Meetings(steps=rounds, at_once=True),
        memory=Window(k=1),
        visibility=Visibility(fields={"chosen": Hidden()}),
        affordances=Affordances(),
    )
    return Study(
        name="dilemmas",
        title="Repeated dilemmas in a population",
        question=(
            "Does knowing what partners did make players of a repeated dilemma cooperate less, and does it "
            "matter whether partners are kept, and how much of the past is remembered?"
        ),
        hypothesis=(
            "A player answers what it met last. With a partner that is kept an error is answered by the one "
            "it was made to, and can be mended; with partners drawn anew it is answered to somebody else, "
            "and spreads."
        ),
        phenomenon=COLLAPSE_OF_COOPERATION,
        microspec=microspec,
        factors=factors(decider.reads_text, quick),
        replicates=replicates,
        more=() if quick else beside_random(microspec, decider),
        null=isolate(),
        risk="drawn / memory 1"
        + (f" / {_PAYOFFS[0].name}" if decider.reads_text and not quick else ""),
        interventions=interventions(decider, people),
        also=tuple(
            MEASURES[name]
            for name in ("cooperation rate", "mean score", "forgiving", "retaliatory")
        ),
        account=supplement,
        notes=_notes(quick, decider),
    )


def sizes(model: bool, quick: bool) -> tuple[int, int, int]:
    """Players, rounds, runs of each cell."""
    if model:
        return (4, 4, 4) if quick else (10, 20, 10)
    return (20, 40, 30) if quick else (20, 100, 50)


_PAYOFFS = (
    Setting("5 3 1 0", {}),
    Setting("4 3 1 0", {"world.temptation": 4.0}),
)


def factors(model: bool, quick: bool) -> tuple[Factor, ...]:
    """With whom one plays, how much is remembered; and payoffs, which no rule here reads."""
    partners = Factor(
        "partners",
        (
            Setting("kept", {"turns.partners": "kept"}),
            Setting("drawn", {"turns.partners": "drawn"}),
        ),
    )
    reach = (1, 3) if model or quick else (1, 3, MEMORY)
    memory = Factor("memory", tuple(Setting(f"memory {k}", {"memory.k": k}) for k in reach))
    if model and not quick:
        return partners, memory, Factor("payoffs", _PAYOFFS)
    return partners, memory


def beside_random(spec: Microspec, decider: Decider) -> tuple[Cell, ...]:
    """One player with one that cooperates with a set chance, for good: where theory is exact."""

    def population(alpha: float) -> Population:
        other = Group(name="random", count=1, decides=RandomPlayer(alpha=alpha))
        return Population(groups=(Group(name=PLAYERS, count=1, decides=decider), other))

    return tuple(
        Cell(
            BESIDE.format(alpha),
            spec.replace_all(
                {
                    "population": population(alpha),
                    "turns.partners": "kept",
                    "memory.k": MEMORY,
                }
            ),
        )
        for alpha in ALPHAS
    )


def interventions(decider: Decider, people: int) -> tuple[Intervention, ...]:
    """Some who always defect, some who answer like with like; a word to those who read."""
    told = (instruct(SAME, "told to do what was done to them"),) if decider.reads_text else ()
    some = max(people // 5, 1)
    return (
        mix_in(Always(item=DEFECT), some, "who defect"),
        mix_in(TitForTat(), some, "who answer like with like"),
        *told,
    )


def _notes(quick: bool, decider: Decider) -> tuple[str, ...]:
    notes = [
        "All meet at once in pairs, in each round. Nobody is told whom it meets, nor whether it is the same "
        "as before; it remembers its own act, the other's, and what that paid.",
        "A cell is told against its twin in which nobody learns what others did, nor what its act paid.",
    ]
    if decider.reads_text:
        notes.append(
            "A language model decides: what it does is a finding about this model and this prompt, not "
            "about agents at large. Options bear random codes, drawn anew for each decision. If it does the "
            "same whatever was done to it (see the checks), then nothing here is about reciprocity."
        )
    else:
        notes.append(
            "A rule decides: what it grows follows from the rule. Rules do not read payoffs, so these are "
            "varied for language models alone."
        )
    if quick:
        notes.append("This is the quick version: fewer cells, fewer rounds, fewer runs.")
    return tuple(notes)
