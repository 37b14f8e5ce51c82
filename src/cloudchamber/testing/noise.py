"""The laws about chance: draws are independent, shared between paired runs, the same for any decider."""

from collections.abc import Mapping

import numpy as np

from cloudchamber import randomness
from cloudchamber.microspec import Microspec
from cloudchamber.models.model import Model
from cloudchamber.testing.growing import SEED, grown
from cloudchamber.testing.seen import Place, Seen, seen_by, told

__all__ = ["independent_draws", "paired", "swappable"]

Models = Mapping[str, Model] | None


def independent_draws(
    spec: Microspec, models: Models = None, seed: int = SEED, replicates: int = 20
) -> int:
    """Law 5: agents, replicates and steps draw independently; the same draw asked twice is the same.

    Over many replicates the noise behind each decision (the place of the first pick within its own
    distribution, made uniform) must be uniform, and uncorrelated between agents, between steps and
    between neighbouring replicates. Levels are such that a lawful specification fails once in 10,000.
    """
    trace = grown(spec, seed=seed, replicates=range(replicates), models=models)
    again = seen_by(grown(spec, seed=seed, models=models))
    seen = seen_by(trace)
    assert all(seen[place] == one for place, one in again.items()), (
        "the same draws asked twice were not the same."
    )
    any_number = spec.affordances.choose == "any"
    placed = _quantiles(seen, seed, any_number)
    if len(placed) < 50:
        return len(placed)
    values = np.array(list(placed.values()))
    counts = np.histogram(values, bins=10, range=(0.0, 1.0))[0]
    chi2 = float(((counts - len(values) / 10) ** 2 / (len(values) / 10)).sum())
    assert chi2 < 33.7, (  # the 99.99 % point with 9 degrees of freedom
        f"the draws do not follow the stated probabilities: chi2 = {chi2:.1f} on 9 degrees of freedom, "
        f"counts by tenth {counts.tolist()}."
    )
    for name, shift in (
        ("replicates", (1, 0, 0)),
        ("agents", (0, 1, 0)),
        ("steps", (0, 0, 1)),
    ):
        pairs = [
            (value, placed[other])
            for (run, agent, step, nth), value in placed.items()
            if (other := (run + shift[0], agent + shift[1], step + shift[2], nth)) in placed
        ]
        if len(pairs) < 30:
            continue
        r = float(np.corrcoef(np.array(pairs).T)[0, 1])
        assert abs(r) * np.sqrt(len(pairs)) < 3.9, (
            f"draws of different {name} are correlated: r = {r:.3f} over {len(pairs)} pairs."
        )
    return len(placed)


def _quantiles(seen: Mapping[Place, Seen], seed: int, any_number: bool) -> dict[Place, float]:
    """Where each first pick fell in its distribution, spread over the pick's own width."""
    ranges: dict[Place, tuple[float, float]] = {}
    for place, one in seen.items():
        options = [option for option, _ in one.distribution]
        chances = [chance for _, chance in one.distribution]
        if not chances or any(chance < 0 for chance in chances):
            continue  # a text, or amounts, or a sample: of no known distribution
        if (
            len(chances) == 1 or any_number
        ):  # judged on its own: yes takes the interval's first part
            chances, picked = [chances[0], 1 - chances[0]], 0 if options[0] in one.picks else 1
        else:
            chances.append(max(1 - sum(chances), 0.0))
            picked = options.index(one.picks[0]) if one.picks else len(options)
        assert not one.picks or chances[picked] > 0, (
            f"{told(place)} picked {one.picks[0]}, to which it gave probability 0: {one.distribution}"
        )
        if max(chances) > 0.999 or chances[picked] < 1e-6:
            continue
        ranges[place] = sum(chances[:picked]), chances[picked]
    if not ranges:
        return {}
    run, agent, step, nth = np.array(list(ranges)).T
    within = randomness.uniforms(randomness.keys(seed, run, "spread", step, agent, nth), 1)[:, 0]
    start, width = np.array(list(ranges.values())).T
    return dict(zip(ranges, (start + within * width).tolist(), strict=True))


def paired(
    before: Microspec,
    after: Microspec,
    models: Models = None,
    seed: int = SEED,
    same: bool = False,
) -> int:
    """Law 6: two specifications share their noise, so agents differ only where what reaches them does.

    Every decision that was shown the same and had the same distribution in both has the same picks.

    Args:
        before: the baseline.
        after: the same after an intervention.
        models: opened language models by name.
        seed: under which seed both are grown.
        same: whether the intervention is one that must change nothing at all of what agents do.

    Returns:
        How many decisions were shown the same in both, of which none differed.
    """
    one = seen_by(grown(before, seed=seed, replicates=(0, 3), models=models))
    two = seen_by(grown(after, seed=seed, replicates=(0, 3), models=models))
    alike = 0
    for place in one.keys() & two.keys():
        was, now = one[place], two[place]
        if (was.exposures, was.distribution) == (now.exposures, now.distribution):
            alike += 1
            assert (was.picks, was.amounts) == (now.picks, now.amounts), (
                f"not paired: {told(place)} was shown the same and had the same distribution, but "
                f"picked {was.picks} before the intervention and {now.picks} after it."
            )
    if same:
        changed = [
            place for place in sorted(one.keys() | two.keys()) if not _agree(one, two, place)
        ]
        assert not changed, (
            f"the intervention should change nothing, but {told(changed[0])} picked otherwise:\n"
            f"  {one.get(changed[0])}\n  {two.get(changed[0])}"
        )
    return alike


def swappable(spec: Microspec, other: Microspec, models: Models = None, seed: int = SEED) -> None:
    """Law 7: two populations whose deciders have the same distribution make the same picks.

    A rule, a fitted mechanism and a language model that do the same must lead to the same runs, to
    the probabilities' rounding.
    """
    one = seen_by(grown(spec, seed=seed, replicates=(0, 3), models=models))
    two = seen_by(grown(other, seed=seed, replicates=(0, 3), models=models))
    for place in sorted(one.keys() | two.keys()):
        assert _agree(one, two, place), (
            f"not swappable: {told(place)} picked otherwise once another decider of the same "
            f"distribution took its place:\n  {one.get(place)}\n  {two.get(place)}"
        )


def _agree(one: Mapping[Place, Seen], two: Mapping[Place, Seen], place: Place) -> bool:
    if place not in one or place not in two:
        return False
    was, now = one[place], two[place]
    return (was.picks, was.amounts, was.text) == (now.picks, now.amounts, now.text)
