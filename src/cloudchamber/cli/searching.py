"""`cloudchamber threshold`: where along a factor a study's phenomenon appears."""

import re

import click

from cloudchamber.cli.ending import plainly
from cloudchamber.cli.growing import Growing, growing
from cloudchamber.cli.options import command
from cloudchamber.cli.telling import say
from cloudchamber.cli.watching import watching

__all__ = ["threshold"]


@click.command()
@growing
@click.option("--over", required=True, metavar="PATH", help="The field that is varied.")
@click.option("--from", "low", type=float, required=True, help="Its least value.")
@click.option("--to", "high", type=float, required=True, help="Its greatest value.")
@click.option("--whole", is_flag=True, help="Whole numbers alone.")
@click.option("--log", is_flag=True, help="Searched by its logarithm.")
@click.option(
    "--runs",
    type=click.IntRange(9),
    default=120,
    show_default=True,
    help="Runs to spend, each with its twin without influence.",
)
@click.option("--cell", default="", help="The cell it departs from, if not the one at risk.")
@click.option(
    "--criterion",
    type=float,
    help="The excess from which it counts as there; the study's own margin.",
)
@click.option(
    "--width",
    type=float,
    help="How narrow the interval must be to stop early, in the field's units.",
)
@click.option("--quiet", is_flag=True, help="Print the result alone.")
@plainly
def threshold(
    asked: Growing,
    over: str,
    low: float,
    high: float,
    whole: bool,
    log: bool,
    runs: int,
    cell: str,
    criterion: float | None,
    width: float | None,
    quiet: bool,
) -> None:
    """Search where along a field of STUDY's specification its phenomenon appears.

    Runs are grown where they tell most; the answer is a threshold with its interval, or gradual, never,
    always, non-monotone, no dependence, or that it cannot be told yet. Capped and resumed like 'run'.
    """
    from cloudchamber import study as studies
    from cloudchamber.experiment import Factor
    from cloudchamber.report import searching

    built, folder, options = asked.built()
    if asked.out is None:
        field = re.sub(r"[^\w]+", "-", over).strip("-")
        folder = folder.with_name(f"{folder.name}-threshold-{field}"[:200])
    factor = Factor.over(over, low, high, whole=whole, log=log)
    with watching(quiet) as watch:
        found = studies.threshold(
            built,
            factor,
            folder,
            runs=runs,
            cell=cell,
            criterion=criterion,
            width=width,
            seed=asked.seed,
            means=asked.means(watch),
            options=options | {"over": over, "from": low, "to": high},
        )
    asking = {"over": over, "from": low, "to": high, "runs": runs, "cell": cell or None}
    asking |= {"criterion": criterion, "width": width}
    more = [part for name, one in asking.items() if one is not None for part in (f"--{name}", one)]
    flags = [*(["--whole"] if whole else []), *(["--log"] if log else [])]
    told = [f"{part:g}" if isinstance(part, float) else str(part) for part in more]
    rerun = command("threshold", options, folder, [*told, *flags])
    page = searching.write(built, factor, found, folder, cell, rerun)
    say(f"{over}: {found.aloud(searching.told_by(built))}")
    say(f"\nReport: {page}")
