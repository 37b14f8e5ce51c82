"""`cloudchamber channels`: through which channels a study's effect passes, and who moved whom."""

from pathlib import Path
from typing import Any

import click

from cloudchamber.cli.asking import Asking, asking
from cloudchamber.cli.ending import plainly
from cloudchamber.cli.explaining import built, report
from cloudchamber.cli.telling import say
from cloudchamber.cli.watching import watching

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
    "--decided-by",
    type=click.Choice(["rule", "agents"]),
    help="Who decides in the crossed worlds: whoever did in FOLDER, a language model asked again, or a rule "
    "that is fitted to it, which costs nothing. If not given, agents where they are rules, a fitted rule "
    "where a language model decided.",
)
@click.option(
    "--by",
    default="",
    metavar="MECHANISM",
    help="The rule that is fitted, one of the study's mechanisms; its first if not given.",
)
@click.option(
    "--draws",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="Draws of the fit's parameters, by which its uncertainty reaches the intervals.",
)
@click.option("--runs", type=click.IntRange(2), help="Replicates; all that are there if not given.")
@click.option(
    "--influence/--no-influence",
    default=None,
    help="Ask who moved whom; if not said, where no language model is asked.",
)
@click.option(
    "--estimate", "only_told", is_flag=True, help="Say what it would come to, and grow nothing."
)
@asking
@click.option("--quiet", is_flag=True, help="Print the result alone.")
@plainly
def channels(
    asked: Asking,
    folder: Path,
    cell: str,
    through: tuple[str, ...],
    decided_by: Any,
    by: str,
    draws: int,
    runs: int | None,
    influence: bool | None,
    only_told: bool,
    quiet: bool,
) -> None:
    """Say how much of the effect in FOLDER passes through each channel, and who moved whom.

    FOLDER is what 'run' or 'battery' wrote. Worlds that cross a cell with its null are grown, by the agents
    or by a rule fitted to them (--decided-by); what it comes to is said before. A language model is asked
    as 'run' asks it: what the store holds is free, at a cap the same command with a higher one goes on. The
    report of FOLDER gets what is found.
    """
    from cloudchamber import study as studies
    from cloudchamber.cli.estimating import tell_new
    from cloudchamber.experiment import Manifest
    from cloudchamber.experiment.manifest import placed

    folder = placed(folder)
    options = dict(Manifest.read(folder).options)
    study, results = built(folder, options)
    wanted = studies.passing(
        study,
        folder,
        cell=cell,
        through=through,
        decided_by=decided_by,
        by=by,
        runs=runs,
        moved=influence,
        draws=draws,
    )
    if only_told or not quiet:
        say(f"{wanted}")
    if only_told:
        if wanted.asked:
            tell_new(wanted.estimate(prices=asked.prices()), asked.limits())
        return
    with watching(quiet or not wanted.asked) as watch:
        found = wanted.grow(asked.means(watch), None if quiet or wanted.asked else say)
    found.save(folder)
    say(f"{found}\n")
    report(study, results, folder, options)
