"""What a sampled text says: which of the allowed answers, or that the model declines.

Repair is bounded on purpose: a text that could mean two answers means none.
"""

import re
from collections.abc import Sequence
from typing import TypedDict

__all__ = ["declines", "parse_choice", "read_text"]

_DRESSING = " \t\r\n\"'`*_.,:;!()[]{}<>#“”‘’"
_LOOKED_AT = 500  # characters of an answer; a label that comes later is not an answer
_DECLINES = re.compile(
    r"\s*(i('m| am) (sorry|unable)|sorry,|i (cannot|can't|can not|won't|will not|must decline)"
    r"|as an ai\b|i('m| am) not able)",
    re.IGNORECASE,
)


def parse_choice(text: str, options: Sequence[str]) -> int:
    """The option that a text names; -1 if none, or more than one.

    First the whole text stripped of quotes, marks and full stops, then the one label that occurs in it
    as a word, in either case regardless of capitals unless that makes two labels equal.
    """
    if text in options:
        return options.index(text)
    text = text.replace("’", "'")[:_LOOKED_AT]
    plain = text.strip(_DRESSING)
    labels = [label.strip(_DRESSING) or label for label in options]
    if len({label.casefold() for label in labels}) == len(labels):
        plain, text = plain.casefold(), text.casefold()
        labels = [label.casefold() for label in labels]
    if plain in labels:
        return labels.index(plain)
    # Longest first, so that "news" inside "local news" is not counted as a second answer.
    order = sorted(range(len(labels)), key=lambda i: -len(labels[i]))
    pattern = "|".join(re.escape(labels[i]) for i in order)
    named = (
        {m.group() for m in re.finditer(rf"(?<!\w)(?:{pattern})(?!\w)", text)} if labels else set()
    )
    return labels.index(named.pop()) if len(named) == 1 else -1


def declines(text: str) -> bool:
    """Whether a text begins as refusals do."""
    return _DECLINES.match(text.replace("’", "'")) is not None


class Read(TypedDict):
    """The fields of a reply that a text decides."""

    text: str
    choice: int
    status: str
    reason: str


def read_text(text: str, options: Sequence[str]) -> Read:
    """What a sampled text amounts to; free text (no options) is always ok."""
    choice = parse_choice(text, options) if options else -1
    status, reason = "ok", ""
    if options and choice < 0:
        if declines(text):
            status, reason = "refused", "the answer declines."
        else:
            status = "unparseable"
            reason = f"{text[:80]!r} names none, or more than one, of the options."
    return {"text": text, "choice": choice, "status": status, "reason": reason}
