"""`cloudchamber design`: the dry run. Which cells a study has, where each stands, and what is missing."""

from math import isnan
from typing import TYPE_CHECKING

import click

from cloudchamber.cli.ending import plainly
from cloudchamber.cli.growing import Growing, growing
from cloudchamber.cli.telling import columns, say

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["design"]


@click.command()
@growing
@click.option("--csv", "as_csv", is_flag=True, help="Print the table alone, as CSV.")
@plainly
def design(asked: Growing, as_csv: bool) -> None:
    """Print STUDY's factors and its table of cells, and how many runs of each `run` would grow.

    Takes the options of `run`; nothing is grown, asked or written.
    """
    from cloudchamber.experiment import Driver
    from cloudchamber.experiment.manifest import placed

    built, folder, _ = asked.built()
    whole = built.design()
    count = asked.replicates or built.replicates
    lacking = Driver(placed(folder) / "trace", seed=asked.seed).missing(whole, count)
    missing = {cell.id: 0 for cell in whole}
    for unit in lacking:
        missing[unit.cell.id] += len(unit.replicates)
    table = whole.table()
    table["missing"] = [
        missing[cell] if not twin else 0
        for cell, twin in zip(table["specification"], table["same_as"], strict=True)
    ]
    if as_csv:
        say(table.to_csv(index=False).rstrip())
        return
    columns(
        "Factors", {axis.name: axis.aloud() for axis in built.factors} or {"none": "nothing varies"}
    )
    for line in _lines(table):
        say(line)
    conditions = len(missing)
    say(
        f"\n{len(whole)} cells, {conditions} specifications x {count} replicates = "
        f"{conditions * count:,} runs, of which {sum(missing.values()):,} are missing."
    )


def _lines(table: "pd.DataFrame") -> list[str]:
    """A row a cell in columns; of a cell that shares another's runs it is said whose."""
    factors = [name for name in table.columns if name not in _FIXED]
    head = ["cell", *factors, "specification", "missing"]
    rows = [head]
    for row in table.to_dict("records"):
        shares = row["same_as"]
        own = [f"that of {shares}", ""] if shares else [row["specification"], f"{row['missing']:,}"]
        rows.append([row["name"], *(_short(row[name]) for name in factors), *own])
    widths = [max(len(row[at]) for row in rows) for at in range(len(head))]
    return [
        "  "
        + "  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


_FIXED = ("name", "specification", "same_as", "missing")


def _short(value: object) -> str:
    if isinstance(value, float):
        return "" if isnan(value) else f"{value:g}"  # pandas writes NaN where a number is lacking
    return "" if value is None else str(value)
