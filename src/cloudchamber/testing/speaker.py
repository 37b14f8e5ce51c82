"""A language model small enough to be known exactly: its answers are a function of what it is asked.

What it may answer it finds in the prompt: the codes that lines begin with ("47: ..."), None, Yes and No; a
text "in at most 9 words" is a few words. How likely each is follows from a hash of the conversation, so the
truth about every question can be computed and what a client makes of the server's lists be held against it.
As of models at large, its words carry the space before them: it goes on with " 47" after "I say", and after
"I say " it does not know what to say. Knows no HTTP.
"""

import re
from collections.abc import Sequence
from hashlib import sha256
from math import exp, log

from cloudchamber import randomness

__all__ = ["Conversation", "Speaker"]

Conversation = Sequence[tuple[str, str]]
"""(role, text) pairs; a last one of the assistant is an answer begun."""

_CODE = re.compile(r"^(\w[\w ]{0,11}): ", re.MULTILINE)
_REPEAT = re.compile(r"^Repeat this: (.*)$", re.MULTILINE)
_WRITE = re.compile(r"\b[Ii]n at most (\d+) words\b")
JUNK = "Well"


class Speaker:
    """The distribution over answers.

    Args:
        piece: letters in a token; 0 makes each answer one token.
        mass: probability of the answers together; the rest says nothing that is asked for.
        spread: how unequal the answers are; their log-odds reach from 0 to this.
    """

    def __init__(self, piece: int = 0, mass: float = 0.9, spread: float = 4.0) -> None:
        self.piece, self.mass, self.spread = piece, mass, spread

    def answers(self, asked: Conversation) -> dict[str, float]:
        """Each answer with its probability."""
        texts = [text for role, text in asked if role != "assistant"]
        text = "\n".join(texts)
        if found := _REPEAT.search(text):
            return {found[1]: self.mass}
        labels = list(dict.fromkeys(_CODE.findall(text)))
        if "None" in text:
            labels.append("None")
        if "Yes or No" in text:
            labels = ["Yes", "No"]
        labels = labels or ["A", "B"]
        weights = [exp(self.spread * _share(text, label)) for label in labels]
        whole = sum(weights)
        return {
            label: self.mass * weight / whole for label, weight in zip(labels, weights, strict=True)
        }

    def following(self, asked: Conversation, begun: str) -> dict[str, float]:
        """Each next token with its probability, likeliest first, the answer being begun."""
        answers = self.answers(asked)
        before, begun = begun, _said(answers, begun)
        if _astray(before, begun):
            return {JUNK: 1.0}
        space = " " if before and not begun else ""
        reach = {label: chance for label, chance in answers.items() if label.startswith(begun)}
        if begun and (not self.piece or len(begun) % self.piece):
            reach = {begun: answers.get(begun, 1.0)}  # a shorter token ends an answer
        whole = sum(reach.values()) + (0.0 if begun else 1.0 - self.mass)
        found: dict[str, float] = {} if begun else {space + JUNK: 1.0 - self.mass}
        for label, chance in reach.items():
            token = space + self._token(label[len(begun) :])
            found[token] = found.get(token, 0.0) + chance
        order = sorted(found.items(), key=lambda one: (-one[1], one[0]))
        return {token: chance / whole for token, chance in order if chance > 0}

    def sample(self, asked: Conversation, begun: str, seed: int, temperature: float) -> str:
        """An answer, drawn under a seed; what is left of it where it is begun."""
        if words := _written(asked, seed):
            return words
        answers = self.answers(asked)
        before, begun = begun, _said(answers, begun)
        if _astray(before, begun):
            return JUNK
        space = " " if before and not begun else ""
        reach = {label: chance for label, chance in answers.items() if label.startswith(begun)}
        if not begun:
            reach[JUNK] = 1.0 - self.mass
        power = 1.0 / max(temperature, 0.01)
        whole = max(reach.values(), default=1.0)
        weights = {label: (chance / whole) ** power for label, chance in reach.items()}
        key = randomness.keys(seed, 0, "speaker", occasion=_number("\n".join(t for _, t in asked)))
        left = float(randomness.uniforms(key, 1)[0]) * sum(weights.values())
        for label, weight in weights.items():
            left -= weight
            if left <= 0:
                return space + label[len(begun) :]
        return space + JUNK

    def scored(self, asked: Conversation, begun: str) -> list[tuple[str, float]]:
        """The tokens of the answer that was begun, with the log-probability of each."""
        answers = self.answers(asked)
        said = _said(answers, begun)
        found = [(begun[: len(begun) - len(said)], 0.0)]
        at = 0
        while at < len(said):
            token = self._token(said[at:])
            chance = self.following(asked, said[:at]).get(token, 1e-9)
            found.append((token, log(chance)))
            at += len(token)
        return found

    def _token(self, rest: str) -> str:
        return (rest[: self.piece] if self.piece else rest) or "."


def _written(asked: Conversation, seed: int) -> str:
    """A few words, where the last turn asks for words; they tell the seed and everything that was asked."""
    found = _WRITE.search(asked[-1][1])
    if found is None:
        return ""
    number = _number("\n".join(f"{role}: {text}" for role, text in asked))
    words = ["I", "wrote", f"{number % 10007}", "under", f"{seed % 10007}"]
    return " ".join(words[: int(found[1])])


def _said(answers: dict[str, float], begun: str) -> str:
    """What of an answer begun is the answer: its longest end that begins one."""
    return next(
        begun[start:]
        for start in range(len(begun) + 1)
        if any(label.startswith(begun[start:]) for label in answers)
    )


def _astray(before: str, begun: str) -> bool:
    """Whether what was begun ends in a space by itself, after which no word of its own follows."""
    return not begun and before[-1:].isspace()


def _share(text: str, label: str) -> float:
    return (_number(f"{label}\0{text}") % 10007) / 10007


def _number(text: str) -> int:
    return int.from_bytes(sha256(text.encode()).digest()[:7], "big")
