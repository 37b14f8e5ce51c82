"""The engine: the only place where time passes. It knows of no language model, network, file or clock."""

from cloudchamber.engine.altering import Alter
from cloudchamber.engine.loop import Account, Onward, Runs, grow

__all__ = ["Account", "Alter", "Onward", "Runs", "grow"]
