"""Published findings to hold a run beside, each with where it was read.

A finding is only as good as its reading: `read` says whether it was read in the paper, its abstract or
somewhere else, and a report says so with it. Numbers remembered but not read are not here.
"""

from dataclasses import dataclass

__all__ = ["COMMITTED", "CONVENTIONS", "MUSICLAB", "READ", "Comparator"]

READ = {
    "paper": "read in the paper",
    "abstract": "read in its abstract",
    "elsewhere": "as another author reports it",
    "data": "counted again in its published data",
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

_ASHERY = "Ashery, Aiello & Baronchelli 2025, Science Advances 11:eadu9368"
CONVENTIONS = (
    Comparator(
        "40 of 40 populations of 24 Llama-3-70B agents that remember five meetings, with the names Q and M, "
        "agreed on M, after 281 meetings on average (132 to 758); alone the model said M in 48.7 % of 5,000 "
        "answers",
        _ASHERY,
        "data",
    ),
    Comparator(
        "so did 40 of 40 populations of Llama-3.1-70B, after 318 meetings (93 to 1,197); alone it said M in "
        "50.8 % of 10,000 answers",
        _ASHERY,
        "data",
    ),
    Comparator(
        "with ten names 40 populations of Llama-3-70B agreed on ten different ones, after 278 meetings on "
        "average",
        _ASHERY,
        "data",
    ),
)
"""Naming games of language models."""
COMMITTED = (
    Comparator(
        "of ten populations of 24 Llama-3.1-70B agents that were used to M, with 1, 2, 4 and 8 agents "
        "committed to Q, 0, 1, 8 and 10 said mostly Q within 800 meetings; used to Q, all ten went over to M "
        "with a single one committed to it",
        _ASHERY,
        "data",
    ),
)
"""Minorities that overturn a convention."""
