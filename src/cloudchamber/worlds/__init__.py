"""Worlds: what there is to see and do, one file each."""

from cloudchamber.worlds.bertrand import Bertrand
from cloudchamber.worlds.cascade import Cascade
from cloudchamber.worlds.cournot import Cournot
from cloudchamber.worlds.diffusion import Diffusion, Drawn
from cloudchamber.worlds.dilemma import Dilemma
from cloudchamber.worlds.feed import Feed
from cloudchamber.worlds.minimal_naming import MinimalNamingGame
from cloudchamber.worlds.naming_game import NAMES_2, NAMES_10, NAMES_26, NamingGame
from cloudchamber.worlds.opinion import Opinion
from cloudchamber.worlds.public_goods import PublicGoods

__all__ = [
    "NAMES_2",
    "NAMES_10",
    "NAMES_26",
    "Bertrand",
    "Cascade",
    "Cournot",
    "Diffusion",
    "Dilemma",
    "Drawn",
    "Feed",
    "MinimalNamingGame",
    "NamingGame",
    "Opinion",
    "PublicGoods",
]
