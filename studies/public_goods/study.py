"""Public goods: does the sight of what others give make those who go by it give less, round after round?

After Fehr & Gaechter (2000) and Fischbacher, Gaechter & Fehr (2001): four players, ten rounds, a pool that
returns .4 of each unit to everyone. Given at once or in turn; what is seen of others varies.
"""

from account import supplement

from cloudchamber import Factor, Group, Microspec, Population, Setting, Study
from cloudchamber.agents import ConditionalCooperator, Contributor, FreeRider
from cloudchamber.intervention import Intervention, instruct, isolate, mix_in
from cloudchamber.measures import MEASURES
from cloudchamber.microspec import (
    Affordances,
    Complete,
    Decider,
    Hidden,
    Sequential,
    Simultaneous,
    Window,
)
from cloudchamber.phenomenon import COLLAPSE_OF_COOPERATION
from cloudchamber.worlds import PublicGoods

RULES = ("conditional-cooperator", "contributor", "free-rider", "backward-induction", "random")
"""What `--agents` takes that means something here; `cloudchamber list` names them."""

IMPERFECT = ConditionalCooperator(first=0.6, slope=0.8, noise=0.05)
"""Gives somewhat less than the others gave: the rule that is thought to let contributions decay."""
MATCH = "Put into the pool as much as the others put in on average in the round before."
PLAYERS = 4


def study(*, quick: bool = False, decides: Decider | None = None) -> Study:
    """The five stages; a rule decides if none is given, and sizes depend on whether a model does."""
    decider = decides or IMPERFECT
    rounds, replicates = sizes(decider.reads_text, quick)
    # The grid that a language model is asked over: few amounts take little time.
    world = PublicGoods(players=PLAYERS, step=5.0 if decider.reads_text else 1.0)
    return Study(
        name="public_goods",
        title="Contributions to a public good",
        question=(
            "Does the sight of what others give to a common pool make players give less than they would "
            "otherwise, and does it matter whether they give at once or one after another?"
        ),
        hypothesis=(
            "Each gives somewhat less than it saw others give; so what is given falls from round to round, "
            "though nobody set out to give nothing."
        ),
        phenomenon=COLLAPSE_OF_COOPERATION,
        microspec=Microspec(
            world=world,
            population=Population(groups=(Group(name="players", count=PLAYERS, decides=decider),)),
            turns=Simultaneous(steps=rounds),
            memory=Window(k=1),
            affordances=Affordances(choose="amount"),
        ),
        factors=(seen(quick), turns(rounds, quick)),
        replicates=replicates,
        null=isolate(),
        risk="the total / at once",
        interventions=interventions(decider),
        also=tuple(MEASURES[name] for name in ("cooperation rate", "mean score")),
        account=supplement,
        notes=_notes(quick, decider),
    )


def sizes(model: bool, quick: bool) -> tuple[int, int]:
    """Rounds, runs of each cell."""
    if model:
        return (4, 4) if quick else (10, 20)
    return (10, 50) if quick else (10, 500)


def seen(quick: bool) -> Factor:
    """What is seen of others' contributions; a payoff would tell them too."""
    hidden = {
        "visibility.fields.contributed": Hidden(),
        "visibility.fields.payoff": Hidden(),
    }
    last = hidden | {"communication": Complete(representation="acts", last=1)}
    nothing, total = Setting("nothing", hidden), Setting("the total", {})
    one = Setting("the one before", last)
    return Factor("seen", (nothing, total) if quick else (nothing, one, total))


def turns(rounds: int, quick: bool) -> Factor:
    """At once, or one after another with places that are drawn anew and not told, or fixed and told."""
    known = {"turns": Sequential(steps=rounds, order="fixed"), "world.places": True}
    settings = (
        Setting("at once", {}),
        Setting("in turn", {"turns": Sequential(steps=rounds)}),
        Setting("in turn, place known", known),
    )
    return Factor("turns", settings[:2] if quick else settings)


def interventions(decider: Decider) -> tuple[Intervention, ...]:
    """One who gives nothing, one who gives all; a word to those who read."""
    told = (instruct(MATCH, "told to match the others"),) if decider.reads_text else ()
    return (mix_in(FreeRider(), 1, "free rider"), mix_in(Contributor(), 1, "who gives all"), *told)


def _notes(quick: bool, decider: Decider) -> tuple[str, ...]:
    notes = [
        "A unit given costs its giver 1 and returns .4 to each of four players: whoever thinks of this game "
        "alone gives nothing, in any order of moves, and all together would earn most by giving all.",
        "The total is that of everyone's latest contributions: at once, of the round before; in turn, of "
        "this round by those before and of the last round by those after. Payoffs are seen where the total "
        "is, when the round is over. A cell's null is its twin in which nothing of the others' acts is seen.",
        "The one before is whoever gave last; given at once, that is always the same player's contribution.",
    ]
    if decider.reads_text:
        notes.append(
            "A language model decides: what it does is a finding about this model and this prompt, not "
            "about agents at large. It may give 0, 5, 10, 15 or 20. If it gives the same whatever it sees "
            "(see the checks), then nothing here is about cooperation."
        )
    else:
        notes.append("A rule decides: what it grows follows from the rule.")
    if quick:
        notes.append("This is the quick version: fewer cells and fewer runs.")
    return tuple(notes)
