"""Worlds: what there is to see and do, one file each."""

from cloudchamber.worlds.feed import Feed

__all__ = ["Feed"]
