"""The laws catch an engine that breaks them: each fault here was seen in a real system, or nearly so."""

from itertools import count
from typing import Any

import numpy as np
import pytest

from cloudchamber import randomness
from cloudchamber.agents import Random, SocialProof
from cloudchamber.engine.asking import Asking
from cloudchamber.engine.exposing import Exposing
from cloudchamber.engine.ledger import Ledger
from cloudchamber.engine.loop import _Growth
from cloudchamber.microspec import (
    Fixed,
    Group,
    Hidden,
    Microspec,
    Popularity,
    Population,
    Sequential,
    Simultaneous,
    Visibility,
    Window,
)
from cloudchamber.microspec.world import Acts, State
from cloudchamber.questions import Address, Answers, Ints, Questions, Reals
from cloudchamber.testing import laws
from cloudchamber.testing.small import small
from cloudchamber.testing.toy import Toy
from cloudchamber.worlds import Feed


def feed(**parts: Any) -> Microspec:
    known: dict[str, Any] = {
        "world": Feed.of(6),
        "population": Population(groups=(Group(count=9, decides=SocialProof(strength=2.0)),)),
        "turns": Simultaneous(steps=5),
    }
    return Microspec(**(known | parts))


def test_draws_by_order_of_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    source = np.random.default_rng(0)

    def exponentials(keys: Any, lanes: Any) -> Any:
        return source.exponential(size=np.broadcast(keys[..., None], np.asarray(lanes)).shape)

    monkeypatch.setattr(randomness, "exponentials", exponentials)
    with pytest.raises(AssertionError, match="not determined: grown in blocks of 1"):
        laws.determined(feed())


def test_some_of_a_batch_see_acts_of_the_same_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a simulator does that lets agents act as their answers arrive."""
    show = Exposing.show

    def eager(self: Exposing, batch: Any, address: Address, state: State) -> Any:
        slate = show(self, batch, address, state)
        state.tally += 0.0
        for agent in batch.agent:  # as if each of the block had already liked item 0
            self.ledger.visible.count[0, 0] += int(agent) % 2
        return slate

    monkeypatch.setattr(Exposing, "show", eager)
    with pytest.raises(AssertionError, match="not determined"):
        laws.determined(feed())
    with pytest.raises(AssertionError, match="wrong exposures"):
        laws.provenance(feed())


def test_the_reader_sees_what_is_too_recent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ledger, "visible", property(lambda self: self._now))
    with pytest.raises(AssertionError, match="but visibility.latency is 2"):
        laws.provenance(feed(visibility=Visibility(latency=2)))


def test_ranked_posts_in_the_order_of_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a platform does that fetches the ranked posts with `WHERE id IN (...)`."""
    ranked = Exposing._ranked

    def by_number(self: Exposing, popularity: Reals, address: Address) -> Ints:
        return np.sort(ranked(self, popularity, address), axis=1)

    monkeypatch.setattr(Exposing, "_ranked", by_number)
    with pytest.raises(AssertionError, match="wrong exposures"):
        laws.provenance(feed(visibility=Visibility(order=Popularity())))


def test_a_memory_one_act_too_deep(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = feed(memory=Window(k=2))
    deeper = property(lambda self: self.k + 1)
    with (
        monkeypatch.context() as patch,
        pytest.raises(AssertionError, match="shown without reason"),
    ):
        patch.setattr(Window, "depth", deeper)
        laws.provenance(spec)


def test_an_act_lost_on_its_way_to_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    apply = _Growth._apply

    def losing(self: _Growth, acts: list[Acts]) -> None:
        apply(self, [without_the_first(part) for part in acts])

    def without_the_first(part: Acts) -> Acts:
        return Acts(part.run[1:], part.agent[1:], part.item[1:], part.decision[1:], part.step)

    monkeypatch.setattr(_Growth, "_apply", losing)
    with pytest.raises(AssertionError, match="not complete"):
        laws.complete(feed())


def test_a_fact_that_rests_on_more_than_decisions(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a world that counts how often it was asked, and not what was done."""
    times = count()

    def told(self: Toy, state: State, acts: Acts, gain: Reals) -> None:
        state.more["gained"] = np.full(len(state.tally), float(next(times)))

    monkeypatch.setattr(Toy, "_score", told)
    with pytest.raises(AssertionError, match=r"not complete: .* has gained .* decisions lead to"):
        laws.complete(small(Toy()))


@pytest.mark.parametrize("part", ["agent", "replicate", "step"])
def test_one_draw_for_all(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    """A cache keyed by prompt alone gives identical agents one shared answer."""

    def keys(self: Address, stream: str) -> Any:
        kept: dict[str, Any] = {
            "replicate": self.replicate,
            "step": self.step,
            "agent": self.agent,
        } | {part: 0}
        return randomness.keys(
            self.seed, kept["replicate"], stream, kept["step"], kept["agent"], self.occasion
        )

    spec = feed(
        population=Population(groups=(Group(count=9, decides=Random()),)),
        visibility=Visibility(order=Fixed(), fields={"likes": Hidden()}),
    )
    assert laws.independent_draws(spec) > 400
    monkeypatch.setattr(Address, "keys", keys)
    with pytest.raises(AssertionError, match="correlated|do not follow"):
        laws.independent_draws(spec)


def test_refusals_replaced_by_the_first_option(monkeypatch: pytest.MonkeyPatch) -> None:
    def blank(self: Any, questions: Questions, answers: Answers, *rest: Any) -> Any:
        answers.picks[answers.picks[:, 0] < 0, 0] = 0
        return kept(self, questions, answers, *rest)

    kept = Asking.acts
    monkeypatch.setattr(Asking, "acts", blank)
    with pytest.raises(AssertionError, match="refused answers were replaced"):
        laws.failed_run_is_a_row(feed())


def test_sequential_turns_pass_where_the_faults_are_not() -> None:
    laws.determined(feed(turns=Sequential(steps=2)))
