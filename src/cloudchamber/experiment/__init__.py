"""Stage 3: grow. Which conditions, how often, and the growing of what is missing."""

from cloudchamber.experiment.design import Cell, Design, Factor, Setting, factorial
from cloudchamber.experiment.driver import Driver
from cloudchamber.experiment.estimate import CostEstimate
from cloudchamber.experiment.limits import Budget, Limits
from cloudchamber.experiment.manifest import Manifest
from cloudchamber.experiment.prices import Price
from cloudchamber.experiment.progress import Progress
from cloudchamber.experiment.results import Results

__all__ = [
    "Budget",
    "Cell",
    "CostEstimate",
    "Design",
    "Driver",
    "Factor",
    "Limits",
    "Manifest",
    "Price",
    "Progress",
    "Results",
    "Setting",
    "factorial",
]
