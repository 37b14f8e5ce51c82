"""What an account of a study consists of: sections of blocks, as frozen values.

Knows nothing of any study, of HTML or of files: whoever writes an account builds these values,
``page`` turns them into a page and ``cards`` into a few lines for a terminal. Every text may hold
what an agent wrote, and is treated as hostile: two marks have a meaning (``**bold**`` and
`` `code` ``), everything else is shown as it stands.
"""

__all__ = [
    "ANSWERS",
    "STAGES",
    "STATES",
    "Answer",
    "Block",
    "Check",
    "Code",
    "Document",
    "Figure",
    "Prose",
    "Reading",
    "Section",
    "State",
    "Supplement",
    "Table",
    "Verdict",
]

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from cloudchamber.errors import SpecificationError, nearest

if TYPE_CHECKING:
    import pandas as pd

Answer = Literal["met", "not met", "undecided", "no evidence"]
State = Literal["fine", "warning", "bad"]

ANSWERS: tuple[str, ...] = get_args(Answer)
STATES: tuple[str, ...] = get_args(State)
STAGES = ("Identify", "Microspecify", "Grow", "Intervene", "Validate")

_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Prose:
    """Paragraphs of plain text, parted by blank lines; ``**bold**`` and `` `code` `` are marks."""

    text: str


@dataclass(frozen=True)
class Reading:
    """Text to be read aloud, such as a specification in sentences; set apart from the account."""

    text: str
    title: str = ""


@dataclass(frozen=True)
class Code:
    """Text shown letter by letter: a prompt, a command, a file; with a button that copies it."""

    text: str
    caption: str = ""


@dataclass(frozen=True)
class Check:
    """A question that a sceptic would ask first, and its answer with numbers."""

    question: str
    answer: str
    state: State

    def __post_init__(self) -> None:
        _one_of("Check.state", self.state, STATES)


@dataclass(frozen=True)
class Verdict:
    """What the evidence says of one claim, why, and what would overturn it."""

    name: str
    answer: Answer
    because: tuple[str, ...]
    overturn: str = ""

    def __post_init__(self) -> None:
        _one_of("Verdict.answer", self.answer, ANSWERS)
        _no_bare_text("Verdict.because", self.because)


@dataclass(frozen=True, eq=False)
class Figure:
    """One figure: a Vega-Lite specification and, apart from it, its data.

    Attributes:
        id: anchor in the page and name of downloaded files; a letter, then letters, digits, - or _.
        title: what is to be seen, as a sentence without its full stop.
        caption: how to read it; units, number of runs, what the intervals are.
        spec: Vega-Lite without ``data``; empty where there is too little to draw.
        data: a row a mark, in columns that ``spec`` names; rides in the page, downloads as CSV.
        alt: the same in words, for those who do not see it.
        least: fewer rows than this and the page says so in the figure's place.
    """

    id: str
    title: str
    caption: str
    spec: Mapping[str, Any]
    data: "pd.DataFrame"
    alt: str = ""
    least: int = 1

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise SpecificationError(
                f"Figure.id is {self.id!r}; allowed: a letter, then letters, digits, '-' or '_', "
                "64 in all. Choose a short name such as 'gini-over-time'."
            )
        if "data" in self.spec:
            raise SpecificationError(
                f"Figure {self.id!r}: spec has a 'data' of its own; allowed: none. "
                "Give the rows as Figure.data."
            )


@dataclass(frozen=True, eq=False)
class Table:
    """A table of numbers or words; the index is not shown. All rows download as CSV."""

    title: str
    frame: "pd.DataFrame"
    caption: str = ""


Block = Prose | Reading | Code | Check | Verdict | Figure | Table


@dataclass(frozen=True)
class Section:
    """A part of the account; ``stage`` is 1 to 5 (Identify ... Validate), or None."""

    title: str
    stage: int | None
    lead: str
    blocks: tuple[Block, ...]

    def __post_init__(self) -> None:
        if self.stage is not None and self.stage not in range(1, len(STAGES) + 1):
            raise SpecificationError(
                f"Section.stage is {self.stage!r}; allowed: 1 to {len(STAGES)}, or None."
            )
        object.__setattr__(self, "blocks", tuple(self.blocks))
        for block in self.blocks:
            if not isinstance(block, Block):
                raise SpecificationError(
                    f"Section {self.title!r} has a block of type {type(block).__name__}; allowed: "
                    "Prose, Reading, Code, Check, Verdict, Figure, Table."
                )


@dataclass(frozen=True)
class Supplement:
    """What a study's report says beyond any study's."""

    answer: tuple[str, ...] = ()
    """Sentences for the summary, with their numbers."""
    checks: tuple[Check, ...] = ()
    """Further questions that a sceptic would ask of this study."""
    blocks: Mapping[int, tuple[Block, ...]] = field(default_factory=dict)
    """Further blocks by stage, 1 to 5."""
    tables: "Mapping[str, pd.DataFrame]" = field(default_factory=dict)
    """What all this rests on, by a name; kept with the other tables."""
    instead: bool = False
    """Whether the sentences stand in the place of those on factors and interventions, not after them."""

    def __post_init__(self) -> None:
        _no_bare_text("Supplement.answer", self.answer)


@dataclass(frozen=True)
class Document:
    """The account of one study.

    Attributes:
        title: the study's name, as a headline.
        question: what was asked, in one sentence.
        answer: what was found, sentence by sentence with its numbers.
        facts: key numbers as (what it counts, the number as text), shown as a strip.
        sections: the account, in order.
        rerun: the command that makes all this again.
        notes: limits of the study and whatever else must be said, a sentence or two each.
        provenance: versions, hashes, seeds as (what, value); the page's footer.
        unfinished: what is missing, in a sentence; "" where the study is complete.
        date: shown as given; "" for none (the page itself never looks at a clock).
    """

    title: str
    question: str
    answer: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    rerun: str
    notes: tuple[str, ...] = ()
    provenance: tuple[tuple[str, str], ...] = ()
    unfinished: str = ""
    date: str = ""

    def __post_init__(self) -> None:
        _no_bare_text("Document.answer", self.answer)
        _no_bare_text("Document.notes", self.notes)
        ids = [figure.id for figure in self.figures]
        for repeated in sorted({name for name in ids if ids.count(name) > 1}):
            raise SpecificationError(
                f"Two figures are called {repeated!r}; allowed: each id once in a document."
            )

    def _repr_markdown_(self) -> str:
        """In a notebook: the answer, the verdicts and the checks."""
        from cloudchamber.report.cards import markdown  # it is made of documents

        return markdown(self)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks, in order."""
        return tuple(block for section in self.sections for block in section.blocks)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures, in order."""
        return tuple(block for block in self.blocks if isinstance(block, Figure))

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """All verdicts, in order."""
        return tuple(block for block in self.blocks if isinstance(block, Verdict))

    @property
    def checks(self) -> tuple[Check, ...]:
        """All of a sceptic's checks, in order."""
        return tuple(block for block in self.blocks if isinstance(block, Check))


def _one_of(field: str, given: str, allowed: tuple[str, ...]) -> None:
    if given not in allowed:
        raise SpecificationError(f"{field} is {given!r}; {nearest(str(given), allowed)}")


def _no_bare_text(field: str, given: object) -> None:
    """A text given for a tuple of texts would be shown letter by letter."""
    if isinstance(given, str):
        raise SpecificationError(f"{field} is one text; allowed: a tuple of texts. Write (text,).")
