"""Stage 4: intervene, on the agents or on the architecture: functions of the specification."""

from cloudchamber.intervention.intervention import Intervention
from cloudchamber.intervention.markets import at_joint_optimum, at_nash
from cloudchamber.intervention.on_agents import instruct, let_decide, mix_in, uncommit
from cloudchamber.intervention.on_architecture import (
    bucket,
    deal,
    delay,
    hide,
    isolate,
    limit,
    one_at_a_time,
    pin,
    shuffle_for_each_reader,
)
from cloudchamber.intervention.perturbations import DIMENSIONS, Battery, Perturbation, battery

__all__ = [
    "DIMENSIONS",
    "Battery",
    "Intervention",
    "Perturbation",
    "at_joint_optimum",
    "at_nash",
    "battery",
    "bucket",
    "deal",
    "delay",
    "hide",
    "instruct",
    "isolate",
    "let_decide",
    "limit",
    "mix_in",
    "one_at_a_time",
    "pin",
    "shuffle_for_each_reader",
    "uncommit",
]
