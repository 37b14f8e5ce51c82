"""Published numbers to hold a run against, each with where it was read.

A number is only as good as its reading: `tag` says whether it was read in the paper, its abstract, somewhere
else, or is quoted from memory. A report prints the tag's sentence with the number.
"""

from dataclasses import dataclass

__all__ = ["MUSICLAB", "TAGS", "Comparator"]

TAGS = {
    "ABS": "read in the abstract",
    "2ND": "as another author reports it",
    "MEM": "from memory, not read in a source: verify before use",
}
"""What a tag says of how a number was come by."""


@dataclass(frozen=True)
class Comparator:
    """One published number, or the range in which it lies."""

    what: str
    """What was measured, under which condition."""
    low: float
    """The number, or the lower end of its range."""
    high: float
    """The same number again, or the upper end."""
    source: str
    """The citation."""
    tag: str
    """A key of `TAGS`."""

    def __post_init__(self) -> None:
        """Refuse a number whose reading is not said, and a range that is upside down."""
        if self.tag not in TAGS or self.low > self.high:
            raise ValueError(f"{self.what}: tag {self.tag!r}, range {self.low} to {self.high}")

    def sentence(self) -> str:
        """The number with its source and how it was come by."""
        number = f"{self.low:,g}" if self.low == self.high else f"{self.low:,g} to {self.high:,g}"
        return f"{self.what}: {number} ({self.source}; {TAGS[self.tag]})."


_SALGANIK = "Salganik, Dodds & Watts 2006, Science 311:854"

MUSICLAB: tuple[Comparator, ...] = tuple(
    Comparator(what, low, high, _SALGANIK, tag)
    for what, low, high, tag in (
        ("MusicLab, participants in all", 14_341, 14_341, "ABS"),
        ("MusicLab, songs", 48, 48, "ABS"),
        ("MusicLab, worlds with social influence in each experiment", 8, 8, "2ND"),
        ("MusicLab, participants in each influence world, about", 700, 700, "2ND"),
        ("MusicLab, Gini of market shares, independent choice, about", 0.20, 0.25, "MEM"),
        ("MusicLab, Gini with download counts in random order, about", 0.34, 0.34, "MEM"),
        ("MusicLab, Gini with songs sorted by downloads, about", 0.50, 0.50, "MEM"),
    )
)
"""The human comparator of the herding study: 48 songs, independent and influence worlds."""
