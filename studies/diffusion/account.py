"""What the diffusion study's report says beyond any study's: reach over the spread of thresholds."""

from typing import TYPE_CHECKING

from cloudchamber.analysis import mean
from cloudchamber.report import Supplement
from cloudchamber.report.evidence import brief
from cloudchamber.report.figures import Axis, curve
from cloudchamber.validation.closed_forms import threshold_share

if TYPE_CHECKING:
    from cloudchamber import Results, Study

THEORY = "many who see all, in theory"
STEPS = 60
"""Points of the theory's line."""


def supplement(study: "Study", results: "Results") -> Supplement:
    """A sentence and a figure."""
    found = _reach(study, results)
    told = tuple(_beside_theory(study, found))
    return Supplement(told, (), {3: tuple(_over_spread(study, found))})


def _reach(study: "Study", results: "Results"):
    """(cell, spread, reach) of the combinations that have runs."""
    reach = study.phenomenon.measure(results.trace)
    found = []
    for cell in study.combinations():
        mine = reach[reach.index.isin(results.ids(cell))]
        if len(mine):
            found.append((cell, cell.spec.world.thresholds.sd, mean(mine).within(0, 1)))
    return found


def _has_theory(study: "Study") -> bool:
    """Whether agents go by their thresholds for a share, and nobody begins: what the theory is of."""
    world, people = study.microspec.world, study.microspec.population
    by_threshold = all(group.decides.kind == "threshold" for group in people.groups)
    return by_threshold and world.of == "share" and not world.seeds


def _beside_theory(study: "Study", found):
    world = study.microspec.world
    if not _has_theory(study):
        return
    told = [
        f"{brief(reach)} at {sd:g} (in theory {threshold_share(world.thresholds.mean, sd):.3f})"
        for cell, sd, reach in found
        if cell.spec.communication.everyone
    ]
    yield (
        f"**Beside theory**: where all see all the reach is {', '.join(told)}. In theory, of many: where "
        "the distribution of thresholds first crosses the diagonal (Granovetter 1978); it jumps between "
        "spreads of 0.122 and 0.123."
    )


def _over_spread(study: "Study", found):
    """Reach by the spread of thresholds, for each way of seeing others."""
    import pandas as pd

    world = study.microspec.world
    rows = [
        {
            "spread": sd,
            "value": reach.value,
            "low": reach.low,
            "high": reach.high,
            "sight": cell.levels["sight"],
        }
        for cell, sd, reach in found
    ]
    if len(rows) < 2:
        return
    low, high = min(row["spread"] for row in rows), max(row["spread"] for row in rows)
    if _has_theory(study):
        fine = [low + (high - low) * step / STEPS for step in range(STEPS + 1)]
        mean_at = world.thresholds.mean
        rows += [
            {"spread": sd, "value": threshold_share(mean_at, sd), "sight": THEORY} for sd in fine
        ]
    yield curve(
        pd.DataFrame(rows),
        id="spread",
        title="How far it goes, by how thresholds are spread",
        caption=(
            "Share of agents reached, by the standard deviation of thresholds (mean "
            f"{world.thresholds.mean:g}, as a share of those seen); mean over runs with 95 % interval."
            + (" The theory is of many agents who see all." if _has_theory(study) else "")
        ),
        x=Axis("spread", "standard deviation of thresholds"),
        y=Axis("value", "share reached", zero=True),
        low="low",
        high="high",
        series="sight",
        points=True,
    )
