"""What traces and their measures say, with its uncertainty; the run is the unit."""

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

__all__ = [
    "Estimate",
    "bootstrap",
    "cluster_curve",
    "difference",
    "mean",
    "permutation_p",
    "proportion",
    "ratio",
    "verdict",
]
