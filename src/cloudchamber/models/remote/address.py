"""Where a server is and what is sent to prove who asks: what of it is refused, without showing it."""

from urllib.parse import unquote, urlsplit

from cloudchamber.errors import ModelError

__all__ = ["check_address", "check_key"]


def check_address(address: str, key: str) -> None:
    """Refuse what is not the address of a server, or holds a secret.

    Raises:
        ModelError: not http(s)://HOST[:PORT][/PATH], or a user, a query or the key is in it.
    """
    try:
        parts = urlsplit(address)
        _ = parts.port
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc or parts.query or parts.fragment:
        raise ModelError(
            "the address of a server was given in a form that is not known; allowed: "
            "http://HOST[:PORT]/v1 or https://..., without a user, a key or a question mark in it."
        )
    if key and (key in address or key in unquote(address)):
        raise ModelError(
            "the address of a server holds the key; leave it out, the key is sent as a header."
        )


def check_key(key: str) -> None:
    """Refuse what cannot be sent as a header, without showing it.

    Raises:
        ModelError: a space, a line break or a letter outside ASCII in it.
    """
    if not key.isascii() or any(letter <= " " or letter == "\x7f" for letter in key):
        raise ModelError(
            "the key for the server holds a space, a line break or a letter that no key has; "
            "set CLOUDCHAMBER_API_KEY to the key alone."
        )
