"""How a store of answers is used; needs no database to say."""

from typing import Literal, get_args

from cloudchamber.errors import SpecificationError

__all__ = ["MODES", "Mode", "check_mode"]

Mode = Literal["read-write", "replay", "refresh", "off"]
"""read-write: ask what is not there, and keep it. replay: ask nothing; what is not there is an error.
refresh: ask again, and replace what is there. off: no store."""

MODES: tuple[Mode, ...] = get_args(Mode)


def check_mode(mode: str) -> None:
    """Refuse what is no mode.

    Raises:
        SpecificationError: it is none; lists them.
    """
    if mode not in MODES:
        raise SpecificationError(f"store_mode: {mode!r} was given; allowed: {', '.join(MODES)}.")
