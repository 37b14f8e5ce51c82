"""Mechanisms: explicit choice rules that are fitted to a trace, compared, and act in the agents' place."""

from cloudchamber.mechanism.best_answers import best_answers, fit_best_quantity
from cloudchamber.mechanism.between_runs import between_runs, run_by_run
from cloudchamber.mechanism.by_context import By
from cloudchamber.mechanism.choice_data import ChoiceData
from cloudchamber.mechanism.comparing import Comparison, NestedTest, compare, nested
from cloudchamber.mechanism.content_terms import ContentEffect, ItemEffects, LabelEffects, Readiness
from cloudchamber.mechanism.fitting import Fit, fit
from cloudchamber.mechanism.growing import decided_by, grown_by
from cloudchamber.mechanism.intervals import bootstrap, profile
from cloudchamber.mechanism.matching import Match, Sufficiency
from cloudchamber.mechanism.mechanisms import ConsiderThenChoose, Logit, Mechanism
from cloudchamber.mechanism.memory_terms import MemoryTable, Reinforcement
from cloudchamber.mechanism.place_terms import FallOff, Gate, PlaceEffects
from cloudchamber.mechanism.plausible import plausible
from cloudchamber.mechanism.predicting import Prediction, Predictions, predict
from cloudchamber.mechanism.reading import choices_of
from cloudchamber.mechanism.regrowing import Regrowth, regrow
from cloudchamber.mechanism.scaling import AtScale, at_scale
from cloudchamber.mechanism.social_terms import HeardEffect, Majority, Signal
from cloudchamber.mechanism.telling_apart import TellingApart, designs_of, tell_apart

__all__ = [
    "AtScale",
    "By",
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
    "Majority",
    "Match",
    "Mechanism",
    "MemoryTable",
    "NestedTest",
    "PlaceEffects",
    "Prediction",
    "Predictions",
    "Readiness",
    "Regrowth",
    "Reinforcement",
    "Signal",
    "Sufficiency",
    "TellingApart",
    "at_scale",
    "best_answers",
    "between_runs",
    "bootstrap",
    "choices_of",
    "compare",
    "decided_by",
    "designs_of",
    "fit",
    "fit_best_quantity",
    "grown_by",
    "nested",
    "plausible",
    "predict",
    "profile",
    "regrow",
    "run_by_run",
    "tell_apart",
]
