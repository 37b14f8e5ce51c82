"""What traces and their measures say, with its uncertainty; the run is the unit."""

from cloudchamber.analysis.adjustment import adjust, adjusted
from cloudchamber.analysis.effect_sizes import cliffs_delta, cohens_dz, hedges_g, superiority
from cloudchamber.analysis.effects import (
    Estimate,
    bootstrap,
    cluster_curve,
    difference,
    mean,
    permutation_p,
    proportion,
    ratio,
    verdict,
)
from cloudchamber.analysis.equivalence import tost
from cloudchamber.analysis.power import runs_for

# `effects`, `power` and `parting` are modules here; the functions of these names are theirs.
__all__ = [
    "Estimate",
    "adjust",
    "adjusted",
    "bootstrap",
    "cliffs_delta",
    "cluster_curve",
    "cohens_dz",
    "difference",
    "hedges_g",
    "mean",
    "permutation_p",
    "proportion",
    "ratio",
    "runs_for",
    "superiority",
    "tost",
    "verdict",
]
