"""Paths into a specification: what lies where, what is near a path that leads nowhere, what is set there.

A path is dotted; an entry of a list is a number, as "population.groups.0.count" or
"population.groups[0].count". Two paths name no field but what follows from several: the number of agents
(`population.count`) and a group's share of them (`population.groups[0].share`). What is stored are sizes.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher, get_close_matches
from math import floor, isfinite
from typing import Any

from cloudchamber.errors import SpecificationError, nearest
from cloudchamber.microspec.value import Family, Value

__all__ = ["check", "every", "overlap", "plain", "put"]

NEAR = 3
"""Paths that are named where one leads nowhere."""
_SHARE = re.compile(r"population\.groups\.(\d+)\.share")
_COUNT = "population.count"

Known = Callable[[], Iterable[str]]


def plain(path: str) -> str:
    """A path in its dotted form: "population.groups.0.count" for "population.groups[0].count"."""
    return ".".join(_parts(path))


def overlap(path: str, other: str) -> bool:
    """Whether one path is the other or lies within it, so that setting both has no meaning.

    A share sets the sizes of all groups; the number of agents can be set beside it.
    """
    one, two = plain(path), plain(other)
    if _COUNT in (one, two) and one != two:
        shared = _SHARE.fullmatch(two if one == _COUNT else one)
        return not shared and _within(_written(one), _written(two))
    return _within(_written(one), _written(two))


def _written(path: str) -> list[str]:
    """The fields that setting a path writes."""
    sizes = path == _COUNT or _SHARE.fullmatch(path)
    return ["population", "groups", "*", "count"] if sizes else path.split(".")


def _within(one: Sequence[str], other: Sequence[str]) -> bool:
    pairs = zip(one, other, strict=False)
    return all(a == b or "*" in (a, b) for a, b in pairs)


def every(tree: object, path: str = "") -> Iterator[str]:
    """Every path of a tree of plain JSON, parts before what they are made of."""
    parts: Iterable[tuple[Any, Any]] = ()
    if isinstance(tree, Mapping):
        parts = tree.items()
    elif isinstance(tree, list) and any(isinstance(part, Mapping) for part in tree):
        parts = enumerate(tree)
    for key, part in parts:
        below = f"{path}.{key}" if path else str(key)
        yield below
        yield from every(part, below)


def put(tree: Any, changes: Mapping[str, object], known: Known) -> None:
    """Set what lies at some paths of a tree of plain JSON, in order; sizes of groups at the end, together.

    Args:
        tree: a whole specification; it is changed.
        changes: a value, or plain JSON, for each path; a string may name a kind with its defaults.
        known: gives paths that may have been meant.

    Raises:
        SpecificationError: a path leads nowhere, or shares make no sense.
    """
    named, sizes = set[str](), dict[str, object]()
    for path, value in changes.items():
        dotted = plain(path)
        if dotted == _COUNT or _SHARE.fullmatch(dotted):
            sizes[dotted] = value
        else:
            _set(tree, path, value, named, known)
    if sizes:
        _resize(tree["population"]["groups"], sizes)


def check(tree: Any, paths: Sequence[str], known: Known) -> None:
    """See that each path leads somewhere, or into what another of them sets.

    Raises:
        SpecificationError: the first that does not; lists the near ones.
    """
    dotted = [plain(path) for path in paths]
    for path, here in zip(paths, dotted, strict=True):
        share = _SHARE.fullmatch(here)
        if any(here.startswith(f"{other}.") for other in dotted) or here == _COUNT:
            continue
        parts = _parts(path)[:-1] if share else _parts(path)
        node, walked = tree, list[str]()
        for part in parts:
            if walked and walked[-1] == "fields":
                break  # what a world shows is checked with the whole
            node = node[_key(node, part, path, walked, known)]
            walked.append(part)


def _parts(path: str) -> list[str]:
    return [part for part in re.split(r"[.\[\]]+", path) if part]


def _set(tree: Any, path: str, value: object, named: set[str], known: Known) -> None:
    """Set what lies at a path of a tree of plain JSON; remember where a kind was set by its name."""
    *parents, last = _parts(path)
    node, walked, fresh = tree, list[str](), False
    for part in parents:
        key = part if fresh else _key(node, part, path, walked, known)
        walked.append(part)
        if ".".join(walked) in named and isinstance(node[key], str):
            node[key], fresh = {"kind": node[key]}, True  # its parts are checked with the whole
        node = node[key]
    open_ended = fresh or (bool(walked) and walked[-1] == "fields")
    given = value.model_dump(mode="json") if isinstance(value, Value) else value
    node[last if open_ended else _key(node, last, path, walked, known)] = given
    if isinstance(given, str):
        named.add(".".join([*walked, last]))


def _key(node: object, part: str, path: str, walked: list[str], known: Known) -> Any:
    here = ".".join(walked) or "the microspecification"
    if isinstance(node, list):
        if part.isdecimal() and int(part) < len(node):
            return int(part)
        allowed = f"allowed: 0 to {len(node) - 1}." if node else "it is empty."
        raise SpecificationError(f"{path}: {here} has no entry {part!r}; {allowed}")
    if not isinstance(node, dict):
        told = f"{path}: {here} is {node!r} and has no parts."
        raise SpecificationError(told + _near(path, known))
    if part not in node:
        raise SpecificationError(
            f"{path}: {here} has no field {part!r}; {nearest(part, node)}{_elsewhere(node, part)}"
            f"{_near(path, known)}"
        )
    return part


def _near(path: str, known: Known) -> str:
    """Whole paths that may have been meant: of the same last name, then those that look alike."""
    there, dotted = list(known()), plain(path)
    last = dotted.rpartition(".")[2]
    same = [one for one in there if one.rpartition(".")[2] == last]
    same.sort(key=lambda one: -SequenceMatcher(None, dotted, one).ratio())
    alike = get_close_matches(dotted, there, n=NEAR, cutoff=0.7)
    near = list(dict.fromkeys([*same, *alike]))[:NEAR]
    return f" Near paths: {', '.join(near)}." if near else ""


def _elsewhere(node: Mapping[str, object], part: str) -> str:
    """Which other kinds of the same family have such a field."""
    kind = node.get("kind")
    for family in Family.__subclasses__():
        own = family.kinds.get(str(kind))
        if own is not None and set(own.model_fields) == set(node):
            others = sorted(k for k, one in family.kinds.items() if part in one.model_fields)
            if others:
                return f" Of kind {' or '.join(map(repr, others))} it would have one."
    return ""


def _resize(groups: Sequence[dict[str, Any]], sizes: Mapping[str, object]) -> None:
    """Give groups their sizes: some have the share they are told, the others split the rest as before."""
    before = [int(group.get("count", 1)) for group in groups]
    total = sum(before)
    if _COUNT in sizes:
        given = sizes[_COUNT]
        if not isinstance(given, int) or isinstance(given, bool) or given < 1:
            raise SpecificationError(
                f"{_COUNT}: {given!r} was given; allowed: a whole number from 1."
            )
        total = given
    shares = _shares(groups, sizes)
    rest = 1 - sum(shares.values())
    others = sum(n for index, n in enumerate(before) if index not in shares)
    if abs(rest) > 1e-9 and (rest < 0 or not others):
        told = ", ".join(f"{share:g} for group {index}" for index, share in shares.items())
        more = "more than 1" if rest < 0 else "and nobody is left to be the rest"
        raise SpecificationError(f"population.groups: shares of {told} were given, {more}.")
    ideal = [
        total * (shares[index] if index in shares else max(rest, 0.0) * n / others if others else 0)
        for index, n in enumerate(before)
    ]
    for group, size in zip(groups, _whole(ideal, total), strict=True):
        group["count"] = size


def _shares(groups: Sequence[object], sizes: Mapping[str, object]) -> dict[int, float]:
    shares = dict[int, float]()
    for path, share in sizes.items():
        match = _SHARE.fullmatch(path)
        if not match:
            continue
        index = int(match[1])
        if index >= len(groups):
            raise SpecificationError(
                f"{path}: population.groups has no entry {match[1]!r}; allowed: 0 to {len(groups) - 1}."
            )
        if (
            not isinstance(share, int | float)
            or isinstance(share, bool)
            or not isfinite(share)
            or not 0 <= share <= 1
        ):
            raise SpecificationError(f"{path}: {share!r} was given; allowed: a number from 0 to 1.")
        shares[index] = float(share)
    return shares


def _whole(ideal: Sequence[float], total: int) -> list[int]:
    """Whole numbers of the same sum, by the largest remainders; of equal ones the first group's."""
    settled = [round(number, 9) for number in ideal]  # 0.3 of 10 agents are 3
    sizes = [floor(number) for number in settled]
    left = total - sum(sizes)
    order = sorted(range(len(ideal)), key=lambda index: (sizes[index] - settled[index], index))
    for index in order[:left]:
        sizes[index] += 1
    return sizes
