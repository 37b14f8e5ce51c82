"""What each mode asks, what it keeps, and what a replay knows."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cloudchamber.errors import ModelError, NotStored, SpecificationError, StoreError
from cloudchamber.models import FakeModel, Mode, Reply, Request, open_model
from cloudchamber.models.fake import FAKES, fake
from cloudchamber.models.model import pack
from cloudchamber.models.store.stored import ReplayedModel, StoredModel
from cloudchamber.testing.fakes import Dawdling

REQUEST = Request((("system", "You read."), ("user", "\n Which of these?\nA: rain")), ("a", "b"))
OTHER = Request((("user", "pick one"),), ("a", "b"))
Question = tuple[Request, int]


def answers(model: object, *questions: Question) -> list[Reply]:
    """The replies one after the other; the model is closed."""

    async def main() -> list[Reply]:
        try:
            return [await model.ask(*question) for question in questions]  # type: ignore[attr-defined]
        finally:
            await model.close()  # type: ignore[attr-defined]

    return asyncio.run(main())


def packed(replies: list[Reply]) -> list[bytes]:
    """Replies so that they compare whole, distributions and NaN too."""
    return [pack(reply) for reply in replies]


def changing(logprobs: bool = True) -> FakeModel:
    """A server that answers the same request differently each time."""
    told = 0

    def answer(request: Request) -> Reply:
        nonlocal told
        told += 1
        if logprobs:
            return Reply(np.log([1 / (told + 1), told / (told + 1)]), 1.0)
        return Reply(text=str(told), choice=told % 2)

    return FakeModel(answer, exact=False)


def test_a_replay_gives_the_same_answers_and_opens_no_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = [(REQUEST, 1), (REQUEST, 2), (OTHER, 1)]
    path = tmp_path / "s"
    first = answers(open_model("fake:sampled", store=path), *questions)
    monkeypatch.delitem(FAKES, "hash")
    monkeypatch.setattr("cloudchamber.models.opening._open", pytest.fail)
    before = path.read_bytes()
    replayed = open_model("fake:sampled", store=path, mode="replay")
    assert (replayed.name, replayed.fingerprint, replayed.exact) == (*["fake:sampled"] * 2, False)
    assert packed(answers(replayed, *questions)) == packed(first)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["s"]


def test_what_a_replay_misses_is_named(tmp_path: Path) -> None:
    answers(open_model("fake:sampled", store=tmp_path / "s"), (REQUEST, 1))
    with pytest.raises(NotStored, match="begins 'Which of these\\?'; a replay asks no model"):
        answers(ReplayedModel("fake:sampled", tmp_path / "s"), (REQUEST, 2))


def test_a_replay_of_a_model_that_the_store_does_not_know(tmp_path: Path) -> None:
    answers(open_model("fake:hash", store=tmp_path / "s"), (REQUEST, 1))
    with pytest.raises(StoreError, match="no answers of 'fake:first', but of 'fake:hash'"):
        open_model("fake:first", store=tmp_path / "s", mode="replay")
    with pytest.raises(StoreError, match="there is no store of answers"):
        open_model("fake:hash", store=tmp_path / "none", mode="replay")
    assert not (tmp_path / "none").exists()


def test_the_name_stands_for_whom_it_stood_for_last(tmp_path: Path) -> None:
    for choice, mark in ((0, "old"), (1, "new")):
        said = Reply(choice=choice, text="x")
        made = FakeModel(lambda _, said=said: said, mark, exact=False)  # type: ignore[misc]
        answers(StoredModel(made, tmp_path / "s", called="mine"), (OTHER, 7))
    (reply,) = answers(ReplayedModel("mine", tmp_path / "s"), (OTHER, 7))
    assert reply.choice == 1


def test_refresh_asks_once_again_and_replaces(tmp_path: Path) -> None:
    path, questions = tmp_path / "s", [(REQUEST, 1), (REQUEST, 1), (OTHER, 1)]
    first = answers(StoredModel(changing(False), path), *questions)
    model = changing(False)
    answers(model, (OTHER, 0))  # so that it would say something else now
    again = answers(StoredModel(model, path, refresh="one"), *questions)
    assert len(model.asked) == 1 + 2, "each question once, however often it comes"
    assert [one.text for one in again] != [one.text for one in first]
    assert packed(answers(ReplayedModel("fake", path), *questions)) == packed(again)


FREE = Request((("user", "Write a note."),), max_tokens=30)


@pytest.mark.parametrize("kind", ["hash", "sampled", "hostile", "refuse"])
def test_free_text_is_kept_for_its_draw_and_replayed_to_the_letter(
    tmp_path: Path, kind: str
) -> None:
    questions = [(FREE, draw) for draw in range(9)]
    first = answers(open_model(f"fake:{kind}", store=tmp_path / "s"), *questions)
    replayed = open_model(f"fake:{kind}", store=tmp_path / "s", mode="replay")
    assert packed(answers(replayed, *questions)) == packed(first)
    for request, draw in ((FREE, 9), (Request(FREE.messages, max_tokens=31), 0)):
        with pytest.raises(NotStored):
            answers(ReplayedModel(f"fake:{kind}", tmp_path / "s"), (request, draw))
    if kind in ("hash", "sampled"):
        assert len({reply.text for reply in first}) > 6, "identical agents share no text"


def test_free_text_is_asked_for_once_and_anew_in_a_refresh(tmp_path: Path) -> None:
    model = changing(False)
    questions = [(FREE, 1), (FREE, 1), (FREE, 2)]
    first = answers(StoredModel(model, tmp_path / "s"), *questions)
    assert [reply.text for reply in first] == ["1", "1", "2"]
    again = answers(StoredModel(model, tmp_path / "s", refresh="one"), *questions)
    assert [reply.text for reply in again] == ["3", "3", "4"]


def test_off_keeps_nothing(tmp_path: Path) -> None:
    model = open_model("fake:hash", store=tmp_path / "s", mode="off")
    answers(model, (REQUEST, 1))
    assert not list(tmp_path.iterdir())


def test_a_mode_that_is_none_is_refused(tmp_path: Path) -> None:
    mode: Mode = "read-only"  # type: ignore[assignment]
    with pytest.raises(SpecificationError, match="allowed: read-write, replay, refresh, off"):
        open_model("fake:hash", store=tmp_path / "s", mode=mode)


@pytest.mark.parametrize("kind", ["timeout", "fail", "refuse", "garbage"])
def test_a_replay_knows_of_time_outs_and_failures_too(tmp_path: Path, kind: str) -> None:
    model = open_model(f"fake:{kind}", store=tmp_path / "s")
    told = answers(model, (REQUEST, 3))
    replayed = open_model(f"fake:{kind}", store=tmp_path / "s", mode="replay")
    assert packed(answers(replayed, (REQUEST, 3))) == packed(told)


def test_an_answer_takes_a_time_outs_place_and_none_takes_an_answers(tmp_path: Path) -> None:
    late, path = Reply(status="timeout", reason="late."), tmp_path / "s"
    replies = [late, Reply(text="a", choice=0)]
    model = FakeModel(lambda _: replies[len(model.asked) - 1], exact=False)
    told = answers(StoredModel(model, path), *[(REQUEST, 1)] * 3)
    assert [one.status for one in told] == ["timeout", "ok", "ok"]
    assert len(model.asked) == 2


def test_who_waited_for_a_distribution_and_there_is_none_asks_for_itself(tmp_path: Path) -> None:
    """Or the fate of one draw would be that of all who happened to wait for it."""

    def answer(request: Request) -> Reply:
        return Reply(text=str(len(model.asked)), choice=len(model.asked) % 2)

    model = FakeModel(answer)  # it says that it is exact

    async def main() -> list[Reply]:
        stored = StoredModel(Dawdling(model), tmp_path / "s")
        replies = await asyncio.gather(*(stored.ask(REQUEST, draw % 3) for draw in range(6)))
        await stored.close()
        return replies

    replies = asyncio.run(main())
    assert packed(replies[:3]) == packed(replies[3:]) and len({one.text for one in replies}) == 3
    assert len(model.asked) == 3
    replayed = ReplayedModel("fake", tmp_path / "s")
    again = answers(replayed, *((REQUEST, draw % 3) for draw in range(6)))
    assert packed(again) == packed(replies)


def test_a_server_that_changes_its_mind_is_replayed_as_it_was(tmp_path: Path) -> None:
    """Now a distribution, now a text, never the same twice: what was told is what is told again."""
    mixed: list[Callable[[], Reply]] = [
        lambda: Reply(text="a", choice=0),
        lambda: Reply(np.log([0.5, 0.5]), 1.0),
        lambda: Reply(np.log([0.9, 0.1]), 1.0),
        lambda: Reply(text="b", choice=1),
    ]
    model = FakeModel(lambda _: mixed[(len(model.asked) - 1) % 4](), exact=False)

    async def main() -> list[Reply]:
        stored = StoredModel(Dawdling(model), tmp_path / "s")
        replies = await asyncio.gather(*(stored.ask(REQUEST, draw) for draw in range(4)))
        await stored.close()
        return replies

    told = asyncio.run(main())
    assert len(model.asked) == 4
    again = answers(ReplayedModel("fake", tmp_path / "s"), *((REQUEST, draw) for draw in range(4)))
    for one, other in zip(told, again, strict=True):
        assert pack(one) == pack(other)


def test_a_copy_holds_what_was_used_and_no_more(tmp_path: Path) -> None:
    answers(open_model("fake:sampled", store=tmp_path / "s"), *((REQUEST, n) for n in range(9)))
    answers(ReplayedModel("fake:sampled", tmp_path / "s", into=tmp_path / "c"), (REQUEST, 4))
    answers(ReplayedModel("fake:sampled", tmp_path / "c"), (REQUEST, 4))
    with pytest.raises(NotStored):
        answers(ReplayedModel("fake:sampled", tmp_path / "c"), (REQUEST, 5))


def first_version(path: Path, model: FakeModel, request: Request) -> None:
    """A store as the first version wrote it."""
    answers(StoredModel(model, path), (request, 0))
    with sqlite3.connect(path) as database:
        rows = database.execute("SELECT key, reply FROM replies").fetchall()
        database.executescript(
            "DROP TABLE models; DROP TABLE replies; PRAGMA user_version = 1; CREATE TABLE replies"
            " (key BLOB PRIMARY KEY, reply BLOB NOT NULL) WITHOUT ROWID"
        )
        database.executemany("INSERT INTO replies VALUES (?, ?)", rows)
    database.close()


def test_a_store_of_the_first_version_is_gone_on_with(tmp_path: Path) -> None:
    first_version(tmp_path / "s", fake("hash"), REQUEST)
    with pytest.raises(StoreError, match="a run that may write it brings it up to date"):
        open_model("fake:hash", store=tmp_path / "s", mode="replay")
    model = fake("hash")
    answers(StoredModel(model, tmp_path / "s"), (REQUEST, 5))
    assert model.asked == []
    answers(ReplayedModel("fake:hash", tmp_path / "s"), (REQUEST, 5))


def test_a_damaged_reply_names_the_store(tmp_path: Path) -> None:
    answers(open_model("fake:hash", store=tmp_path / "s"), (REQUEST, 0))
    with sqlite3.connect(tmp_path / "s") as database:
        database.execute("UPDATE replies SET reply = ?", (b"\x80\x04cos\nsystem\n",))
    database.close()
    for mode in ("read-write", "replay"):
        with pytest.raises(StoreError, match="the store of answers cannot be used"):
            answers(open_model("fake:hash", store=tmp_path / "s", mode=mode), (REQUEST, 0))


@pytest.mark.parametrize(
    "what", ["VIEW v AS SELECT 1", "TRIGGER t AFTER INSERT ON replies BEGIN SELECT 1; END"]
)
def test_a_store_in_which_something_would_run_is_foreign(tmp_path: Path, what: str) -> None:
    answers(open_model("fake:hash", store=tmp_path / "s"), (REQUEST, 0))
    with sqlite3.connect(tmp_path / "s") as database:
        database.execute(f"CREATE {what}")
    database.close()
    for mode in ("read-write", "replay"):
        with pytest.raises(ModelError, match="another program's database"):
            open_model("fake:hash", store=tmp_path / "s", mode=mode)
