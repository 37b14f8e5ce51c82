"""A new study: a folder with a study.py that runs as it stands, and its README."""

import re
from pathlib import Path

from cloudchamber.errors import SpecificationError, TraceError

__all__ = ["scaffold"]

STUDY = '''"""{title}: what one sentence says of it in `cloudchamber list`."""

from cloudchamber import Factor, Feed, Group, Microspec, Population, SocialProof, Study
from cloudchamber.intervention import hide, isolate
from cloudchamber.microspec import Sequential
from cloudchamber.phenomenon import HERDING

RULES = ("social-proof", "two-stage", "position-only", "random")  # what --agents may be here


def study(*, quick=False, decides=None):
    """The five stages in order."""
    # 2: who interacts, in which world, by which rules
    agents = Group(name="readers", count=24, decides=decides or SocialProof())
    microspec = Microspec(
        world=Feed.of(24),
        population=Population(groups=(agents,)),
        turns=Sequential(steps=5 if quick else 20),
    )
    return Study(
        name="{name}",
        question="Does showing likes concentrate attention, and does hiding them undo it?",
        # 1: what is to be grown, and when it counts as grown
        phenomenon=HERDING,
        microspec=microspec,
        # 3: what is varied, and how often each combination is grown
        factors=(
            Factor.at("visibility.fields.likes", ["hidden", "exact"], "likes"),
            Factor.at("visibility.order", ["shuffled", "popularity"], "order"),
        ),
        replicates=5 if quick else 20,
        null=isolate(),
        # 4: what is tried against it, and from which cell it departs
        risk="exact / shuffled",
        interventions=(hide("likes"),),
        # 5: field data, if there are any: field=read_popularity("my_worlds.csv")
    )
'''

README = """# {title}

What is asked, and why it matters: say it here, and in `study.py`, whose comments name the five stages.

1. See it work, in seconds, with the rule that `study.py` names: `cloudchamber run {name} --quick`, and open
   the report that it names.
2. Change one thing in `study.py` and look at what it means now: `cloudchamber show {name}`. What is grown
   keeps its meaning: for a changed study give another folder with `--out`, or remove the old one.
3. Try it without changing the file: `cloudchamber run {name} --quick --set turns.steps=3`, or with other
   agents: `--agents two-stage`, `--model embedded` (`cloudchamber list` names them).
4. Grow it in full: `cloudchamber run {name}`. Run again, it computes only what is missing.
"""


def scaffold(name: str, folder: Path) -> Path:
    """Write a new study.

    Raises:
        SpecificationError: the name is no name for a folder, or it is taken.
        TraceError: the folder cannot be written.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,63}", name):
        raise SpecificationError(
            f"{name!r} is no name for a study; allowed: small letters, digits, - and _, a letter first."
        )
    place = folder / name
    if place.exists():
        raise SpecificationError(f"{place} exists already; give another name.")
    title = name.replace("-", " ").replace("_", " ").capitalize()
    try:
        place.mkdir(parents=True)
        (place / "study.py").write_text(STUDY.format(name=name, title=title), encoding="utf-8")
        (place / "README.md").write_text(README.format(name=name, title=title), encoding="utf-8")
    except OSError as error:
        raise TraceError(f"cannot write {place}: {error.strerror}.") from None
    return place
