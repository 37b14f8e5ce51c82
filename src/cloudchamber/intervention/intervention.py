"""An intervention: a named function from microspecification to microspecification."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from cloudchamber.microspec import Microspec

__all__ = ["Intervention"]


@dataclass(frozen=True, slots=True)
class Intervention:
    """What is changed, and on which side: the agents or the architecture."""

    name: str
    on: Literal["agents", "architecture"]
    change: Callable[[Microspec], Microspec]
    why: str = ""
    """One sentence: what it is hoped to do."""

    def __call__(self, spec: Microspec) -> Microspec:
        """The specification after the intervention."""
        return self.change(spec)
