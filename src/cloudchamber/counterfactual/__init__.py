"""Counterfactuals: the same runs under one noise, had a channel, an exposure or a decision been other."""

from cloudchamber.counterfactual.channels import channels_of
from cloudchamber.counterfactual.coupled import Coupled
from cloudchamber.counterfactual.crossing import cross, cut, mediate
from cloudchamber.counterfactual.mediation import Crossing, Cuts, Mediation

__all__ = [
    "Coupled",
    "Crossing",
    "Cuts",
    "Mediation",
    "channels_of",
    "cross",
    "cut",
    "mediate",
]
