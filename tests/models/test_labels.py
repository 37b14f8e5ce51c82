import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.errors import ModelError
from cloudchamber.models.labels import label_tree

END = 9
sequences = st.lists(
    st.lists(st.integers(0, 4), min_size=1, max_size=4), min_size=1, max_size=8, unique_by=tuple
)


def next_logprobs(path: tuple[int, ...]) -> np.ndarray:
    """A next-token distribution that depends on the path so far."""
    rng = np.random.default_rng([1, *path])
    logits = rng.normal(size=10)
    return np.asarray(logits - np.log(np.exp(logits).sum()))


@given(sequences)
def test_the_tree_scores_each_label_as_reading_it_alone_would(labels: list[list[int]]) -> None:
    tree = label_tree([], labels, END)
    paths: list[tuple[int, ...]] = [()]
    for token, parent in tree.nodes.T:
        paths.append((*paths[parent + 1], int(token)))
    assert len(set(paths)) == len(paths)  # each inner node is computed once
    scores = tree.score(np.array([next_logprobs(path) for path in paths]))
    for label, score in zip(labels, scores, strict=True):
        begins = any(other != label and other[: len(label)] == label for other in labels)
        full = [*label, END] if begins else label
        alone = sum(next_logprobs(tuple(full[:i]))[token] for i, token in enumerate(full))
        assert score == pytest.approx(alone)


@given(sequences)
def test_labels_exclude_one_another(labels: list[list[int]]) -> None:
    tree = label_tree([], labels, END)
    paths: list[tuple[int, ...]] = [()]
    for token, parent in tree.nodes.T:
        paths.append((*paths[parent + 1], int(token)))
    scores = tree.score(np.array([next_logprobs(path) for path in paths]))
    assert np.exp(scores).sum() <= 1 + 1e-12


def test_two_digit_codes_cost_one_node_for_each_first_digit() -> None:
    tree = label_tree([], [[i // 10, i % 10] for i in range(10, 100)], END)
    assert tree.nodes.shape == (2, 9)
    assert tree.shared == ()


def test_single_tokens_cost_no_node() -> None:
    assert label_tree([5], [[5, 1], [5, 2]], END).nodes.shape == (2, 0)


def test_a_given_beginning_is_shared_only_as_far_as_all_labels_keep_it() -> None:
    assert label_tree([5, 6], [[5, 6, 1], [5, 6, 2]], END).shared == (5, 6)
    melted = label_tree([5, 6], [[5, 7], [5, 8]], END)  # the space went into the labels
    assert melted.shared == (5,)
    assert [list(tokens) for tokens in melted.tokens] == [[7], [8]]


def test_labels_that_look_alike_to_the_model_are_refused() -> None:
    with pytest.raises(ModelError, match="same tokens"):
        label_tree([], [[1], [1]], END)
