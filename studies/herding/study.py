"""Herding in an agents' news feed: do visible likes and ranking concentrate what agents choose?

After the published design (arXiv 2604.15236: a feed of 48 items in an order reshuffled for each browse;
likes hidden, organic or seeded), whose finding is that position gates what is considered at all and that any
visible like, however few, shifts choice inside the gate.
"""

from dataclasses import replace
from pathlib import Path

from account import supplement

from cloudchamber import Cell, Factor, Feed, Group, Microspec, Population, Setting, Study
from cloudchamber.agents import LanguageModel
from cloudchamber.intervention import (
    bucket,
    hide,
    instruct,
    isolate,
    one_at_a_time,
    pin,
    shuffle_for_each_reader,
)
from cloudchamber.measures import MEASURES
from cloudchamber.mechanism import (
    ConsiderThenChoose,
    ContentEffect,
    FallOff,
    Gate,
    ItemEffects,
    LabelEffects,
    Logit,
    Mechanism,
    PlaceEffects,
    Signal,
)
from cloudchamber.microspec import Decider, Hidden, Popularity, Seeded, Sequential, Shuffled
from cloudchamber.phenomenon import HERDING, Phenomenon
from cloudchamber.randomness import keys, normals
from cloudchamber.validation import MUSICLAB
from cloudchamber.validation.field import read_popularity

RULES = ("two-stage", "social-proof", "position-only", "quality", "random")
"""What `--agents` takes that means something here; `cloudchamber list` names them."""

HEADLINES = Path(__file__).with_name("headlines.csv")
SHOWN = "visibility.fields.likes"
LIKES = Factor(
    "likes",
    (
        Setting("hidden", {SHOWN: Hidden()}),
        Setting("organic", {SHOWN: "exact"}),
        Setting("seeded", {SHOWN: Seeded(levels=(0.0, 1.0, 10.0, 100.0, 1000.0))}),
    ),
)
ORDER = Factor(
    "order",
    (
        Setting("shuffled", {"visibility.order": Shuffled()}),
        Setting("fixed", {"visibility.order": Shuffled(each="run")}),
        Setting("by popularity", {"visibility.order": Popularity()}),
    ),
)
MERIT = "Judge each item on its own merit, and ignore where it stands and how many liked it."
FOLLOW = "Always choose the item with the most likes."
TARGET = 7
"""The item that the attack pins to the top; any would do (the last, where there are fewer)."""


def study(
    *,
    quick: bool = False,
    decides: Decider | None = None,
    items: Path | None = None,
    field: Path | None = None,
) -> Study:
    """The five stages; sizes depend on whether a language model decides, which takes time."""
    decider = decides or LanguageModel()
    feed = Feed.from_file(items or HEADLINES)
    if not feed.quality and not decider.reads_text:
        # Rules cannot read: what a headline is worth to them is drawn once, from a normal distribution.
        drawn = normals(keys(0, 0, "quality"), feed.items)
        feed = feed.altered(quality=tuple(round(float(z) / 2, 3) for z in drawn))
    readers, rounds, replicates = sizes(decider.reads_text, quick)
    microspec = Microspec(
        world=feed,
        population=Population(groups=(Group(name="readers", count=readers, decides=decider),)),
        turns=Sequential(steps=rounds),
    )
    quickly = (_only(LIKES, "hidden", "organic"), _only(ORDER, "shuffled", "by popularity"))
    return Study(
        name="herding",
        title="Herding in an agents' news feed",
        question=(
            "Do visible likes and the order of the feed concentrate what agents choose, "
            "and which changes of the feed or the agents prevent it?"
        ),
        hypothesis=(
            "Agents consider what stands near the top and, of that, prefer what shows likes; so what happens "
            "to be liked first is considered and liked more, and each run ends with winners of its own."
        ),
        phenomenon=phenomenon(decider),
        microspec=microspec,
        factors=quickly if quick else (LIKES, ORDER),
        replicates=replicates,
        more=tuple(_more(microspec, quick)),
        null=isolate(),
        risk="organic / by popularity",
        interventions=_interventions(quick),
        attack=pin(min(TARGET, feed.items - 1)),
        field=read_popularity(field) if field else None,
        published=(MUSICLAB,),
        mechanisms=mechanisms(decider),
        account=supplement,
        notes=_notes(quick, decider),
    )


def phenomenon(decider: Decider) -> Phenomenon:
    """Herding; of the few choices that a language model is asked for, by what it was expected to choose."""
    return replace(HERDING, measure=MEASURES["expected gini"]) if decider.reads_text else HERDING


def mechanisms(decider: Decider) -> dict[str, Mechanism]:
    """What may be behind the choices; the first is what the hypothesis says.

    Every rule is told how much each item draws by itself: a rule's quality, or, as of headlines that a
    language model reads, a number for each.
    """
    item = ItemEffects() if decider.reads_text else ContentEffect(field="quality")
    gate = Gate(width=5, beyond=-3.0)
    any_like, more_likes = Signal(form="any"), Signal(form="log")
    rivals: dict[str, Mechanism] = {
        "gate, then any like": ConsiderThenChoose(considered=gate, terms=(item, any_like)),
        "gate, then more likes": ConsiderThenChoose(considered=gate, terms=(item, more_likes)),
        "gate, likes ignored": ConsiderThenChoose(considered=gate, terms=(item,)),
        "falling off, any like": Logit(terms=(FallOff(), item, any_like)),
        "falling off, more likes": Logit(terms=(FallOff(), item, more_likes)),
        "blind to place and likes": Logit(terms=(item,)),
    }
    if decider.reads_text:
        first = Gate(width=1, beyond=-1.0)
        rivals["first place, then any like"] = ConsiderThenChoose(
            considered=first, terms=(item, any_like)
        )
        # What a model makes of the codes that options bear.
        rivals["label, place and any like"] = Logit(
            terms=(LabelEffects(), PlaceEffects(), item, any_like)
        )
    return rivals


def sizes(model: bool, quick: bool) -> tuple[int, int, int]:
    """Readers, rounds (each reader browses once a round), replicates."""
    if model:
        return (2, 1, 3) if quick else (10, 1, 5)
    return (24, 4, 10) if quick else (48, 20, 20)


def _only(factor: Factor, *names: str) -> Factor:
    return Factor(factor.name, tuple(one for one in factor.settings if one.name in names))


def _more(spec: Microspec, quick: bool) -> list[Cell]:
    """Beside the combinations: what shown likes do (where dealt at random), and who sees them at all."""
    seeded = ORDER.settings[0].apply(LIKES.settings[2].apply(spec))
    single = one_at_a_time()(seeded)
    cells = [Cell("seeded / one at a time", single)]
    if quick:
        return [Cell("seeded / shuffled", seeded, {"likes": "seeded", "order": "shuffled"}), *cells]
    if any(group.decides.reads_text for group in spec.population.groups):
        follow = instruct(FOLLOW)
        cells.append(Cell("check: told to follow likes", follow(seeded)))
        cells.append(Cell("check: one at a time, told to follow likes", follow(single)))
        cells += [
            Cell(f"check: one at a time, {wording}", single.replace("world.wording", wording))
            for wording in ("plain", "placebo")
        ]
    return cells


def _interventions(quick: bool):
    if quick:
        return (shuffle_for_each_reader(), one_at_a_time())
    return (
        hide("likes"),
        shuffle_for_each_reader(),
        one_at_a_time(),
        bucket("likes", (1.0, 10.0, 100.0)),
        instruct(MERIT, "judge on merit"),
    )


def _notes(quick: bool, decider: Decider) -> tuple[str, ...]:
    notes = [
        "One item at a time, a reader judges each item on its own, yes or no, and likes one, by lot, of "
        "those it says yes to.",
        "Seeded likes are dealt to the items at random for each decision, so that their effect is an "
        "effect of what is shown. Organic likes go with the items that were liked.",
        "A cell's null is the same cell in which nobody can heed anybody: likes hidden, and an order by "
        "popularity replaced by one drawn at random for each run and kept throughout it.",
    ]
    if not quick:
        notes.append(
            "In the order called fixed, each run has one order of its own, drawn at random, for all readers."
        )
    if decider.reads_text:
        notes += [
            "A language model decides: what it does is a finding about this model and this prompt, not "
            "about agents at large.",
            "The expected Gini coefficient is that of the choices' probabilities, summed over a run. It "
            "falls with the number of decisions, and is compared here at equal numbers only.",
        ]
    else:
        notes.append(
            "A rule decides: what it grows follows from the rule, and says which rules suffice, not what "
            "any agent does."
        )
    if quick:
        notes.append(
            "This is the quick version: few runs of few decisions. It shows that everything works and what "
            "a report looks like; so little leaves nearly every question undecided."
            if decider.reads_text
            else "This is the quick version: few cells, and fewer readers, rounds and runs than the full one."
        )
    return tuple(notes)
