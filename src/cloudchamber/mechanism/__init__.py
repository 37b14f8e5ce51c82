"""Mechanisms: explicit choice rules that are fitted to a trace, compared, and act in the agents' place."""

from cloudchamber.mechanism.choice_data import ChoiceData
from cloudchamber.mechanism.comparing import Comparison, NestedTest, compare, nested
from cloudchamber.mechanism.content_terms import ContentEffect, ItemEffects, LabelEffects
from cloudchamber.mechanism.fitting import Fit, fit
from cloudchamber.mechanism.growing import decided_by, grown_by
from cloudchamber.mechanism.matching import Match, Sufficiency
from cloudchamber.mechanism.mechanisms import ConsiderThenChoose, Logit, Mechanism
from cloudchamber.mechanism.place_terms import FallOff, Gate, PlaceEffects
from cloudchamber.mechanism.plausible import plausible
from cloudchamber.mechanism.reading import choices_of
from cloudchamber.mechanism.regrowing import Regrowth, regrow
from cloudchamber.mechanism.social_terms import HeardEffect, Signal

__all__ = [
    "ChoiceData",
    "Comparison",
    "ConsiderThenChoose",
    "ContentEffect",
    "FallOff",
    "Fit",
    "Gate",
    "HeardEffect",
    "ItemEffects",
    "LabelEffects",
    "Logit",
    "Match",
    "Mechanism",
    "NestedTest",
    "PlaceEffects",
    "Regrowth",
    "Signal",
    "Sufficiency",
    "choices_of",
    "compare",
    "decided_by",
    "fit",
    "grown_by",
    "nested",
    "plausible",
    "regrow",
]
