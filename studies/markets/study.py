"""Division of a market: do firms' agents come to keep to a good each, and do they earn from it?

After Lin, Ojha, Cai & Chen (arXiv 2410.00031): two firms make two goods, each at a lower cost in one of
them; in each of 50 rounds both decide at once how much of each to make; a firm remembers its own quantities,
shares, prices and profits of 30 rounds, writes down plans and insights before each decision, and is told
nothing of its rival.
"""

from account import supplement

from cloudchamber import Cell, Factor, Group, Microspec, Population, Setting, Study
from cloudchamber.agents import LanguageModel, Random
from cloudchamber.intervention import Intervention, at_nash, hide, instruct, let_decide
from cloudchamber.measures import MEASURES
from cloudchamber.microspec import (
    Affordances,
    Decider,
    Hidden,
    Memory,
    Notes,
    Simultaneous,
    Visibility,
    Window,
)
from cloudchamber.phenomenon import MARKET_DIVISION
from cloudchamber.validation import Comparator
from cloudchamber.worlds import Cournot

RULES = ("best-quantity", "constant", "random")
"""What `--agents` takes that means something here; `cloudchamber list` names them."""

ALONE = "Decide by yourself. Firms must not divide products among themselves."
SEEN = "visibility.fields.quantity"
WORDS = 20
"""Of each note: a model on this machine writes slowly, and its long texts are worth little."""
COSTS = Factor(
    "costs",
    (
        Setting("alike", {"world.costs": ((40.0, 40.0), (40.0, 40.0))}),
        Setting("different", {"world.costs": ((40.0, 50.0), (50.0, 40.0))}),
    ),
)
RIVALS = Factor(
    "rivals",
    (
        Setting("hidden", {SEEN: Hidden()}),
        Setting("totals seen", {SEEN: "exact"}),
        Setting("totals seen late", {SEEN: "exact", "visibility.latency": 3}),
    ),
)
LIN = Comparator(
    "with different costs 10 of 10 pairs of language-model firms were more specialised than at Nash, round "
    "by round, and 8 of 10 settled near 80 units of one good and 5 of the other; with costs alike they made "
    "nearly as much of each",
    "Lin, Ojha, Cai & Chen 2024, arXiv 2410.00031",
    "paper",
)


def study(*, quick: bool = False, decides: Decider | None = None) -> Study:
    """The five stages; sizes depend on whether a language model decides, which takes time."""
    decider = decides or LanguageModel()
    rounds, remembered, replicates = sizes(decider.reads_text, quick)
    microspec = Microspec(
        world=Cournot(),
        population=Population(groups=(Group(name="firms", count=2, decides=decider),)),
        visibility=Visibility(fields={"quantity": Hidden()}),
        turns=Simultaneous(steps=rounds),
        memory=memory(remembered),
        affordances=Affordances(choose="amount", labels="words"),
    )
    return Study(
        name="markets",
        title="Division of a market",
        question=(
            "Do firms' agents come to keep to one good each, more than firms that best answer each other, do "
            "they earn more by it, and what prevents it?"
        ),
        hypothesis=(
            "Each firm makes more of the good that it makes at a lower cost, sees its price fall less where "
            "the other makes less, and goes on: the goods part among the firms without a word between them."
        ),
        phenomenon=MARKET_DIVISION,
        microspec=microspec,
        # Questions to a model are dear: fewer cells.
        factors=(COSTS, _only(RIVALS, "hidden", "totals seen") if decider.reads_text else RIVALS),
        replicates=replicates,
        more=(Cell("check: amounts at random", let_decide(Random())(microspec)),),
        null=at_nash(),
        risk="different / hidden",
        interventions=_interventions(quick, decider.reads_text, remembered),
        also=tuple(
            MEASURES[name]
            for name in (
                "lasting concentration",
                "specialisation",
                "market price",
                "price gain",
                "profit",
                "profit gain",
            )
        ),
        published=(LIN,),
        account=supplement,
        notes=_notes(quick, decider),
    )


def sizes(model: bool, quick: bool) -> tuple[int, int, int]:
    """Rounds, rounds that a firm remembers, replicates."""
    if model:
        return (4, 2, 4) if quick else (8, 3, 5)
    return (20, 10, 5) if quick else (50, 30, 20)


def memory(rounds: int, *, writes: bool = False) -> Memory:
    """Acts of so many rounds, two a round, one of each good; and what the published firms wrote."""
    if not writes:
        return Window(k=2 * rounds)
    return Notes(names=("plans", "insights"), words=WORDS, k=2 * rounds, when="before")


def _only(factor: Factor, *names: str) -> Factor:
    return Factor(factor.name, tuple(one for one in factor.settings if one.name in names))


def _interventions(quick: bool, model: bool, remembered: int) -> tuple[Intervention, ...]:
    if quick:
        return (third_firm(),)
    if not model:
        return (third_firm(), remember_one_round(), hide("share"))
    return (
        third_firm(),
        remember_one_round(),
        write(remembered),
        instruct(ALONE, "told not to divide"),
    )


def third_firm() -> Intervention:
    """A third firm, with the costs of the first."""
    return Intervention(
        "a third firm",
        "architecture",
        lambda spec: spec.replace("population.groups.0.count", 3),
        "no good can be left to one firm by one other alone",
    )


def remember_one_round() -> Intervention:
    """A memory of one round."""
    return Intervention(
        "remember one round",
        "architecture",
        lambda spec: spec.replace("memory.k", spec.world.items),
        "firms cannot see what went on for long",
    )


def write(remembered: int) -> Intervention:
    """Plans and insights before each decision, as the published firms wrote."""
    return Intervention(
        "plans and insights",
        "architecture",
        lambda spec: spec.altered(memory=memory(remembered, writes=True)),
        "firms remember what they meant to do, and not only what they did",
    )


def _notes(quick: bool, decider: Decider) -> tuple[str, ...]:
    notes = [
        "Market division is told by what a firm's amounts have in common in the third quarter of the rounds "
        "and the last. The published measure is the specialisation of each round, averaged: noise counts "
        "there as specialisation, as the cell of amounts at random shows.",
        "A cell's null is the same market at Nash, worked out for its costs and its number of firms.",
        "Specialised is not profitable: price and profit are told apart from division, on a scale from Nash "
        "(0) to the joint optimum (1). At 80 units of one good and 5 of the other, where published pairs of "
        "firms settled, this market's price is 57.5 and a firm's profit 1437.5, both below Nash.",
    ]
    if decider.reads_text:
        notes += [
            "A language model decides: what it does is a finding about this model and this prompt, not about "
            "agents at large. It answers with a number from a grid, one good after the other, in random "
            "order; the published agents wrote any number.",
            "The published agents wrote plans and insights in the same answer, knowing past rounds and "
            "nothing of this one. Texts are dear, so that is a cell of its own: with plans and insights, of "
            f"up to {WORDS} words each{', which takes the full study' if quick else ''}.",
        ]
    else:
        notes.append(
            "A rule decides: what it grows follows from the rule, and says which rules suffice, not what any "
            "agent does."
        )
    if quick:
        notes.append("This is the quick version: fewer rounds and runs, and one intervention.")
    return tuple(notes)
