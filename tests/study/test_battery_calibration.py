"""How often a battery calls something relevant where nobody heeds anything."""

from pathlib import Path

import pytest
from scipy.stats import binom

from cloudchamber import Feed, Group, Microspec, Population, Study
from cloudchamber.agents import Random
from cloudchamber.intervention import isolate
from cloudchamber.microspec import Sequential
from cloudchamber.phenomenon import HERDING
from cloudchamber.study import battery


def claims(folder: Path, studies: int) -> int:
    """Batteries of so many studies in which any regime is called relevant, by either outcome's family."""
    people = Population(groups=(Group(name="readers", count=12, decides=Random()),))
    null = Study(
        name="null",
        question="?",
        phenomenon=HERDING,
        microspec=Microspec(world=Feed.of(8), population=people, turns=Sequential(steps=3)),
        null=isolate(),
        replicates=10,
    )
    whole = battery(null, only=("latency", "memory", "synchrony", "mix", "communication"))
    said = 0
    for seed in range(studies):
        found = whole.judge(whole.study.run(folder / str(seed), seed=seed))
        first = found.dimensions["outcome"].iloc[0]
        told = found.dimensions[found.dimensions["outcome"] == first]
        said += "relevant" in set(told["verdict"])
    return said


def test_hardly_ever_in_a_few_studies(tmp_path: Path) -> None:
    assert claims(tmp_path, 3) <= 1


@pytest.mark.slow
def test_in_at_most_a_twentieth_of_studies(tmp_path: Path) -> None:
    studies = 80
    assert claims(tmp_path, studies) <= binom.ppf(0.99, studies, 0.05)
