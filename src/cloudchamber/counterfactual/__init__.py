"""Counterfactuals: the same runs under one noise, had a channel, an exposure or a decision been other."""

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
from cloudchamber.counterfactual.cone import Cone, cone
from cloudchamber.counterfactual.coupled import Coupled
from cloudchamber.counterfactual.crossing import cross, cut, mediate
from cloudchamber.counterfactual.mediation import Crossing, Cuts, Mediation
from cloudchamber.counterfactual.past import PastRuns
from cloudchamber.counterfactual.what_if import WhatIf, what_if

__all__ = [
    "Absent",
    "Cone",
    "Coupled",
    "Crossing",
    "Cuts",
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
    "mediate",
    "together",
    "what_if",
]
