"""The checks catch kinds of one's own that break a contract: deciders, worlds, orders."""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from cloudchamber import randomness
from cloudchamber.agents import LanguageModel, Rule
from cloudchamber.microspec import (
    Group,
    Hidden,
    Noisy,
    Population,
    Visibility,
)
from cloudchamber.microspec.value import Family
from cloudchamber.microspec.visibility import Order
from cloudchamber.microspec.world import Acts, Glimpse, Opening, Prompt, State
from cloudchamber.questions import Address, Answers, Ints, Questions, Reals, draw
from cloudchamber.testing import check_decider, check_regime, check_world, laws
from cloudchamber.worlds import Feed
from tests.laws.test_engine_faults import feed


class Copycat(Rule):
    """Looks over the shoulder of the other rows of its batch."""

    kind: str = "test-copycat"

    def weights(self, questions: Questions) -> Reals:
        return 1.0 + questions.shown("likes") + float(questions.agent.sum() % 7)

    def answer(self, questions: Questions) -> Answers:
        weights = self.weights(questions)
        weights[:, 0] += len(questions)
        return draw(questions, weights)

    def aloud(self) -> str:
        return "copies"


class Clairvoyant(Rule):
    """Looks at the number of its run, which stands in the address of its draws."""

    kind: str = "test-clairvoyant"

    def weights(self, questions: Questions) -> Reals:
        return np.full(questions.items.shape, 1.0) + (questions.address.replicate % 2)[:, None]

    def aloud(self) -> str:
        return "knows which replicate it is in"


class Omniscient(Rule):
    """Holds what it is shown against the best item there is, shown or not."""

    kind: str = "test-omniscient"

    def weights(self, questions: Questions) -> Reals:
        quality = questions.content["quality"]
        return np.asarray(np.exp(quality[questions.items] - quality.max()))

    def inclusion(self, questions: Questions) -> Reals:
        return self.weights(questions)

    def aloud(self) -> str:
        return "knows every item"


class Stubborn(Rule):
    """Picks the first option whatever the noise says, and claims to be undecided."""

    kind: str = "test-stubborn"

    def weights(self, questions: Questions) -> Reals:
        return np.ones(questions.items.shape)

    def answer(self, questions: Questions) -> Answers:
        picks = np.zeros((len(questions), 1), np.int32)
        return Answers(picks, self.inclusion(questions))

    def aloud(self) -> str:
        return "takes the first"


@pytest.mark.parametrize(
    ("decider", "message"),
    [
        (Copycat(), "answers a row by the other rows too"),
        (Clairvoyant(), "looks at what it is not shown"),
        (Omniscient(), "looks at what it is not shown"),
        (Stubborn(), "do not follow the stated probabilities"),
    ],
)
def test_deciders_that_cheat(decider: Rule, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_decider(decider)


class Mute(Rule):
    """Cannot be read aloud."""

    kind: str = "test-mute"


class Leaking(Feed):
    """Prompts that leave the likes out."""

    kind: str = "test-leaking"  # type: ignore[assignment]

    def prompt(self, glimpse: Glimpse) -> Prompt:
        options = tuple(replace(one, signals={}) for one in glimpse.options)
        return super().prompt(replace(glimpse, options=options))


class Telling(Feed):
    """Prompts that tell of an item that is not shown."""

    kind: str = "test-telling"  # type: ignore[assignment]

    def prompt(self, glimpse: Glimpse) -> Prompt:
        prompt = super().prompt(glimpse)
        return Prompt(prompt.system + f" Today: {self.headlines[-1]}.", prompt.user, prompt.answers)


class Blabbing(Feed):
    """Prompts that tell the likes an item starts with, shown or hidden."""

    kind: str = "test-blabbing"  # type: ignore[assignment]

    def prompt(self, glimpse: Glimpse) -> Prompt:
        prompt = super().prompt(glimpse)
        started = self.initial()[glimpse.options[0].item]
        return replace(prompt, user=f"It began with {started:g} likes.\n{prompt.user}")


class Gossiping(Feed):
    """Prompts that tell what everybody has done by now, as of a page with a counter left in its title."""

    kind: str = "test-gossiping"  # type: ignore[assignment]
    counted: ClassVar[list[float]] = [0.0]

    def start(self, opening: Opening) -> State:
        self.counted[0] = 0.0
        return super().start(opening)

    def apply(self, state: State, acts: Acts) -> None:
        super().apply(state, acts)
        self.counted[0] = float(state.tally.max())

    def prompt(self, glimpse: Glimpse) -> Prompt:
        prompt = super().prompt(glimpse)
        return replace(prompt, system=f"({self.counted[0]:g}) {prompt.system}")


class Spilling(Feed):
    """Acts of one run spill over into all runs."""

    kind: str = "test-spilling"  # type: ignore[assignment]

    def apply(self, state: State, acts: Acts) -> None:
        for item in acts.item:
            state.tally[:, item] += 1.0


class Whimsical(Order):
    """Says it is the same for every reader of a run, and is not."""

    kind: str = "test-whimsical"

    def rank(self, popularity: Reals, created: Reals, address: Address) -> Ints:
        noise = randomness.uniforms(address.keys("whim"), popularity.shape[1])
        return np.asarray(noise.argsort(axis=1))

    def aloud(self) -> str:
        return "by whim"


OWN: tuple[type[Family], ...] = (
    Copycat,
    Clairvoyant,
    Omniscient,
    Stubborn,
    Mute,
    Leaking,
    Telling,
    Blabbing,
    Gossiping,
    Spilling,
    Whimsical,
)


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    """Our kinds are registered only while these tests run, lest others meet them in messages."""
    roots = {
        kind: root for kind in OWN for root in Family.__subclasses__() if issubclass(kind, root)
    }
    names = {kind: kind.model_fields["kind"].default for kind in OWN}
    for kind, root in roots.items():
        root.kinds[names[kind]] = kind
    yield
    for kind, root in roots.items():
        del root.kinds[names[kind]]


for _kind in OWN:
    for _root in Family.__subclasses__():
        _root.kinds.pop(_kind.model_fields["kind"].default, None)


@pytest.mark.parametrize(
    ("world", "message"),
    [
        (Leaking.of(6), "likes of option 0 was shown, but the prompt does not tell it"),
        (Blabbing.of(6), "likes is hidden, but the prompt tells of it"),
        (Spilling.of(6), "acts of one run changed another run"),
    ],
)
def test_worlds_that_break_the_contract(world: Feed, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_world(world)


def test_a_prompt_that_tells_of_what_is_not_shown() -> None:
    people = Population(groups=(Group(count=2, decides=LanguageModel(model="fake:hash")),))
    seen = Visibility(top=2)
    spec = feed(world=Telling.of(6), population=people, visibility=seen)
    with pytest.raises(AssertionError, match="something unseen.*was not shown item 5"):
        laws.nothing_unseen(spec)


def test_a_prompt_that_tells_the_hidden_likes_as_they_grow() -> None:
    """No single prompt shows the leak; growing it anew, with other acts, does."""
    people = Population(groups=(Group(count=6, decides=LanguageModel(model="fake:hash")),))
    hidden = Visibility(fields={"likes": Hidden()})
    sealed = feed(world=Feed.of(4), population=people, visibility=hidden)
    laws.nothing_unseen(sealed)
    with pytest.raises(AssertionError, match="something unseen"):
        laws.nothing_unseen(sealed.replace("world.kind", "test-gossiping"))


def test_a_hidden_field_that_is_shown_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an interface does that hides a number by its style sheet and sends it nevertheless."""
    spec = feed(visibility=Visibility(fields={"likes": Hidden()}))
    laws.provenance(spec)
    monkeypatch.setattr("cloudchamber.engine.exposing.Hidden", Noisy)
    monkeypatch.setattr(Hidden, "reveals", True)
    monkeypatch.setattr(Hidden, "show", lambda self, values, *rest: values)
    with pytest.raises(AssertionError, match="wrong exposures"):
        laws.provenance(spec)


def test_an_order_that_says_it_is_shared_and_is_not() -> None:
    with pytest.raises(AssertionError, match="not determined|wrong exposures"):
        check_regime(Whimsical())


def test_a_decider_that_cannot_be_read_aloud() -> None:
    with pytest.raises(AssertionError, match="cannot be read aloud"):
        check_decider(Mute())
