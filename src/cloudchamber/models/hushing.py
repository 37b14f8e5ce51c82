"""A key that is never shown: what a server said, without the key, however the server wrote it.

Knows texts only. A key is looked for as it is, percent-encoded, in hexadecimal and in base64.
"""

import base64
import binascii
import re
from urllib.parse import unquote

__all__ = ["Hush"]

_SHOWN = "[key]"
_LEFT_OUT = "[left out: it repeated the key]"
_ENCODED = re.compile(r"[A-Za-z0-9+/_=-]{8,}")


class Hush:
    """Takes a key out of texts.

    Args:
        key: the key; "" changes no text.
    """

    __slots__ = ("_key",)

    def __init__(self, key: str) -> None:
        self._key = key

    def __repr__(self) -> str:
        return "Hush()"

    def __call__(self, text: str) -> str:
        """The text without the key; left out altogether where the key stands in it encoded."""
        if not self._key or not text:
            return text
        if self._key in text:
            text = text.replace(self._key, _SHOWN)
        if len(text) >= len(self._key) and self._encoded(text):
            return _LEFT_OUT
        return text

    def _encoded(self, text: str) -> bool:
        """Whether the key, or most of a run that decodes to it, stands in the text."""
        plain = unquote(text) if "%" in text else text
        if "\\" in plain:
            plain = _unescaped(plain)
        if self._key in plain:
            return True
        whole = self._key.encode()
        for found in _ENCODED.finditer(plain):
            run = found.group()
            if len(run) >= len(whole) and any(whole in decoded for decoded in _decoded(run)):
                return True
        return False


def _unescaped(text: str) -> str:
    return re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)


def _decoded(run: str) -> list[bytes]:
    """A run of letters read as base64 (from each of four places) and as hexadecimal."""
    found = []
    plain = run.replace("-", "+").replace("_", "/").replace("=", "")
    for start in range(4):
        part = plain[start:]
        part = part[: len(part) - (len(part) % 4 == 1)]
        found.append(base64.b64decode(part + "=" * (-len(part) % 4)))
    for start in range(2):
        part = run[start:]
        try:
            found.append(binascii.unhexlify(part[: len(part) // 2 * 2]))
        except binascii.Error:
            continue
    return found
