"""What went wrong with an answer, where a server says it in the body and HTTP's status does not.

OpenRouter answers 200 once a provider was found, and tells in the body what became of it; older servers
answer 200 with an object called error. Knows JSON shapes; no network.
"""

import msgspec

__all__ = ["Complaint", "Failure", "Malformed", "complain", "complaint"]


class Malformed(ValueError):
    """A body that is no completion; the message says why in a few words."""


class Complaint(Malformed):
    """A body that tells of a failure."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        """What HTTP would have called it."""


class Failure(msgspec.Struct, gc=False):
    """What a server tells of a failure."""

    message: str = ""
    code: int | str | None = None


class _Failed(msgspec.Struct, gc=False):
    error: Failure | str | None = None
    object: str = ""
    message: str = ""
    code: int | str | None = None


_FAILED = msgspec.json.Decoder(_Failed)


def complain(body: bytes) -> None:
    """Raise what a body tells of a failure, if it does.

    Raises:
        Complaint: it does.
    """
    try:
        failed = _FAILED.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return
    if failed.error is not None:
        raise complaint(failed.error)
    if body.strip() == b"{}":  # transformers serve's, of old, to an answer that was begun
        raise Complaint(501, "an empty answer")
    if failed.object == "error":
        raise complaint(Failure(failed.message, failed.code))


def complaint(failure: Failure | str | None) -> Complaint:
    """A failure as an exception."""
    if not isinstance(failure, Failure):
        failure = Failure(failure or "")
    return Complaint(_status(failure.code), failure.message or "the answer ended in an error")


def _status(code: int | str | None) -> int:
    """HTTP's word for it; that of a broken provider where the code is none of HTTP's."""
    known = str(code)
    return int(known) if known.isdigit() and 400 <= int(known) < 600 else 502
