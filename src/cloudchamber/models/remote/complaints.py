"""What a server's complaint is about: a field of the request, what was asked, or the account behind it.

Each server says it in its own words, and a complaint may repeat the whole request, so a field is blamed only
where it is named as one. Knows texts of complaints; no network.
"""

import re
from collections.abc import Collection

import msgspec

__all__ = ["Refused", "at_most", "blamed", "declined", "empty", "too_short"]

_READ = 4000  # letters of a complaint; what it repeats of a request comes after
_EMPTY = (b"insufficient_quota", b"billing_hard_limit_reached", b"billing_not_active")
_DECLINES = (
    b"content_filter",
    b"content_policy_violation",
    b"ResponsibleAIPolicyViolation",
    b"flagged_input",
    b"requires moderation",
    b"data_inspection_failed",
)
_ABOUT = "parameter|field|argument|key|unsupported|unknown|unrecognized|supplied"
_NUMBER = re.compile(r"(?<![\w.])\d{1,3}(?![\w.]*\d)")


class Refused(msgspec.Struct, frozen=True):
    """A request that the server will not have, and its complaint."""

    said: bytes = b""


class _Error(msgspec.Struct, gc=False):
    message: str = ""
    param: str | None = None


class _Detail(msgspec.Struct, gc=False):
    loc: tuple[str | int, ...] = ()
    msg: str = ""


class _Complaint(msgspec.Struct, gc=False):
    error: _Error | str | None = None
    detail: str | list[_Detail] | None = None
    message: str = ""
    param: str | None = None


_DECODER = msgspec.json.Decoder(_Complaint, strict=False)


def blamed(body: bytes, fields: Collection[str]) -> list[str]:
    """Those of the request's fields that a complaint is about, in the request's order.

    A field is named as the parameter, or in quotes, or as the word that stands before "is not supported" and
    the like; `prompt_logprobs` does not name `logprobs`.
    """
    message, named = _read(body)
    found = []
    for field in fields:
        word = rf"(?<![\w-]){re.escape(field)}(?![\w-])"
        quoted = rf"['\"`\[{{( ]{word}['\"`\]}}):,. ]"
        wrong = rf"{word}['\"`]? (?:is|are|does|was|has|must|cannot|parameter|field)\b"
        about = rf"(?:{_ABOUT})s?\b[^.]*{quoted}"
        if field in named or re.search(f"{wrong}|{about}", f" {message} ", re.IGNORECASE):
            found.append(field)
    return found


def at_most(body: bytes, asked: int) -> int:
    """The largest number below the one asked for that a complaint names; 0 if none."""
    message, _ = _read(body)
    numbers = [int(number) for number in _NUMBER.findall(message)]
    return max([number for number in numbers if 0 < number < asked], default=0)


def declined(status: int, body: bytes) -> str:
    """Why a server or a provider will not have a question answered (moderation); empty if it is not that."""
    if status not in (400, 403, 451) or not any(word in body for word in _DECLINES):
        return ""
    return _read(body)[0] or "the server's content filter."


def empty(body: bytes) -> bool:
    """Whether the account has nothing left, which no waiting helps."""
    return any(word in body for word in _EMPTY)


def too_short(status: int, body: bytes) -> bool:
    """Whether thoughts did not fit in the longest answer allowed, which OpenAI says with 400."""
    return status == 400 and b"output limit was reached" in body


def _read(body: bytes) -> tuple[str, Collection[str | None]]:
    """The message, without what it repeats of the request as far as that can be told, and the parameters."""
    try:
        told = _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return body[:_READ].decode(errors="replace"), ()
    error = told.error
    if isinstance(error, _Error):
        return error.message[:_READ], {error.param}
    if isinstance(told.detail, list):
        named = {str(part) for detail in told.detail for part in detail.loc}
        return "; ".join(detail.msg for detail in told.detail)[:_READ], named
    return (error or told.detail or told.message)[:_READ], {told.param}
