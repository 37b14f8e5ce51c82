"""Published findings to hold a run beside, each with where it was read.

A finding is only as good as its reading: `read` says whether it was read in the paper, its abstract or
somewhere else, and a report says so with it. Numbers remembered but not read are not here.
"""

from dataclasses import dataclass

__all__ = ["MUSICLAB", "READ", "Comparator"]

READ = {
    "paper": "read in the paper",
    "abstract": "read in its abstract",
    "elsewhere": "as another author reports it",
}
"""How a finding may have been come by."""


@dataclass(frozen=True)
class Comparator:
    """One published finding."""

    finding: str
    """What was found, with its numbers, as a sentence without its full stop."""
    source: str
    """The citation."""
    read: str
    """A key of `READ`."""

    def __post_init__(self) -> None:
        """Refuse a finding whose reading is not said."""
        if self.read not in READ:
            raise ValueError(f"{self.source}: read {self.read!r}; allowed: {', '.join(READ)}")

    def sentence(self) -> str:
        """The finding with its source and how it was come by."""
        return f"{self.finding} ({self.source}; {READ[self.read]})."


MUSICLAB = Comparator(
    "among 14,341 people who chose from 48 unknown songs, knowing others' choices made success both more "
    "unequal and less predictable, and more so the stronger the influence was",
    "Salganik, Dodds & Watts 2006, Science 311:854",
    "abstract",
)
"""The human comparator of the herding study."""
