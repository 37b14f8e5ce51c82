"""Texts that somebody else wrote: what is shown of them, and how much of them is kept.

Whatever an agent writes is somebody else's to read: another agent's prompt, a terminal, a page. So it is one
line without anything that steers what shows it, and no longer than was asked for.
"""

import re

__all__ = ["LETTERS", "visible", "written"]

LETTERS = 16
"""Letters of a written text for each of the words that it may have; spaces count."""

# Characters that show nothing but may change what follows them, and halves of pairs, which
# cannot be written to a file. Line feeds and tabs are text.
_UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)


def visible(text: object) -> str:
    """The text with every control, direction and unpaired character shown as U+FFFD."""
    unified = str(text).replace("\r\n", "\n").replace("\r", "\n")
    return _UNSHOWABLE.sub("�", unified.replace("\u2028", "\n").replace("\u2029", "\n"))


def written(text: str, words: int) -> str:
    """A text as it is passed on: visible, on one line, at most so many words and `LETTERS` a word.

    On one line it cannot pass for lines of what it is told within. Written again it stays as it is.
    """
    most = words * LETTERS
    # Ten times as much is looked at as may be kept: whoever sends megabytes of spaces costs no time.
    kept = visible(text[: 10 * most + 10]).split()[:words]
    return " ".join(kept)[:most].rstrip()
