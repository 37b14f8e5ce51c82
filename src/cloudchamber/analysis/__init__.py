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
from cloudchamber.analysis.knocking_out import KnockOut, knock_out, taken_away
from cloudchamber.analysis.power import runs_for
from cloudchamber.analysis.screening import screen
from cloudchamber.analysis.sensitivity import sobol_indices
from cloudchamber.analysis.sufficiency import sufficient_conditions
from cloudchamber.analysis.surrogate import surrogate_indices
from cloudchamber.analysis.thresholds import Threshold, seek, threshold

# `effects`, `power` and `parting` are modules here; the functions of these names are theirs.
__all__ = [
    "Estimate",
    "KnockOut",
    "Threshold",
    "adjust",
    "adjusted",
    "bootstrap",
    "cliffs_delta",
    "cluster_curve",
    "cohens_dz",
    "difference",
    "hedges_g",
    "knock_out",
    "mean",
    "permutation_p",
    "proportion",
    "ratio",
    "runs_for",
    "screen",
    "seek",
    "sobol_indices",
    "sufficient_conditions",
    "superiority",
    "surrogate_indices",
    "taken_away",
    "threshold",
    "tost",
    "verdict",
]
