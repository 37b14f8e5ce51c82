"""Differences between cells, with intervals and exact tests; the run is the unit."""

from cloudchamber.analysis.effects.adjustment import adjust, adjusted
from cloudchamber.analysis.effects.effect_sizes import (
    cliffs_delta,
    cohens_dz,
    hedges_g,
    superiority,
)
from cloudchamber.analysis.effects.equivalence import tost
from cloudchamber.analysis.effects.estimates import (
    Estimate,
    Verdict,
    bootstrap,
    cluster_curve,
    difference,
    effects,
    mean,
    permutation_p,
    proportion,
    ratio,
    sentence,
    verdict,
)
from cloudchamber.analysis.effects.power import runs_for

__all__ = [
    "Estimate",
    "Verdict",
    "adjust",
    "adjusted",
    "bootstrap",
    "cliffs_delta",
    "cluster_curve",
    "cohens_dz",
    "difference",
    "effects",
    "hedges_g",
    "mean",
    "permutation_p",
    "proportion",
    "ratio",
    "runs_for",
    "sentence",
    "superiority",
    "tost",
    "verdict",
]
