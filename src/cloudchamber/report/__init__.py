"""The account of a study, from stored results only: one page that works offline.

``document`` says what an account consists of, ``figures`` draws tidy frames, ``page`` makes the
page, ``cards`` a few lines for a terminal or a notebook.
"""

__all__ = [
    "Check",
    "Code",
    "Document",
    "Figure",
    "Prose",
    "Reading",
    "Section",
    "Supplement",
    "Table",
    "Verdict",
]

from cloudchamber.report.document import (
    Check,
    Code,
    Document,
    Figure,
    Prose,
    Reading,
    Section,
    Supplement,
    Table,
    Verdict,
)
