"""Every pair of a world and a regime is grown, or refused by a sentence that names the field.

`python tests/laws/test_pairs.py` writes the table, docs/reference/worlds-and-regimes.md, anew.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cloudchamber import worlds
from cloudchamber.errors import SpecificationError
from cloudchamber.microspec import Microspec, World
from cloudchamber.testing import grown, laws
from cloudchamber.testing.small import small
from cloudchamber.trace.canonical import digest_of

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "worlds-and-regimes.md"
OURS: dict[str, World] = {
    world.kind: world
    for world in (
        worlds.Feed.of(6, quality=(0.0, 1.0, 2.0, 0.5, -1.0, 0.0)),
        *(
            of.model_validate({"kind": kind})
            for kind, of in sorted(World.kinds.items())
            if of.__module__.startswith("cloudchamber.worlds.") and kind != "feed"
        ),
    )
    if isinstance(world, World)
}
NEIGHBOURS = {"visibility.whose": "neighbours"}
SINGLE = {"representation": "acts", "last": 2}
WRITERS = {"population.groups[0].decides": {"kind": "model", "model": "fake:hash"}}

REGIMES: dict[str, dict[str, Mapping[str, Any]]] = {
    "Communication": {
        "complete": {"communication": "complete"},
        "complete, single acts": {"communication": {"kind": "complete", **SINGLE}},
        "complete, messages": {"communication": {"kind": "complete", "messages": 9}, **WRITERS},
        "ring": {"communication": "ring", **NEIGHBOURS},
        "ring, single acts": {"communication": {"kind": "ring", **SINGLE}, **NEIGHBOURS},
        "small world": {"communication": {"kind": "watts-strogatz", "k": 2}, **NEIGHBOURS},
        "scale-free": {"communication": {"kind": "barabasi-albert", "m": 1}, **NEIGHBOURS},
        "random network": {"communication": {"kind": "erdos-renyi", "p": 0.5}, **NEIGHBOURS},
        "star": {"communication": "star", **NEIGHBOURS},
        "given edges": {"communication": {"kind": "edges", "pairs": [[0, 1]]}, **NEIGHBOURS},
        "random pairs": {"communication": "random-pairs", **NEIGHBOURS},
    },
    "Visibility": {
        "counts hidden": {"visibility.fields.*": "hidden"},
        "counts as yes or no": {"visibility.fields.*": "binary"},
        "counts in buckets": {"visibility.fields.*": "bucketed"},
        "counts blurred": {"visibility.fields.*": "noisy"},
        "counts dealt anew": {"visibility.fields.*": "dealt"},
        "counts set beforehand": {"visibility.fields.*": "seeded"},
        "what is remembered, hidden": {"visibility.fields.results": "hidden"},
        "options shuffled": {"visibility.order": "shuffled"},
        "options in a fixed order": {"visibility.order": "fixed"},
        "options by popularity": {"visibility.order": "popularity"},
        "options by time": {"visibility.order": "chronological"},
        "one option pinned": {"visibility.order": {"kind": "engineered", "pinned": [0]}},
        "the first option only": {"visibility.top": 1},
        "one step late": {"visibility.latency": 1},
    },
    "Turns": {
        "simultaneous": {"turns": {"kind": "simultaneous", "steps": 2}},
        "sequential": {"turns": {"kind": "sequential", "steps": 2}},
        "each names the next": {"turns": {"kind": "sequential", "order": "endogenous"}},
        "asynchronous": {"turns": {"kind": "asynchronous", "steps": 2}},
        "meetings, one by one": {"turns": {"kind": "meetings", "steps": 2}},
        "meetings at once": {"turns": {"kind": "meetings", "steps": 2, "at_once": True}},
    },
    "Memory": {
        "none": {"memory": "none"},
        "window": {"memory": {"kind": "window", "k": 2}},
        "notes and a window": {"memory": {"kind": "notes", "k": 2, "words": 9}, **WRITERS},
        "summary": {"memory": "summary"},
        "retrieval by recency": {"memory": {"kind": "retrieval", "relevance_weight": 0}},
        "retrieval by relevance": {"memory": "retrieval"},
    },
    "Affordances": {
        "choose one": {"affordances.choose": "one"},
        "choose one or none": {"affordances": {"choose": "one", "may_decline": True}},
        "choose up to two": {"affordances": {"choose": "up to", "most": 2}},
        "up to two, one by one": {
            "affordances": {"choose": "up to", "most": 2, "picks": "one by one"}
        },
        "choose any": {"affordances": {"choose": "any"}},
        "one item at a time": {"affordances": {"presentation": "one at a time"}},
        "amounts": {"affordances": {"choose": "amount"}},
        "score shown": {"affordances.scoring": "shown"},
    },
}
"""By the kind of regime and a name: what it changes. A star stands for what the world counts."""


@cache
def made(world: str, family: str, regime: str) -> Microspec | str:
    """The pair as a specification, or why there is none."""
    there = OURS[world]
    changes: dict[str, Any] = {}
    for path, value in REGIMES[family][regime].items():
        if path.endswith(".results"):
            if not there.results:
                return "agents are told no results"
            changes |= {f"visibility.fields.{name}": value for name in there.results}
            changes["memory"] = {"kind": "window", "k": 2}
        else:
            changes[path.replace("*", there.fields[0])] = value
    try:
        return small(there).replace_all(changes)
    except SpecificationError as error:
        return str(error)


def pairs() -> Iterator[tuple[str, str, str]]:
    for world in OURS:
        for family, regimes in REGIMES.items():
            for regime in regimes:
                yield world, family, regime


@pytest.mark.parametrize("world", OURS)
def test_what_is_not_refused_is_grown(world: str) -> None:
    """Rebuilt from its decisions, and with every exposure worked out again."""
    for there, family, regime in pairs():
        spec = made(there, family, regime)
        if there != world or isinstance(spec, str):
            continue
        laws.complete(spec)
        laws.provenance(spec)


@pytest.mark.parametrize("world", OURS)
def test_what_is_refused_is_refused_by_its_field(world: str) -> None:
    for there, family, regime in pairs():
        why = made(there, family, regime)
        if there == world and isinstance(why, str) and why != "agents are told no results":
            field = family.lower()
            assert f"{field}." in why or f"{field}:" in why, f"{regime}: {why}"


@pytest.mark.parametrize("world", OURS)
def test_one_step_late_is_as_at_once_where_all_decide_together(world: str) -> None:
    """And is said to be; two steps are not, nor is one where agents decide in turn."""
    turns = "meetings at once" if OURS[world].meets else "simultaneous"
    spec = small(OURS[world]).replace_all(dict(REGIMES["Turns"][turns]) | {"turns.steps": 3})
    assert spec.as_at_once == 1
    assert "as at once where" in spec.replace("visibility.latency", 1).aloud()
    assert shown(spec, 1) == shown(spec, 0) != shown(spec, 2)
    talking = spec.replace_all(dict(REGIMES["Communication"]["complete, messages"]))
    assert talking.as_at_once == 0
    if not OURS[world].meets:
        in_turn = spec.replace("turns", {"kind": "sequential", "steps": 3})
        assert in_turn.as_at_once == 0 and shown(in_turn, 1) != shown(in_turn, 0)


def shown(spec: Microspec, latency: int) -> str:
    """What agents were shown and did, so late."""
    trace = grown(spec.replace("visibility.latency", latency))
    return digest_of(lambda table: [trace.columns(table)] if table != "runs" else [])


def test_every_kind_of_regime_is_paired() -> None:
    """Whoever adds a kind of regime adds it above."""
    from cloudchamber.microspec import Communication, Display, Memory, Order, Turns

    named = str(REGIMES)
    for root in (Communication, Display, Memory, Order, Turns):
        for kind, of in root.kinds.items():
            ours = of.__module__.startswith("cloudchamber.")
            assert not ours or kind == "exact" or f"'{kind}'" in named, f"{kind!r} is not paired."


def test_the_table_is_as_it_is_printed() -> None:
    told = PAGE.read_text()
    assert told == table(), "run python tests/laws/test_pairs.py and commit what it writes"


def reason(world: str, why: str) -> str:
    """The first thing wrong, the same of all worlds."""
    last = why.rsplit("\n", maxsplit=1)[-1].strip().removeprefix("Microspec: ").rstrip(".")
    first = re.split(r"; (?=[a-z_.0-9]+: )", last)[0]
    return first.replace(f"the world '{world}'", "this world")


def table() -> str:
    """The page."""
    lines = [
        "# Which regimes fit which worlds",
        "",
        "Each pair is grown in the tests, rebuilt from its decisions, and every exposure worked out again",
        "by brute force; or it is refused when the specification is built, and the number points to why.",
        "`tests/laws/test_pairs.py` writes this page.",
        "",
    ]
    notes: dict[str, int] = {}
    for family, regimes in REGIMES.items():
        head = [f"**{family}**", *(f"`{world}`" for world in OURS)]
        lines += ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        for regime in regimes:
            cells = []
            for world in OURS:
                spec = made(world, family, regime)
                if isinstance(spec, str):
                    cells.append(f"({notes.setdefault(reason(world, spec), len(notes) + 1)})")
                else:
                    cells.append("grown")
            lines.append("| " + " | ".join([regime, *cells]) + " |")
        lines.append("")
    lines += [
        "One step late is as at once where all decide together, simultaneously or in meetings at once: what",
        "others do is a step old there anyway. Messages alone would be heard in the step of their writing.",
        "",
    ]
    lines += [f"{number}. {why}" for why, number in notes.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(table())
