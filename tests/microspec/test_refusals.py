"""What makes no sense together is refused, in these words."""

import json
from typing import Any

import pytest

from cloudchamber.errors import SpecificationError
from cloudchamber.microspec import Microspec


def small(**parts: Any) -> Microspec:
    known: dict[str, Any] = {
        "world": {"kind": "feed", "headlines": ["a", "b", "c", "d"]},
        "population": {"groups": [{"count": 3, "decides": "random"}]},
    }
    return Microspec(**(known | parts))


PROBLEMS: list[tuple[dict[str, Any], str]] = [
    (
        {"visibility": {"fields": {"like": "hidden"}}},
        "visibility.fields.like: the world 'feed' has no such field; allowed: likes. "
        "Did you mean 'likes'?",
    ),
    (
        {"world": {"kind": "diffusion"}, "affordances": {"choose": "any"}},
        "affordances.choose: 'any' given, but in the world 'diffusion' an agent stands by one thing at a "
        "time; set it to 'one'",
    ),
    (
        {"visibility": {"top": 5}},
        "visibility.top: 5 given, but there are 4 items; at most 4",
    ),
    (
        {"visibility": {"latency": 2}},
        "visibility.latency: 2 given, but the run has 1 step, so nothing would ever be seen; "
        "lengthen turns.steps or hide the fields",
    ),
    (
        {"communication": "ring"},
        "visibility.whose: 'all' given, but communication is 'ring', where not everyone reaches "
        "everyone; set visibility.whose to 'neighbours'",
    ),
    (
        {"visibility": {"whose": "neighbours"}},
        "visibility.whose: 'neighbours' given, but in 'complete' communication all are neighbours; "
        "set it to 'all', or choose another communication",
    ),
    (
        {
            "communication": {"kind": "complete", "representation": "acts"},
            "affordances": {"presentation": "one at a time"},
        },
        "communication.representation: 'acts' given, but with affordances.presentation 'one at a "
        "time' a reader judges one item and sees only its counts; set it to 'counts'",
    ),
    (
        {"visibility": {"order": {"kind": "fixed", "items": [0, 1, 2]}}},
        "visibility.order.items: must name each of the 4 items (0 to 3) once; given 3 entries",
    ),
    (
        {"visibility": {"order": {"kind": "engineered", "pinned": [4]}}},
        "visibility.order.pinned: [4] given; allowed: different items from 0 to 3",
    ),
    (
        {"visibility": {"order": {"kind": "engineered", "pinned": [1, 1]}}},
        "visibility.order.pinned: [1, 1] given; allowed: different items from 0 to 3",
    ),
    (
        {
            "visibility": {
                "order": {
                    "kind": "engineered",
                    "pinned": [1],
                    "rest": {"kind": "fixed", "items": [9]},
                }
            }
        },
        "visibility.order.items: must name each of the 4 items (0 to 3) once; given 1 entries",
    ),
    (
        {"communication": {"kind": "star", "hub": 3}, "visibility": {"whose": "neighbours"}},
        "communication.hub: 3 given, but there are 3 agents (0 to 2)",
    ),
    (
        {
            "communication": {"kind": "edges", "pairs": [[0, 7]]},
            "visibility": {"whose": "neighbours"},
        },
        "communication.pairs: [(0, 7)] given, but agents are 0 to 2",
    ),
    (
        {
            "communication": {"kind": "edges", "pairs": [[1, 1]]},
            "visibility": {"whose": "neighbours"},
        },
        "communication.pairs: [(1, 1)] given, but a tie is between two agents; leave it out",
    ),
    (
        {"communication": {"kind": "ring", "k": 2}, "visibility": {"whose": "neighbours"}},
        "communication.k: 2 on each side given, but there are 3 agents; at most 1",
    ),
    (
        {"communication": "watts-strogatz", "visibility": {"whose": "neighbours"}},
        "communication.k: 4 given, but there are 3 agents; at most 2",
    ),
    (
        {
            "communication": {"kind": "barabasi-albert", "m": 3},
            "visibility": {"whose": "neighbours"},
        },
        "communication.m: 3 given, but there are 3 agents; at most 2",
    ),
    (
        {
            "turns": {"kind": "sequential", "order": "endogenous"},
            "population": {"groups": [{"decides": "random"}]},
        },
        "turns.order: 'endogenous' given, but one agent alone has nobody to name",
    ),
    (
        {"turns": {"kind": "asynchronous", "rates": [1.0, 2.0]}},
        "turns.rates: 2 given for 1 group; give one for all or one for each group",
    ),
    (
        {"affordances": {"acts": ["lik"]}},
        "affordances.acts: the world has no act 'lik'; allowed: like. Did you mean 'like'?",
    ),
    (
        {"affordances": {"choose": "up to", "most": 5}},
        "affordances.most: 5 given, but 4 items are shown; at most 4",
    ),
    (
        {
            "world": {"kind": "feed", "headlines": [str(n) for n in range(27)]},
            "affordances": {"labels": "letters"},
        },
        "affordances.labels: 'letters' given for 27 options; letters name at most 26; use 'codes', "
        "or set visibility.top",
    ),
    (
        {
            "world": {"kind": "feed", "headlines": ["Rain", "Rain "]},
            "affordances": {"labels": "words"},
        },
        "affordances.labels: 'words' given, but the world 'feed' has items with the same words; use 'codes'",
    ),
    (
        {"affordances": {"scoring": "shown"}},
        "affordances.scoring: 'shown' given, but the world 'feed' scores nothing here; set a reward",
    ),
    (
        {
            "population": {"groups": [{"decides": "model"}]},
            "affordances": {"choose": "any"},
        },
        "population.groups.0.decides: a language model cannot say by one answer which of a list it "
        "would take; set affordances.presentation to 'one at a time', or affordances.choose to "
        "'up to'",
    ),
    (
        {
            "population": {"groups": [{"decides": {"kind": "model", "readout": "sample"}}]},
            "affordances": {"choose": "up to", "most": 2},
        },
        "population.groups.0.decides: a sampled answer names one option; set affordances.picks to "
        "'one by one', readout to 'exact', or affordances.choose to 'one'",
    ),
    (
        {"affordances": {"picks": "one by one"}},
        'picks: "one by one" given, but choose is "one"; set choose to "up to"',
    ),
    ({"affordances": {"most": 2}}, 'most: 2 given, but choose is "one"; set choose to "up to"'),
    (
        {"population": {"groups": [{"decides": "random"}, {"decides": "random"}]}},
        "each group needs a name of its own; given twice: ['agents']",
    ),
    (
        {"communication": {"kind": "watts-strogatz", "k": 3}},
        "k: 3 given; allowed: even numbers, half on each side",
    ),
    (
        {"visibility": {"fields": {"likes": {"kind": "bucketed", "edges": [5, 2]}}}},
        "edges must rise; given [5.0, 2.0]",
    ),
    (
        {"world": {"kind": "feed", "headlines": ["a", "b"], "likes": [1]}},
        "likes: 1 given for 2 headlines; give one for each, or none",
    ),
]


@pytest.mark.parametrize(("parts", "message"), PROBLEMS, ids=[words[:40] for _, words in PROBLEMS])
def test_what_makes_no_sense_is_refused_in_these_words(parts: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecificationError) as caught:
        small(**parts)
    assert message in str(caught.value)
    tree = json.loads(small().to_json()) | parts
    with pytest.raises(SpecificationError) as read:
        Microspec.from_json(json.dumps(tree))
    assert message in str(read.value)
