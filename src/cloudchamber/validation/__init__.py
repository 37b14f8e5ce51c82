"""Stage 5: is it what it is taken for? Field data, comparison with it, and what may be concluded."""

from cloudchamber.validation.adequacy import (
    Contrast,
    Criterion,
    Rival,
    Verdict,
    descriptive,
    explanatory,
    observational,
)
from cloudchamber.validation.comparison import Comparison, SideBySide, compare, side_by_side
from cloudchamber.validation.field import FieldPopularity, read_popularity
from cloudchamber.validation.permutation import Distance, energy_test
from cloudchamber.validation.published import MUSICLAB, Comparator

__all__ = [
    "MUSICLAB",
    "Comparator",
    "Comparison",
    "Contrast",
    "Criterion",
    "Distance",
    "FieldPopularity",
    "Rival",
    "SideBySide",
    "Verdict",
    "compare",
    "descriptive",
    "energy_test",
    "explanatory",
    "observational",
    "read_popularity",
    "side_by_side",
]
