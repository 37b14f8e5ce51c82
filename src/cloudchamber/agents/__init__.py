"""Whoever answers: rules, language models, records of earlier answers."""

from cloudchamber.agents.inference import Bayesian, OwnSign, Quantal
from cloudchamber.agents.llm import LanguageModel
from cloudchamber.agents.market_rules import BestPrice, BestQuantity, Constant
from cloudchamber.agents.recorded import Recorded
from cloudchamber.agents.remembering import LookUp, MajorityOfMemory
from cloudchamber.agents.rules import (
    Always,
    PositionOnly,
    Quality,
    Random,
    Rule,
    SocialProof,
    TwoStage,
)
from cloudchamber.agents.society import Society, decide

__all__ = [
    "Always",
    "Bayesian",
    "BestPrice",
    "BestQuantity",
    "Constant",
    "LanguageModel",
    "LookUp",
    "MajorityOfMemory",
    "OwnSign",
    "PositionOnly",
    "Quality",
    "Quantal",
    "Random",
    "Recorded",
    "Rule",
    "SocialProof",
    "Society",
    "TwoStage",
    "decide",
]
