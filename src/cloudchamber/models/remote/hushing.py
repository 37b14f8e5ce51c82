"""A key that is never shown: what a server said, without the key, however the server wrote it.

Knows texts only. A key is looked for as it is, in capitals or small letters, percent-encoded, as HTML, with
backslashes, in hexadecimal and in base64, broken over lines and twice over.
"""

import base64
import html
import re
from urllib.parse import unquote

__all__ = ["Hush"]

_SHOWN = "[key]"
_LEFT_OUT = "[left out: it repeated the key]"
_BASE64 = re.compile(r"[A-Za-z0-9+/_=-]{8,}")
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{8,}")
_ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_PARTED = re.compile(r"[\s:\u200b]+")
_WRITTEN = 3
"""Times that a key may have been encoded, one way within the other."""
_LONG = 12
"""Letters of a key from which on it is looked for in other letters and broken up; what is shorter, as the
"none" of a server without keys, is a word of everyday texts."""


class Hush:
    """Takes a key out of texts.

    Args:
        key: the key; "" changes no text.
    """

    __slots__ = ("_bare", "_key")

    def __init__(self, key: str) -> None:
        self._key = key
        self._bare = _PARTED.sub("", key).casefold()

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
        for _ in range(_WRITTEN):
            if self._stands(text):
                return True
            text, before = _plain(text), text
            if text == before:
                return False
        return self._stands(text)

    def _stands(self, text: str) -> bool:
        if self._key in text or self._decodes(text):
            return True
        if len(self._key) < _LONG:
            return False
        joined = _PARTED.sub("", text)
        return self._bare in joined.casefold() or (joined != text and self._decodes(joined))

    def _decodes(self, text: str) -> bool:
        whole = self._key.encode()
        for kind, decoded in ((_BASE64, _of_base64), (_HEXADECIMAL, _of_hexadecimal)):
            for run in kind.findall(text):
                if len(run) >= len(whole) and any(whole in one for one in decoded(run)):
                    return True
        return False


def _plain(text: str) -> str:
    """A text with what is escaped in it written out, once."""
    if "&" in text:
        text = html.unescape(text)
    if "%" in text:
        text = unquote(text)
    return _ESCAPED.sub(_letter, text) if "\\" in text else text


def _letter(found: re.Match[str]) -> str:
    number = found[1] or found[2]
    return chr(int(number, 16)) if number else found[3]


def _of_base64(run: str) -> list[bytes]:
    """A run of letters read as base64, from each of four places."""
    plain = run.replace("-", "+").replace("_", "/").replace("=", "")
    found = []
    for start in range(4):
        part = plain[start:]
        part = part[: len(part) - (len(part) % 4 == 1)]
        found.append(base64.b64decode(part + "=" * (-len(part) % 4)))
    return found


def _of_hexadecimal(run: str) -> list[bytes]:
    """A run of digits read as bytes, from each of two places."""
    return [bytes.fromhex(run[start:][: (len(run) - start) // 2 * 2]) for start in range(2)]
