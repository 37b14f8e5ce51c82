import asyncio
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from cloudchamber.errors import ModelError
from cloudchamber.models import FakeModel, Reply, Request, open_model
from cloudchamber.models.fake import fake
from cloudchamber.models.remote.server import RemoteModel
from cloudchamber.models.store.stored import StoredModel
from cloudchamber.testing.server import Abilities, Server

REQUEST = Request((("user", "pick"),), ("a", "b"))
OTHER = Request((("user", "pick one"),), ("a", "b"))


async def asked(path: Path, model: FakeModel, *questions: tuple[Request, int]) -> list[Reply]:
    stored = StoredModel(model, path)
    replies = [await stored.ask(*question) for question in questions]
    await stored.close()
    return replies


def test_exact_answers_are_asked_once_whatever_the_draw_and_come_back_equal(tmp_path: Path) -> None:
    path = tmp_path / "new" / "store.sqlite"
    model = fake("hash")
    first = asyncio.run(asked(path, model, (REQUEST, 1), (REQUEST, 2), (OTHER, 1)))
    assert len(model.asked) == 2
    again = fake("hash")
    second = asyncio.run(asked(path, again, (REQUEST, 3), (REQUEST, 4), (OTHER, 5)))
    assert again.asked == []
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.logprobs, other.logprobs)


def test_sampled_answers_are_kept_for_their_draw_alone(tmp_path: Path) -> None:
    model = fake("sampled")
    draws = [(REQUEST, draw) for draw in range(40)]
    first = asyncio.run(asked(tmp_path / "s", model, *draws))
    assert len(model.asked) == 40
    assert {reply.choice for reply in first} == {0, 1}
    again = fake("sampled")
    assert asyncio.run(asked(tmp_path / "s", again, *draws)) == first
    assert again.asked == []


def test_another_model_shares_no_answers(tmp_path: Path) -> None:
    asyncio.run(asked(tmp_path / "s", fake("first"), (REQUEST, 0)))
    (reply,) = asyncio.run(asked(tmp_path / "s", fake("last"), (REQUEST, 0)))
    assert reply.logprobs is not None
    assert reply.logprobs.argmax() == 1


@pytest.mark.parametrize(
    ("kind", "times"), [("timeout", 2), ("fail", 2), ("refuse", 1), ("garbage", 1)]
)
def test_failures_are_asked_again_and_outcomes_are_kept(
    tmp_path: Path, kind: str, times: int
) -> None:
    model = fake(kind)
    asyncio.run(asked(tmp_path / "s", model, (REQUEST, 0), (REQUEST, 0)))
    assert len(model.asked) == times


class Slow(FakeModel):
    """Answers when told to."""

    def __init__(self, exact: bool = True) -> None:
        super().__init__(lambda _: Reply(np.log([0.5, 0.5]), 1.0), exact=exact)
        self.go = asyncio.Event()

    async def ask(self, request: Request, draw: int = 0) -> Reply:
        reply = await super().ask(request, draw)
        await self.go.wait()
        return reply


def test_the_same_question_in_flight_is_asked_once(tmp_path: Path) -> None:
    async def main() -> None:
        model = Slow()
        stored = StoredModel(model, tmp_path / "s")
        waiting = [asyncio.create_task(stored.ask(REQUEST, draw)) for draw in range(5)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting[0].cancel()  # who gives up takes nothing from the others
        await asyncio.sleep(0)
        model.go.set()
        done = await asyncio.gather(*waiting, return_exceptions=True)
        assert isinstance(done[0], asyncio.CancelledError)
        assert all(isinstance(reply, Reply) for reply in done[1:])
        assert len(model.asked) == 1
        await stored.close()

    asyncio.run(main())


def test_samples_in_flight_are_asked_one_by_one(tmp_path: Path) -> None:
    async def main() -> None:
        model = Slow(exact=False)
        stored = StoredModel(model, tmp_path / "s")
        waiting = [asyncio.create_task(stored.ask(REQUEST, draw)) for draw in range(5)]
        await asyncio.sleep(0)
        model.go.set()
        await asyncio.gather(*waiting)
        assert len(model.asked) == 5
        await stored.close()

    asyncio.run(main())


def test_what_the_model_raises_reaches_who_asked_and_is_not_kept(tmp_path: Path) -> None:
    def broken(_: Request) -> Reply:
        raise ModelError("it broke")

    with pytest.raises(ModelError, match="it broke"):
        asyncio.run(asked(tmp_path / "s", FakeModel(broken), (REQUEST, 0)))
    model = FakeModel(lambda _: Reply(np.zeros(2), 1.0))
    asyncio.run(asked(tmp_path / "s", model, (REQUEST, 0)))
    assert len(model.asked) == 1


def test_two_openings_of_one_file_see_each_other(tmp_path: Path) -> None:
    async def main() -> None:
        first, second = fake("hash"), fake("hash")
        one, two = StoredModel(first, tmp_path / "s"), StoredModel(second, tmp_path / "s")
        for number in range(20):
            request = Request((("user", str(number)),), ("a", "b"))
            await (one, two)[number % 2].ask(request)
            await (two, one)[number % 2].ask(request)
        assert (len(first.asked), len(second.asked)) == (10, 10)
        assert (one.hits, two.hits) == (10, 10)
        await one.close()
        await two.close()

    asyncio.run(main())


def foreign(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE mine (x)")
    database.commit()
    database.close()


def cut_short(path: Path) -> None:
    asyncio.run(
        asked(path, fake("hash"), *((Request((("user", str(i)),), ("a",)), 0) for i in range(99)))
    )
    path.write_bytes(path.read_bytes()[:6000])


@pytest.mark.parametrize(
    "damage",
    [lambda path: path.write_text("no database, but long enough" * 99), foreign, cut_short],
)
def test_a_store_that_is_none_is_said_and_left_untouched(tmp_path: Path, damage: object) -> None:
    path = tmp_path / "store.sqlite"
    damage(path)  # type: ignore[operator]
    before = path.read_bytes()
    with pytest.raises(ModelError, match=r"store\.sqlite: the store of answers cannot be used"):
        asyncio.run(asked(path, fake("hash"), (REQUEST, 0)))
    assert path.read_bytes() == before


def test_a_place_where_no_file_can_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="no store can be made there"):
        open_model("fake:uniform", store=tmp_path / "file" / "store")
    with pytest.raises(ModelError, match="cannot be used"):
        open_model("fake:uniform", store=tmp_path)


@pytest.mark.parametrize(("top", "sent"), [(20, 1), (0, 12)])
def test_equal_prompts_at_once_are_sent_once_where_a_server_gives_distributions(
    tmp_path: Path, top: int, sent: int
) -> None:
    request = Request((("user", "Pick.\n11: a\n12: b"),), ("11", "12"))

    async def main() -> list[Reply]:
        async with Server(Abilities(top=top, scores=False)) as server:
            remote = RemoteModel("toy", server.url)
            stored = StoredModel(remote, tmp_path / "s")
            replies = await asyncio.gather(*(stored.ask(request, draw) for draw in range(12)))
            mine = [body for body in server.asked if "Pick." in str(body)]
            assert len(mine) == sent
            await stored.close()
            return replies

    replies = asyncio.run(main())
    assert all((one.logprobs is not None) == (sent == 1) for one in replies)
