"""Stage 2: the microspecification, a population and an interaction architecture as one value."""

from cloudchamber.microspec.affordances import Affordances
from cloudchamber.microspec.communication import (
    BarabasiAlbert,
    Communication,
    Complete,
    Edges,
    ErdosRenyi,
    RandomPairs,
    Ring,
    Star,
    WattsStrogatz,
)
from cloudchamber.microspec.memory import Memory, NoMemory, Retrieval, Summary, Window
from cloudchamber.microspec.microspec import Change, Microspec, diff
from cloudchamber.microspec.population import Decider, Group, Population
from cloudchamber.microspec.turns import Asynchronous, Sequential, Simultaneous, Turns
from cloudchamber.microspec.visibility import (
    Binary,
    Bucketed,
    Chronological,
    Display,
    Engineered,
    Exact,
    Fixed,
    Hidden,
    Noisy,
    Order,
    Popularity,
    Seeded,
    Shuffled,
    Visibility,
)
from cloudchamber.microspec.world import World

__all__ = [
    "Affordances",
    "Asynchronous",
    "BarabasiAlbert",
    "Binary",
    "Bucketed",
    "Change",
    "Chronological",
    "Communication",
    "Complete",
    "Decider",
    "Display",
    "Edges",
    "Engineered",
    "ErdosRenyi",
    "Exact",
    "Fixed",
    "Group",
    "Hidden",
    "Memory",
    "Microspec",
    "NoMemory",
    "Noisy",
    "Order",
    "Popularity",
    "Population",
    "RandomPairs",
    "Retrieval",
    "Ring",
    "Seeded",
    "Sequential",
    "Shuffled",
    "Simultaneous",
    "Star",
    "Summary",
    "Turns",
    "Visibility",
    "WattsStrogatz",
    "Window",
    "World",
    "diff",
]
