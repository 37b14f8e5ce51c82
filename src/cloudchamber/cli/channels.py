"""`cloudchamber channels`: through which channels a study's effect passes, and who moved whom."""

from pathlib import Path

import click

from cloudchamber.cli.ending import plainly
from cloudchamber.cli.explaining import built, report
from cloudchamber.cli.telling import say

__all__ = ["channels"]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--cell", default="", help="The cell that is looked at, if not the one at risk.")
@click.option(
    "--through",
    multiple=True,
    metavar="CHANNEL",
    help="This channel alone, e.g. likes, order, others, own (may be repeated); all if not given.",
)
@click.option(
    "--by",
    default="",
    metavar="MECHANISM",
    help="Let one of the study's mechanisms, fitted to FOLDER, decide in the agents' place: needed where a "
    "language model decided.",
)
@click.option("--runs", type=click.IntRange(2), help="Replicates; all that are there if not given.")
@click.option("--no-influence", is_flag=True, help="Do not ask who moved whom.")
@click.option("--quiet", is_flag=True, help="Print the result alone.")
@plainly
def channels(
    folder: Path,
    cell: str,
    through: tuple[str, ...],
    by: str,
    runs: int | None,
    no_influence: bool,
    quiet: bool,
) -> None:
    """Say how much of the effect in FOLDER passes through each channel, and who moved whom.

    FOLDER is what 'run' or 'battery' wrote. Worlds that cross a cell with its null are grown by those who
    decided there; no model is asked. The report of FOLDER gets what is found.
    """
    from cloudchamber import study as studies
    from cloudchamber.experiment import Manifest
    from cloudchamber.experiment.manifest import placed

    folder = placed(folder)
    options = dict(Manifest.read(folder).options)
    study, results = built(folder, options)
    found = studies.channels(
        study,
        folder,
        cell=cell,
        through=through,
        by=by,
        runs=runs,
        moved=not no_influence,
        watch=None if quiet else say,
    )
    found.save(folder)
    say(f"{found}\n")
    report(study, results, folder, options)
