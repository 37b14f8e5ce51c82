"""Text to tokens and back, from what a GGUF file says of its vocabulary; and the ChatML form of a chat.

Byte-level BPE only. Special tokens are never read out of a text: a headline that contains "<|im_end|>"
is a headline that contains it, not the end of a turn.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

from cloudchamber.errors import ModelError
from cloudchamber.models.model import Request

__all__ = ["ChatTokenizer", "Parts"]

Parts = list[list[int]]

# Llama 3's rule; GPT-2's and its kind are ByteLevel's own, with digits split beforehand for SmolLM.
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_NORMAL, _USER_DEFINED = 1, 4


def _pre_tokenizer(name: str) -> Any:
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    if name in ("smollm", "refact", "command-r"):
        return pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level])
    if name in ("gpt-2", "default"):
        return byte_level
    if name == "llama-bpe":
        split = pre_tokenizers.Split(Regex(_LLAMA3), "isolated")
        return pre_tokenizers.Sequence(
            [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
        )
    return None


class ChatTokenizer:
    """Tokenises chats in ChatML.

    Args:
        metadata: of a GGUF file.
        path: of that file, for messages.

    Raises:
        ModelError: a kind of tokenizer or chat form that is not known here.
    """

    def __init__(self, metadata: Any, path: Path) -> None:
        kind, pre = (
            metadata.get("tokenizer.ggml.model"),
            metadata.get("tokenizer.ggml.pre", "default"),
        )
        splitter = _pre_tokenizer(pre)
        if kind != "gpt2" or splitter is None:
            raise ModelError(
                f"{path}: tokenizer {kind!r} with splitting rule {pre!r}; allowed: 'gpt2' with smollm, "
                "gpt-2, default or llama-bpe. Serve the model with an OpenAI-compatible server and use "
                "openai:NAME@URL."
            )
        tokens: list[str] = metadata["tokenizer.ggml.tokens"]
        merges = [tuple(m.split(" ")) for m in metadata["tokenizer.ggml.merges"]]
        kinds = metadata.get("tokenizer.ggml.token_type") or [_NORMAL] * len(tokens)
        ids = {token: i for i, token in enumerate(tokens)}
        if "<|im_start|>" not in ids or "<|im_end|>" not in ids:
            raise ModelError(
                f"{path}: the vocabulary has no <|im_start|>; only models with ChatML are known here. "
                "Serve the model with an OpenAI-compatible server and use openai:NAME@URL."
            )
        self._bpe = Tokenizer(
            models.BPE(vocab=ids, merges=merges, ignore_merges=pre == "llama-bpe")
        )
        self._bpe.pre_tokenizer = splitter
        self._bpe.decoder = decoders.ByteLevel()
        own = [t for t, k in zip(tokens, kinds, strict=True) if k == _USER_DEFINED]
        self._bpe.add_tokens([AddedToken(token, normalized=False) for token in own])
        self.start, self.end = ids["<|im_start|>"], ids["<|im_end|>"]
        self.special = {i for i, k in enumerate(kinds) if k not in (_NORMAL, _USER_DEFINED)}
        """Tokens that are no text: marks of turns and documents."""
        begin = metadata.get("tokenizer.ggml.bos_token_id")
        wanted = metadata.get("tokenizer.ggml.add_bos_token", False) and begin is not None
        self._begin = [int(begin)] if wanted else []

    def encode(self, text: str) -> list[int]:
        """Tokens of a text as it stands; no special tokens."""
        return list(self._bpe.encode(text, add_special_tokens=False).ids)

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of tokens, special ones left out."""
        kept = [token for token in tokens if token not in self.special]
        return str(self._bpe.decode(kept, skip_special_tokens=False))

    def prompt(self, request: Request) -> Parts:
        """The tokens of a request up to where the assistant's answer begins, cut at the messages' seams.

        A part depends only on the messages up to its own, so that equal beginnings have equal parts. The
        last part ends with the assistant's header (the request's `prefix` is not in it).
        """
        parts: Parts = []
        opening = list(self._begin)
        for role, texts in request.turns():
            opening += [self.start, *self.encode(f"{role}\n")]
            for text in texts:
                parts.append(opening + self.encode(text))
                opening = []
            opening = [self.end, *self.encode("\n")]
        parts[-1] += [*opening, self.start, *self.encode("assistant\n")]
        return [part for part in parts if part]
