"""What a sampled text says: which of the allowed answers, or that the model declines.

Repair is bounded on purpose: a text that could mean two answers means none.
"""

import re
from collections.abc import Sequence
from typing import TypedDict

from cloudchamber.models.model import Request
from cloudchamber.trace.texts import written

__all__ = ["CUT", "declines", "parse_choice", "read_text"]

CUT = "cut off: it is as long as it may be."
"""The note of a free text that did not come to its end."""

_DRESSING = " \t\r\n\"'`*_.,:;!()[]{}<>#“”‘’"
_LOOKED_AT = 500  # characters of an answer; a label that comes later is not an answer
# Free text that begins like the ones above may be meant for its reader ("I cannot sell more than 40"): only
# what declines to help says nothing else.
_WILL_NOT_HELP = re.compile(
    r"(?:(?:i(?:'m| am) )?(?:very |so )?sorry\b[,.]? ?(?:but )?)?(?:as an ai\b[^,.]{0,40},? )?"
    r"i(?: cannot| can't| can not| won't| will not|(?:'m| am) (?:unable|not able) to)"
    r" (?:help(?! but)|assist|comply|fulfil)",
    re.IGNORECASE,
)
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


def read_text(text: str, request: Request) -> Read:
    """What a sampled text amounts to: the option that it names, or the free text that it is.

    Free text is kept on one line and no longer than was asked for; none at all is no answer.
    """
    if not request.options:
        return _free(written(text, request.max_tokens))
    choice = parse_choice(text, request.options)
    if choice >= 0:
        return {"text": text, "choice": choice, "status": "ok", "reason": ""}
    if declines(text):
        return {"text": text, "choice": -1, "status": "refused", "reason": _DECLINED}
    reason = f"{text[:80]!r} names none, or more than one, of the options."
    return {"text": text, "choice": -1, "status": "unparseable", "reason": reason}


_DECLINED = "the answer declines."


def _free(text: str) -> Read:
    status, reason = "ok", ""
    if not text:
        status, reason = "unparseable", "nothing was written."
    elif _WILL_NOT_HELP.match(text.replace("’", "'")):
        status, reason = "refused", _DECLINED
    return {"text": text, "choice": -1, "status": status, "reason": reason}
