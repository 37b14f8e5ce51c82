"""The feed: its items from files, what a like does, what a prompt holds."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cloudchamber.errors import FieldDataError, SpecificationError
from cloudchamber.microspec.world import Acts, Glimpse, Opening, Remembered, Shown
from cloudchamber.trace.tables import Kind
from cloudchamber.worlds import Feed
from cloudchamber.worlds.feed_words import Wording

THREE = ("Rain at noon", "Bread is back", "A train is late")


def acts(agent: list[int], item: list[int], run: list[int] | None = None) -> Acts:
    rows = np.array(run or [0] * len(agent))
    return Acts(rows, np.array(agent), np.array(item), np.arange(len(agent)), 0)


def test_likes_count() -> None:
    feed = Feed(headlines=THREE, likes=(5.0, 0.0, 0.0))
    state = feed.start(Opening.of(2, 3))
    feed.apply(state, acts([0, 1, 2, 0], [0, 0, 2, 1], [0, 0, 0, 1]))
    assert state.tally.tolist() == [[7, 0, 1], [5, 1, 0]]
    assert not state.score.any()


def test_a_like_scores_the_quality() -> None:
    feed = Feed(headlines=THREE, quality=(0.5, -1.0, 2.0), reward="quality")
    state = feed.start(Opening.of(1, 2))
    feed.apply(state, acts([0, 0, 1], [0, 2, 1]))
    assert state.score.tolist() == [[2.5, -1.0]]


def test_a_like_scores_agreement_with_what_was_before_its_batch() -> None:
    feed = Feed(headlines=THREE, reward="agreement")
    state = feed.start(Opening.of(1, 2))
    feed.apply(state, acts([0, 1], [0, 0]))
    assert state.score.tolist() == [[0.0, 0.0]], "nobody had liked anything"
    feed.apply(state, acts([0, 1], [0, 1]))
    assert state.score.tolist() == [[1.0, 0.0]]
    feed.apply(state, acts([1], [0]))
    assert state.score.tolist() == [[1.0, 0.75]]


def test_similarity_is_the_cosine_of_words() -> None:
    feed = Feed(headlines=("a b", "A b", "b c", "x", " "))
    like = feed.similarity()
    assert np.allclose(like[0], [1, 1, 0.5, 0, 0]) and np.allclose(like, like.T)


def glimpse(kind: Kind = Kind.choose, may_decline: bool = False, **signals: float) -> Glimpse:
    options = (Shown(2, "41", signals), Shown(0, "17", signals))
    return Glimpse(kind, options[: 1 if kind is Kind.judge else 2], (), 1, may_decline)


def test_a_list_in_words() -> None:
    feed = Feed(headlines=THREE, wording="plain")
    prompt = feed.prompt(glimpse(likes=1.0))
    assert prompt.user == (
        "41: A train is late (1 like)\n17: Rain at noon (1 like)\n\n"
        "Which item do you like most? Answer with its code."
    )
    assert prompt.answers == ("41", "17")
    assert "(" not in feed.prompt(glimpse()).user, "hidden likes leave no trace"
    assert feed.prompt(glimpse(may_decline=True)).answers == ("41", "17", "None")


def test_one_item_in_words() -> None:
    prompt = Feed(headlines=THREE).prompt(glimpse(Kind.judge, likes=45.0))
    assert prompt.user == (
        "A train is late\n\nDo you like this item? 45 other readers liked this item. Answer Yes or No."
    )
    assert prompt.answers == ("Yes", "No")
    assert prompt.text().endswith("Answer Yes or No.\n\nMy answer: ")


@pytest.mark.parametrize(
    ("wording", "told"),
    [
        ("plain", "45 other readers liked this item. Do you like this item? Answer Yes or No."),
        ("placebo", "Do you like this item? This item has number 45. Answer Yes or No."),
    ],
)
def test_other_wordings_of_the_same_exposure(wording: Wording, told: str) -> None:
    prompt = Feed(headlines=THREE, wording=wording).prompt(glimpse(Kind.judge, likes=45.0))
    assert prompt.user.splitlines()[-1] == told
    assert bool(prompt.begin) == (wording == "placebo")


def test_what_recurs_is_the_item_and_the_question_where_likes_follow() -> None:
    feed = Feed(headlines=THREE)
    for likes in (3.0, 410.0):
        prompt = feed.prompt(glimpse(Kind.judge, likes=likes))
        assert prompt.user[: prompt.recurs] == "A train is late\n\nDo you like this item?"
    assert feed.prompt(glimpse(Kind.judge)).recurs == 0, "nothing follows that differs"
    own = replace(glimpse(Kind.judge, likes=3.0), heard=(Remembered("own", 0, -1, 1, np.nan),))
    assert feed.prompt(own).recurs == 0, "a past of one's own comes first"


def test_what_is_heard_in_words() -> None:
    heard = (
        Remembered("others", 1, 7, 0, float("nan")),
        Remembered("own", 0, 1, 1, float("nan")),
        Remembered("own", 0, 1, 3, 4.0),
        Remembered("score", -1, -1, 0, 2.5),
    )
    asked = Glimpse(Kind.choose, glimpse().options, heard, 1, False)
    told = Feed(headlines=THREE).prompt(asked).user.splitlines()[:4]
    assert told == [
        "Reader 7 liked (just now): Bread is back",
        "You liked (1 round ago): Rain at noon",
        "You have liked this 4 times: Rain at noon",
        "Your score so far: 2.5.",
    ]


def test_items_from_a_csv(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text(
        'headline,quality,source\n"Rain, at noon",1.5,x\nBread,-2,y\n,3,z\n', encoding="utf-8-sig"
    )
    feed = Feed.from_file(path)
    assert feed.headlines == ("Rain, at noon", "Bread") and feed.quality == (1.5, -2.0)
    assert Feed.from_file(path, reward="quality").reward == "quality"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "headline;topic\nRain, at noon;x\nBread;y\n"),
        ("a.csv", '"topic"\t"headline"\nx\tRain, at noon\ny\tBread\n'),
        ("a.tsv", "headline\nRain, at noon\nBread\n"),
        ("a.csv", '\ufeffheadline\r\n"Rain,\r\nat noon"\r\n\r\n  Bread\r\n'),
        ("a.csv", '\n Headline ,x\r"Rain,  at noon",1\rBread,\r'),
        ("a.csv", '"topic";"headline"\n"x";"Rain, at noon"\n"y";"Bread"\n'),
        ("a.CSV", 'headline,\n"Rain, at noon",\nBread,,,\n'),
        ("a.txt", "\ufeffRain,\tat noon\r\n\r\nBread"),
        ("a", "Rain, at noon\nBread\n"),
    ],
)
def test_items_as_spreadsheets_and_editors_save_them(
    tmp_path: Path, name: str, content: str
) -> None:
    (tmp_path / name).write_bytes(content.encode())
    assert Feed.from_file(tmp_path / name).headlines == ("Rain, at noon", "Bread")


def test_the_same_headline_twice_is_two_items(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("headline\nRain\nRain\n")
    assert Feed.from_file(tmp_path / "a.csv").headlines == ("Rain", "Rain")


def test_items_from_lines(tmp_path: Path) -> None:
    path = tmp_path / "items.txt"
    path.write_text("Rain\n\n  Bread  \n", encoding="utf-8")
    assert Feed.from_file(path).headlines == ("Rain", "Bread")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"title\nx\ny\n", "has no column 'headline'; its columns are: title"),
        ("a.csv", b"headline\nx\n", "holds 1 item; a feed needs at least 2"),
        (
            "a.csv",
            b"headline,quality\nx,1\ny,good\n",
            "column 'quality' holds something that is no number",
        ),
        ("a.txt", b"", "holds 0 items"),
        ("a.txt", b"\xff\xfe\x00", "is not UTF-8 text .*save it as UTF-8"),
        ("missing.txt", None, "cannot read the items in .*: No such file"),
    ],
)
def test_files_that_cannot_be_read(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(FieldDataError, match=message):
        Feed.from_file(tmp_path / name)


def test_feeds_that_make_no_sense() -> None:
    with pytest.raises(SpecificationError, match="headlines: .*at least 2"):
        Feed(headlines=("one",))
    with pytest.raises(SpecificationError, match="at least 1 character"):
        Feed(headlines=("", "x"))
    with pytest.raises(SpecificationError, match="likes.0: .*greater than or equal to 0"):
        Feed(headlines=THREE, likes=(-1.0, 0.0, 0.0))
    with pytest.raises(SpecificationError, match="quality: 2 given for 3 headlines"):
        Feed(headlines=THREE, quality=(1.0, 2.0))


def test_it_reads_aloud() -> None:
    assert Feed.of(4).aloud() == "a feed of 4 items that readers may like"
    assert Feed.of(2, likes=(3.0, 0.0), reward="quality").aloud() == (
        "a feed of 2 items that readers may like; some start with likes (3 in all); "
        "a like scores the item's quality"
    )


@pytest.mark.parametrize("items", [1, -3, 2.0, "many"])
def test_a_feed_of_no_number_of_items_is_refused_in_words(items: Any) -> None:
    with pytest.raises(SpecificationError, match=f"Feed.of: {items!r} items given; allowed: a wh"):
        Feed.of(items)
