"""The account of a study, from stored results only: one page that works offline.

``write`` makes the account of a study and saves it. ``document`` says what an account consists of,
``figures`` draws tidy frames, ``page`` makes the page, ``cards`` a few lines for a terminal or a notebook.
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
    "write",
]

from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from cloudchamber.report.account import write


def __getattr__(name: str) -> Any:
    if name != "write":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from cloudchamber.report import account  # a study's account may build blocks without it

    return account.write
