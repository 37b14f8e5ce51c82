"""Whoever answers: rules, language models, records of earlier answers."""

from cloudchamber.agents.adopters import Contagion, Threshold
from cloudchamber.agents.axelrod_player import AxelrodPlayer
from cloudchamber.agents.contributors import (
    BackwardInduction,
    ConditionalCooperator,
    Contributor,
    FreeRider,
)
from cloudchamber.agents.inference import Bayesian, OwnSign, Quantal
from cloudchamber.agents.llm import LanguageModel
from cloudchamber.agents.majority import MajorityForce
from cloudchamber.agents.market_rules import BestPrice, BestQuantity, Constant
from cloudchamber.agents.players import (
    Grim,
    MemoryOne,
    RandomPlayer,
    SuspiciousTitForTat,
    TitForTat,
    WinStayLoseShift,
)
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
from cloudchamber.agents.writer import Writer

__all__ = [
    "Always",
    "AxelrodPlayer",
    "BackwardInduction",
    "Bayesian",
    "BestPrice",
    "BestQuantity",
    "ConditionalCooperator",
    "Constant",
    "Contagion",
    "Contributor",
    "FreeRider",
    "Grim",
    "LanguageModel",
    "LookUp",
    "MajorityForce",
    "MajorityOfMemory",
    "MemoryOne",
    "OwnSign",
    "PositionOnly",
    "Quality",
    "Quantal",
    "Random",
    "RandomPlayer",
    "Recorded",
    "Rule",
    "SocialProof",
    "Society",
    "SuspiciousTitForTat",
    "Threshold",
    "TitForTat",
    "TwoStage",
    "WinStayLoseShift",
    "Writer",
    "decide",
]
