"""Counterfactuals: the same runs under one noise, had a channel, an exposure or a decision been other."""

from cloudchamber.counterfactual.asking_again import WhatIf, what_if
from cloudchamber.counterfactual.cascades import Influence
from cloudchamber.counterfactual.changes import (
    Absent,
    Moved,
    Raised,
    Shown,
    Unheard,
    Without,
    together,
)
from cloudchamber.counterfactual.channels import channels_of
from cloudchamber.counterfactual.cones import Cone, cone
from cloudchamber.counterfactual.coupled import Coupled
from cloudchamber.counterfactual.crossing import cross, cut, mediate, taken_apart, worlds_of
from cloudchamber.counterfactual.mediation import Crossing, Cuts, Mediation
from cloudchamber.counterfactual.moving import influence
from cloudchamber.counterfactual.past import PastRuns

__all__ = [
    "Absent",
    "Cone",
    "Coupled",
    "Crossing",
    "Cuts",
    "Influence",
    "Mediation",
    "Moved",
    "PastRuns",
    "Raised",
    "Shown",
    "Unheard",
    "WhatIf",
    "Without",
    "channels_of",
    "cone",
    "cross",
    "cut",
    "influence",
    "mediate",
    "taken_apart",
    "together",
    "what_if",
    "worlds_of",
]
