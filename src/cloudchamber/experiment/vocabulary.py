"""How many tokens a text is: by a tokenizer that is on this machine, else by its length.

Nothing is fetched: where the embedded model's file is not in the cache, a token is taken for four characters.
"""

from math import ceil
from pathlib import Path
from typing import Protocol

from cloudchamber.errors import ModelError
from cloudchamber.models.embedded.fetch import FILE, SIZE, cache_folder
from cloudchamber.models.embedded.gguf import read_gguf
from cloudchamber.models.embedded.tokenizer import ChatTokenizer
from cloudchamber.models.model import Request

__all__ = ["Counter", "counter"]

CHARACTERS = 4
"""Of a token, where no tokenizer is here; English prose comes near it."""
FORM = 4
"""Tokens that a chat's form adds to a message, about."""


class Counter(Protocol):
    """Counts tokens."""

    told: str
    """How, in words."""

    def prompt(self, request: Request) -> int:
        """Tokens of a request's prompt."""
        ...

    def text(self, text: str) -> int:
        """Tokens of a text alone."""
        ...


class _Length:
    """By length."""

    told = f"a token taken for {CHARACTERS} characters"

    def prompt(self, request: Request) -> int:
        whole = sum(len(text) for _, text in request.messages) + len(request.prefix)
        return ceil(whole / CHARACTERS) + FORM * len(request.messages)

    def text(self, text: str) -> int:
        return ceil(len(text) / CHARACTERS)


class _Tokenized:
    """By a tokenizer."""

    def __init__(self, path: Path, told: str) -> None:
        self._tokenizer, self.told = ChatTokenizer(read_gguf(path).metadata, path), told

    def prompt(self, request: Request) -> int:
        parts = self._tokenizer.prompt(request)
        return sum(map(len, parts)) + self.text(request.prefix)

    def text(self, text: str) -> int:
        return len(self._tokenizer.encode(text))


def counter(model: str) -> Counter:
    """The best count there is for a model's tokens, without fetching anything."""
    embedded = cache_folder() / FILE
    kind, _, path = model.partition(":")
    try:
        if kind == "gguf":
            return _Tokenized(Path(path).expanduser(), "by the model's own tokenizer")
        if embedded.is_file() and embedded.stat().st_size == SIZE:
            own = model == "embedded"
            told = "by the model's own tokenizer" if own else "by the embedded model's tokenizer"
            return _Tokenized(embedded, told)
    except (ModelError, OSError, RuntimeError):  # a run will say what is wrong with it
        pass
    return _Length()
