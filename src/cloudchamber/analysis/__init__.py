"""What traces and their measures say, with its uncertainty; the run is the unit."""

from cloudchamber.analysis.effects import (
    Estimate,
    adjust,
    adjusted,
    bootstrap,
    cliffs_delta,
    cluster_curve,
    cohens_dz,
    difference,
    hedges_g,
    mean,
    permutation_p,
    proportion,
    ratio,
    runs_for,
    superiority,
    tost,
    verdict,
)
from cloudchamber.analysis.sensitivity import screen, sobol_indices, surrogate_indices
from cloudchamber.analysis.sufficiency import KnockOut, knock_out, sufficient_conditions, taken_away
from cloudchamber.analysis.thresholds import Threshold, seek, threshold

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
