"""`cloudchamber what-if`: recorded decisions, had they been shown something else."""

import re
from collections.abc import Sequence
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cloudchamber.cli.asking import Asking, asking
from cloudchamber.cli.ending import plainly
from cloudchamber.cli.explaining import built
from cloudchamber.cli.telling import say, table
from cloudchamber.cli.watching import watching
from cloudchamber.errors import SpecificationError, nearest

if TYPE_CHECKING:
    from cloudchamber.counterfactual import WhatIf
    from cloudchamber.counterfactual.changes import Change
    from cloudchamber.microspec import Microspec

__all__ = ["what_if"]

MOST = 10
"""Rows of a table."""
WORDS = 36
"""Characters of what an item says."""


@click.command("what-if")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--without",
    multiple=True,
    metavar="CHANNEL",
    help="Had it said nothing, e.g. likes, others, own; without order, options stand at random.",
)
@click.option("--absent", multiple=True, type=int, metavar="ITEM", help="Had it not been there.")
@click.option(
    "--shown", multiple=True, metavar="SIGNAL=N[@ITEM]", help="Had it been shown as so many."
)
@click.option("--lower", multiple=True, metavar="SIGNAL=N[@ITEM]", help="Had it been lower by N.")
@click.option("--higher", multiple=True, metavar="SIGNAL=N[@ITEM]", help="Had it been higher by N.")
@click.option(
    "--moved", multiple=True, metavar="ITEM=PLACE", help="Had it stood there; 1 is first."
)
@click.option(
    "--unheard", multiple=True, type=int, metavar="AGENT", help="Had its acts not been heard of."
)
@click.option(
    "--decision", multiple=True, type=int, metavar="N", help="By its number in the trace."
)
@click.option("--replicate", multiple=True, type=int, metavar="N", help="Of this run alone.")
@click.option("--cell", default="", help="Of this cell, if not the one at risk.")
@asking
@click.option("--quiet", is_flag=True, help="Print the result alone.")
@plainly
def what_if(
    asked: Asking,
    folder: Path,
    without: tuple[str, ...],
    absent: tuple[int, ...],
    shown: tuple[str, ...],
    lower: tuple[str, ...],
    higher: tuple[str, ...],
    moved: tuple[str, ...],
    unheard: tuple[int, ...],
    decision: tuple[int, ...],
    replicate: tuple[int, ...],
    cell: str,
    quiet: bool,
) -> None:
    """Ask decisions in FOLDER again, had they been shown something else.

    Under the same noise: what is picked then differs by what was shown alone. Several changes are made
    together; each --... may be repeated. Without --decision all are asked, in every run or --replicate.
    A language model is asked through the store and under caps, as by 'run'.
    """
    from cloudchamber import study as studies
    from cloudchamber.agents.society import models_of
    from cloudchamber.counterfactual import changes
    from cloudchamber.experiment import Manifest
    from cloudchamber.experiment.manifest import placed

    folder = placed(folder)
    study, results = built(folder, dict(Manifest.read(folder).options))
    world = results.require(cell or study.at_risk())
    spec = world.spec
    known = _Known(spec)
    made: list[Change] = [changes.Without(known.channel(one)) for one in without]
    made += [changes.Absent(known.item(one)) for one in absent]
    made += [changes.Shown(*known.signal("shown", one)) for one in shown]
    for name, given, sign in (("lower", lower, -1), ("higher", higher, 1)):
        for one in given:
            signal, by, item = known.signal(name, one)
            made.append(changes.Raised(signal, sign * by, item))
    made += [changes.Moved(*known.place(one)) for one in moved]
    made += [changes.Unheard(source=known.agent(one)) for one in unheard]
    if not made:
        raise SpecificationError(
            "nothing is changed; give what was other, e.g. --without likes, --absent 3, --lower likes=2@3."
        )
    names = models_of(spec)
    with watching(quiet or not names) as watch:
        found = studies.what_if(
            study,
            folder,
            changes.together(*made),
            cell=cell,
            replicates=replicate or None,
            decisions=decision or None,
            means=asked.means(watch),
        )
    tell(found, world.name, spec)


def tell(found: "WhatIf", cell: str, spec: "Microspec") -> None:
    """Print what would have been: of one decision its options, of several the ones that move most."""
    if len(found) == 1:
        _one(found, cell, spec)
        return
    runs = len(set(found.replicate.tolist()))
    changed = int(found.changed.sum())
    say(
        f"{cell}: {len(found):,} decisions in {runs} run{'' if runs == 1 else 's'}, of which {changed:,} are "
        "shown something else."
    )
    say(f"Another pick under the same noise: {found.mean('moved')}")
    say(f"Distance of the two distributions: {found.mean('distance')}")
    told = found.table()
    most = told[found.changed].sort_values("distance", ascending=False, kind="stable").head(MOST)
    if not len(most):
        return
    say(f"\n{'All' if changed <= MOST else f'The {MOST} that move most'}:\n")
    rows: list[tuple[str, ...]] = [
        ("replicate", "decision", "step", "agent", "picked", "would", "distance")
    ]
    for row in most.to_dict("records"):
        which = [f"{row[name]:.0f}" for name in rows[0][:4]]
        picks = [_item(row[name]) for name in ("picked", "would")]
        rows.append((*which, *picks, _number(row["distance"])))
    table(rows)


def _one(found: "WhatIf", cell: str, spec: "Microspec") -> None:
    shift, words = found.shift, spec.world.words()
    picked, would = int(shift.picked[0, 0]), int(shift.would[0, 0])
    who = f"agent {found.agent[0]} in step {found.step[0]}"
    say(f"{cell}, replicate {found.replicate[0]}, decision {found.decision[0]}: {who}.")
    options = found.options()
    likely = options[["before", "after"]].max(axis=1)
    likely += options["item"].isin([picked, would]) * 2.0  # of these in any case
    some = options.loc[likely.sort_values(ascending=False, kind="stable").index[:MOST]]
    some = some.sort_values("place")
    signals = [name for name in options if name in found.signals]
    rows: list[tuple[str, ...]] = [
        ("place", "item", *map(str, signals), "before", "after", "", *(["words"] if words else []))
    ]
    for row in some.to_dict("records"):
        item = int(row["item"])
        mark = "picked" if item == picked else ""
        mark += (", and so then" if mark else "picked then") if item == would else ""
        told = [str(row["place"]), str(item), *(_number(row[name]) for name in signals)]
        told += [_number(row["before"]), _number(row["after"]), mark]
        rows.append((*told, *([_short(words[item])] if words else [])))
    say()
    table(rows, left=("", "words"))
    left = len(options) - len(some)
    more = f"{left} more option{'' if left == 1 else 's'}, all less likely. " if left else ""
    told_by = str(found)
    say(f"\n{more}{told_by[0].upper()}{told_by[1:]}.")
    if not found.changed[0]:
        say("The change changes nothing of what it was shown.")


def _item(item: float) -> str:
    return f"{item:.0f}" if item >= 0 else "nothing"


def _number(value: float) -> str:
    return "" if isnan(value) else f"{value:.3g}"


def _short(text: str) -> str:
    return text if len(text) <= WORDS else f"{text[: WORDS - 3]}..."


class _Known:
    """What there is to be changed in a specification; what there is not is refused."""

    def __init__(self, spec: "Microspec") -> None:
        from cloudchamber.counterfactual import channels_of

        self.items, self.agents = spec.world.items, spec.population.count
        self.signals = (*spec.world.fields, *spec.world.private)
        self.channels = channels_of(spec)

    def channel(self, given: str) -> str:
        return self._named("without", given, self.channels)

    def item(self, given: int) -> int:
        return self._within("item", given, self.items)

    def agent(self, given: int) -> int:
        return self._within("agent", given, self.agents)

    def signal(self, option: str, given: str) -> tuple[str, float, int | None]:
        match = re.fullmatch(r"([^=@]+)=(\d+(?:\.\d+)?)(?:@(\d+))?", given.strip())
        if not match:
            raise SpecificationError(
                f"--{option} {given}: give SIGNAL=N, or SIGNAL=N@ITEM for one item, e.g. likes=2@3."
            )
        item = None if match[3] is None else self.item(int(match[3]))
        return self._named(option, match[1], self.signals), float(match[2]), item

    def place(self, given: str) -> tuple[int, int]:
        match = re.fullmatch(r"(\d+)=(\d+)", given.strip())
        if not match:
            raise SpecificationError(
                f"--moved {given}: give ITEM=PLACE, e.g. 3=1 for the first place."
            )
        return self.item(int(match[1])), int(match[2])

    @staticmethod
    def _named(option: str, given: str, there: Sequence[str]) -> str:
        if given not in there:
            raise SpecificationError(
                f"--{option}: {given!r}; {nearest(given, there, as_given=True)}"
            )
        return given

    @staticmethod
    def _within(what: str, given: int, count: int) -> int:
        if not 0 <= given < count:
            raise SpecificationError(f"{what} {given} was given; allowed: 0 to {count - 1}.")
        return given
