"""The labels of allowed answers as a tree of tokens, so that one pass gives the probability of each.

Knows tokens only. A label that begins another (1 and 12) is told from it by the end-of-turn token.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cloudchamber.errors import ModelError

__all__ = ["LabelTree", "label_tree"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LabelTree:
    """A tree whose inner nodes are rows of a forward pass and whose paths are labels."""

    shared: tuple[int, ...]
    """Tokens that all answers begin with (the request's prefix)."""
    nodes: Ints
    """(2, m): token and parent row of each inner node, -1 being the prompt's last token."""
    rows: tuple[Ints, ...]
    """For each label: the rows of states that predict its tokens (0 the prompt's last, i+1 node i)."""
    tokens: tuple[Ints, ...]
    """For each label: the tokens predicted there."""

    def score(self, logprobs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log-probability of each label.

        Args:
            logprobs: (1 + m, vocabulary) next-token log-probabilities.
        """
        paths = zip(self.rows, self.tokens, strict=True)
        return np.array([logprobs[rows, tokens].sum() for rows, tokens in paths])


def label_tree(prefix: Sequence[int], labels: Sequence[Sequence[int]], end: int) -> LabelTree:
    """Build the tree of answers.

    Args:
        prefix: tokens of the answer's given beginning, encoded alone.
        labels: tokens of given beginning + label, encoded together (a space may melt into a label).
        end: the end-of-turn token.

    Raises:
        ModelError: two labels have the same tokens.
    """
    sequences = [tuple(label) for label in labels]
    if len(set(sequences)) != len(sequences):
        raise ModelError(
            "options: two labels have the same tokens; give labels that differ in text."
        )
    shared = tuple(prefix)
    while any(sequence[: len(shared)] != shared for sequence in sequences):
        shared = shared[:-1]
    suffixes = [sequence[len(shared) :] for sequence in sequences]
    begun = {suffix[:cut] for suffix in suffixes for cut in range(len(suffix))}
    found: dict[tuple[int, ...], int] = {(): -1}
    nodes: list[tuple[int, int]] = []
    rows, tokens = [], []
    for suffix in suffixes:
        path = (*suffix, end) if suffix in begun else suffix
        for cut in range(1, len(path)):
            if path[:cut] not in found:
                found[path[:cut]] = len(nodes)
                nodes.append((path[cut - 1], found[path[: cut - 1]]))
        rows.append(np.array([found[path[:cut]] + 1 for cut in range(len(path))], np.int64))
        tokens.append(np.array(path, np.int64))
    tree = np.array(nodes, np.int64).reshape(-1, 2).T
    return LabelTree(shared, tree, tuple(rows), tuple(tokens))
