"""Stage 3: grow. Which conditions, how often, and the growing of what is missing."""

from cloudchamber.experiment.design import Cell, Design, Factor, Setting, factorial
from cloudchamber.experiment.driver import Driver, Progress
from cloudchamber.experiment.manifest import Manifest
from cloudchamber.experiment.results import Results

__all__ = [
    "Cell",
    "Design",
    "Driver",
    "Factor",
    "Manifest",
    "Progress",
    "Results",
    "Setting",
    "factorial",
]
