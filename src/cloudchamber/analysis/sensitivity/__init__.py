"""Which factors' variation the outcome's variation comes from."""

from cloudchamber.analysis.sensitivity.screening import Screening, screen
from cloudchamber.analysis.sensitivity.surrogate import surrogate_indices
from cloudchamber.analysis.sensitivity.variance import Indices, sobol_indices

__all__ = ["Indices", "Screening", "screen", "sobol_indices", "surrogate_indices"]
