"""Stage 3: grow. Which conditions, how often, and the growing of what is missing."""

from cloudchamber.experiment.design import (
    Axis,
    Cell,
    Design,
    Factor,
    Range,
    Setting,
    factorial,
)
from cloudchamber.experiment.driver import Driver
from cloudchamber.experiment.evolving import evolve
from cloudchamber.experiment.expected import CostEstimate
from cloudchamber.experiment.fraction import Fraction, fractional
from cloudchamber.experiment.limits import Budget, Limits
from cloudchamber.experiment.manifest import Manifest
from cloudchamber.experiment.prices import Price
from cloudchamber.experiment.probing import Paths, Rows, morris_paths, saltelli_rows
from cloudchamber.experiment.progress import Progress
from cloudchamber.experiment.results import Results
from cloudchamber.experiment.sampling import (
    Sample,
    latin_hypercube,
    one_factor_at_a_time,
    sample_at,
    sobol_sequence,
)

__all__ = [
    "Axis",
    "Budget",
    "Cell",
    "CostEstimate",
    "Design",
    "Driver",
    "Factor",
    "Fraction",
    "Limits",
    "Manifest",
    "Paths",
    "Price",
    "Progress",
    "Range",
    "Results",
    "Rows",
    "Sample",
    "Setting",
    "evolve",
    "factorial",
    "fractional",
    "latin_hypercube",
    "morris_paths",
    "one_factor_at_a_time",
    "saltelli_rows",
    "sample_at",
    "sobol_sequence",
]
