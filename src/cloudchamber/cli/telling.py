"""What is printed: columns, tables of cells, and texts that cannot steer a terminal."""

from collections.abc import Collection, Mapping, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from cloudchamber.experiment import Cell
    from cloudchamber.study import Study

__all__ = ["cells", "columns", "say", "table"]

WIDEST = 100
"""Columns of a line."""


def say(text: str = "", *, err: bool = False) -> None:
    """Print a text; codes that would steer the terminal, or turn the reading around, are shown."""
    from cloudchamber.report.frames import visible  # `--help` need not wait for it

    click.echo(visible(text), err=err)


def columns(title: str, told: Mapping[str, str]) -> None:
    """Print names and what they are, below a title; no line is wider than 100 columns."""
    say(f"{title}:")
    width = max(map(len, told), default=0)
    for name, text in told.items():
        first, *rest = wrap(text, max(WIDEST - width - 4, 20), break_on_hyphens=False) or [""]
        say(f"  {name:<{width}}  {first}".rstrip())
        for line in rest:
            say(f"  {'':<{width}}  {line}")
    say()


def table(rows: Sequence[Sequence[str]], left: Collection[str] = ()) -> None:
    """Print rows, the head first; to the right of their columns, but for those called as in `left`."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        told = [
            cell.ljust(width) if name in left else cell.rjust(width)
            for cell, width, name in zip(row, widths, rows[0], strict=True)
        ]
        say(f"  {'  '.join(told)}".rstrip())


def cells(built: "Study") -> None:
    """Print a study's cells: what each is called, its specification's hash, and what it comes to."""
    from cloudchamber.experiment.driver import questions_of

    design = built.design()
    first: dict[str, Cell] = {}
    rows = [("cell", "specification", "decisions a run")]
    for cell in design:
        twin = first.setdefault(cell.id, cell)
        rows.append(
            (cell.name, cell.id, f"{questions_of(cell):,}")
            if twin is cell
            else (cell.name, f"that of {twin.name}", "")
        )
    names = max(len(name) for name, _, _ in rows)
    hashes = len(rows[0][1])
    for name, told, count in rows:
        say(f"  {name:<{names}}  {told:<{hashes}}  {count:>15}".rstrip())
    total = sum(questions_of(cell) for cell in first.values()) * built.replicates
    shared = len(design) - len(first)
    say(
        f"\n{len(design)} cells"
        + (f", of which {shared} share another's specification and its runs" if shared else "")
        + f": {len(first)} specifications x {built.replicates} replicates = "
        f"{len(first) * built.replicates:,} runs, {total:,} decisions."
    )
