"""What the report says of an explanation: which rule it is, by choices held out and by what it grows."""

from collections.abc import Iterator
from typing import Any

from cloudchamber.report import relocated
from cloudchamber.report.document import Block, Prose, Section
from cloudchamber.report.mechanisms import blocks_of
from cloudchamber.study.told import Told
from cloudchamber.validation.adequacy import Regrown, Rival

__all__ = ["answer", "regrown_of", "rivals_of", "section", "unknown_of"]


def rivals_of(told: Told) -> list[Rival]:
    """The rivals of the hypothesis' own mechanism, with how far it is ahead of each."""
    several = len(told.first["groups"]) > 1
    return [
        Rival(_of(one["name"], one["group"] if several else ""), told.advantage(one), one["holds"])
        for one in told.first["rivals"]
    ]


def _of(name: str, group: str) -> str:
    return f"{name} (of the {group})" if group else name


def regrown_of(told: Told) -> Regrown:
    """What the hypothesis' own mechanism grew in the agents' place."""
    name = told.facts["hypothesis"]
    known = told.first["sufficiency"].get(name)
    place = relocated.worst(told, name)
    if known is not None and place is not None and known["answer"] != "not sufficient":
        # It has to begin where the agents did, too.
        worse = known["answer"] if place["answer"] == "sufficient" else place["answer"]
        both = f"{_sentence(name, known['sentence'])} Where it begins, {place['sentence']}"
        return Regrown(worse, both)
    if known is not None:
        return Regrown(known["answer"], _sentence(name, known["sentence"]))
    why = told.first["not_regrown"].get(name, "it was not fitted")
    impossible = told.first["impossible"].get(name, 0)
    answer: Any = "not sufficient" if impossible else "cannot tell"
    return Regrown(answer, f"{_quoted(name)} was not put in the agents' place: {why}.")


def unknown_of(told: Told) -> tuple[str, ...]:
    """What the choices do not tell of the parameters of the hypothesis' own mechanism."""
    return tuple(told.first["flat"].get(told.facts["hypothesis"], ()))


def answer(told: Told) -> Iterator[str]:
    """For the summary: which rule predicts the choices, and whether the hypothesis' own suffices."""
    first = told.first
    several = len(first["as_good"]) > 1
    said = []
    for group, good in first["as_good"].items():
        rules = len(first["shares"].get(group, {}))
        if len(good) == 1:
            which = f"{_quoted(good[0])} predicts choices held out better than any rival"
        elif len(good) == rules:
            which = f"choices held out tell none of the {rules} rules apart"
        else:
            which = f"choices held out do not tell apart {_listed(good)}"
        share = first["shares"].get(group, {}).get(good[0])
        whose = "and" if len(good) == 1 else f"of which {_quoted(good[0])}"
        told_share = (
            f", {whose} comes {share:.0%} of the way from choosing blindly to exact knowledge"
            if share is not None
            else ""
        )
        said.append(f"{f'of the {group}, ' if several else ''}{which}{told_share}")
    if said:
        yield f"**Which rule**: {'; '.join(said)}."
    yield f"**Does it suffice?** {_shortly(told)}"
    yield from relocated.answers(told)


def _shortly(told: Told) -> str:
    """Whether the hypothesis' own mechanism grows the pattern, in a sentence or two."""
    name, measure = told.facts["hypothesis"], told.facts["measure"]
    known = told.first["sufficiency"].get(name)
    if known is None:
        return regrown_of(told).because
    counts, margin = known["counts"], f"to within {told.facts['margin']:g}"
    whole = sum(counts.values())
    put = f"In the agents' place {_quoted(name)}"
    if known["answer"] == "sufficient":
        return f"{put} grows the {measure} as they did, {margin}, in all {whole} cells and differences."
    if known["answer"] == "not sufficient":
        return (
            f"No. {put} grows another {measure}: beyond doubt in {counts['not sufficient']} of {whole} cells "
            f"and differences between cells, and {margin} in {counts['sufficient']}."
        )
    return (
        f"That cannot be told. {put} is shown to grow the {measure} as they did, {margin}, in "
        f"{counts['sufficient']} of {whole} cells and differences between cells; for the others there are "
        "too few runs."
    )


def section(told: Told, runs: int) -> Section:
    """The section of the report.

    Args:
        told: the explanation, as it was kept.
        runs: how many runs are there now.
    """
    blocks: list[Block] = []
    if runs != told.facts["runs"]:
        blocks.append(
            Prose(
                f"**Out of date**: explained when {told.facts['runs']:,} runs were there; now there are "
                f"{runs:,}. `cloudchamber explain` makes it anew."
            )
        )
    for part in told.facts["parts"]:
        blocks += blocks_of(told, part)
        blocks += relocated.blocks_of(told, part)
    if told.facts["left_out"]:
        by: dict[str, list[str]] = {}
        for cell, reason in told.facts["left_out"].items():
            by.setdefault(reason, []).append(cell)
        why = ". ".join(f"{'; '.join(cells)} ({reason})" for reason, cells in by.items())
        blocks.append(Prose(f"Not explained, and not regrown: {why}."))
    return Section(
        "Which rule grows it",
        None,
        "Explicit rules are fitted to what the agents were shown and chose, compared on runs they were not "
        "fitted to, and put in the agents' place in the same cells under the same noise.",
        tuple(blocks),
    )


def _sentence(name: str, sentence: str) -> str:
    return f"{_quoted(name)}: {sentence[:1].lower()}{sentence[1:]}"


def _quoted(name: str) -> str:
    return f"“{name}”"


def _listed(names: list[str]) -> str:
    *first, last = [_quoted(name) for name in names]
    return f"{', '.join(first)} and {last}" if first else last
