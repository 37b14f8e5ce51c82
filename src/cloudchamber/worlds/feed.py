"""A news feed: items that readers may like, and nothing else.

A like raises the item's count. What of the counts reaches a reader, and in which order the items stand,
is not the feed's business.
"""

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from cloudchamber.errors import SpecificationError
from cloudchamber.microspec.value import Real
from cloudchamber.microspec.world import Acts, Glimpse, Prompt, State, World
from cloudchamber.questions import Reals
from cloudchamber.worlds.feed_file import read_items
from cloudchamber.worlds.feed_words import PARAPHRASES, Wording, feed_prompt

__all__ = ["Feed"]


class Feed(World):
    """Items with headlines; the act is a like."""

    kind: Literal["feed"] = "feed"
    headlines: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=2000)], ...], Field(min_length=2)
    ]
    """What each item says."""
    quality: tuple[Real, ...] = ()
    """How good each item is to a rule that can tell, as log-odds; all 0 if not given."""
    likes: tuple[Annotated[Real, Field(ge=0)], ...] = ()
    """Likes that each item starts with; none if not given."""
    reward: Literal["none", "quality", "agreement"] = "none"
    """What a like scores: nothing, the item's quality, or the share of earlier likes on the same item."""

    wording: Wording = "begun"
    """How a language model is told: see `feed_words`; rules do not read."""

    @model_validator(mode="after")
    def _as_many(self) -> "Feed":
        for name in ("quality", "likes"):
            given = len(getattr(self, name))
            if given not in (0, len(self.headlines)):
                raise ValueError(
                    f"{name}: {given} given for {len(self.headlines)} headlines; give one for each, or none"
                )
        return self

    @classmethod
    def of(cls, items: int, **parts: Any) -> "Feed":
        """A feed of so many items without words, for rules.

        Raises:
            SpecificationError: items is no whole number from 2.
        """
        given: object = items
        if not isinstance(given, int) or given < 2:
            raise SpecificationError(
                f"Feed.of: {items!r} items given; allowed: a whole number from 2."
            )
        return cls(headlines=tuple(f"item {number}" for number in range(items)), **parts)

    @classmethod
    def from_file(cls, path: str | Path, **parts: Any) -> "Feed":
        """A feed from a CSV with a column `headline` (and `quality`, if there is one), or a text of lines.

        A CSV may be separated by commas, semicolons or tabs. Other columns are ignored.

        Raises:
            FieldDataError: no such file, no such column, fewer than two rows, a row with more fields than
                the header, a quality that is no number, or bytes that are not UTF-8.
        """
        headlines, quality = read_items(Path(path))
        given: dict[str, Any] = {"headlines": headlines}
        if quality:
            given["quality"] = quality
        return cls(**(given | parts))

    @property
    def items(self) -> int:
        """How many items there are."""
        return len(self.headlines)

    @property
    def fields(self) -> tuple[str, ...]:
        """The signals on items."""
        return ("likes",)

    @property
    def who(self) -> str:
        """What an agent is called."""
        return "reader"

    @property
    def acts(self) -> tuple[str, ...]:
        """What a reader can do."""
        return ("like",)

    @property
    def scores(self) -> bool:
        """Whether a like scores anything."""
        return self.reward != "none"

    def initial(self) -> Reals:
        """(items,): likes before anyone acted."""
        return np.asarray(self.likes, np.float64) if self.likes else np.zeros(self.items)

    def content(self) -> Mapping[str, Reals]:
        """The quality of each item."""
        return {"quality": np.asarray(self.quality, np.float64)} if self.quality else {}

    def words(self) -> tuple[str, ...]:
        """The headlines."""
        return self.headlines

    def paraphrases(self) -> Mapping[str, World]:
        """The feed in each of the other wordings that mean the same."""
        others = (one for one in PARAPHRASES if one != self.wording)
        return {one: self.altered(wording=one) for one in others}

    def similarity(self) -> Reals:
        """(items, items): cosine of the headlines' words."""
        return self._similarity

    @cached_property
    def _similarity(self) -> Reals:
        bags = [Counter(headline.lower().split()) for headline in self.headlines]
        words = {word: at for at, word in enumerate(sorted(set().union(*bags)))}
        matrix = np.zeros((len(bags), max(len(words), 1)))
        for row, bag in enumerate(bags):
            for word, count in bag.items():
                matrix[row, words[word]] = count
        norm = np.linalg.norm(matrix, axis=1, keepdims=True)
        matrix /= np.where(norm > 0, norm, 1.0)
        return np.asarray(matrix @ matrix.T)

    def apply(self, state: State, acts: Acts) -> None:
        """Each act is a like: it scores against the state before its batch, then counts."""
        runs, items = state.tally.shape
        if self.scores:
            np.add.at(state.score, (acts.run, acts.agent), self._worth(state, acts))
        cell = acts.run.astype(np.int64) * items + acts.item
        state.tally += np.bincount(cell, minlength=runs * items).reshape(runs, items)

    def _worth(self, state: State, acts: Acts) -> Reals:
        if self.reward == "quality":
            quality = self.content().get("quality", np.zeros(self.items))
            return np.asarray(quality[acts.item])
        total = state.tally.sum(axis=1)[acts.run]
        return np.asarray(state.tally[acts.run, acts.item] / np.where(total > 0, total, 1.0))

    def prompt(self, glimpse: Glimpse) -> Prompt:
        """What a language model is told."""
        return feed_prompt(self.headlines, glimpse, self.wording)

    def aloud(self) -> str:
        """The world as a sentence."""
        start = f"; some start with likes ({sum(self.likes):g} in all)" if any(self.likes) else ""
        score = {"none": "", "quality": "; a like scores the item's quality"}.get(
            self.reward, "; a like scores the share of earlier likes on the same item"
        )
        return f"a feed of {self.items} items that readers may like{start}{score}"
