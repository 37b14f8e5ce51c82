"""`cloudchamber battery`: which regimes matter to a study's pattern."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cloudchamber.cli.ending import plainly
from cloudchamber.cli.growing import Growing, growing
from cloudchamber.cli.options import Options, again
from cloudchamber.cli.watching import watching
from cloudchamber.errors import Unfinished

if TYPE_CHECKING:
    from cloudchamber.experiment import Results
    from cloudchamber.study import StudyBattery

__all__ = ["battery", "report"]


@click.command()
@growing
@click.option(
    "--only",
    multiple=True,
    metavar="DIMENSION",
    help="Perturb this dimension alone, e.g. visibility (may be repeated).",
)
@click.option(
    "--estimate", "only_told", is_flag=True, help="Say what it would come to, and grow nothing."
)
@click.option(
    "--margin",
    type=float,
    help="The least change that would matter, in the measure's units; the study's own if not given.",
)
@click.option("--quiet", is_flag=True, help="Print the result alone.")
@plainly
def battery(
    asked: Growing, only: tuple[str, ...], only_told: bool, margin: float | None, quiet: bool
) -> None:
    """Perturb every regime of STUDY's cell at risk, one at a time, and say which matter.

    Visibility, latency, order, synchrony, memory, communication, mix of the population, labels and wording.
    Grown, capped and resumed like 'run', in a folder of its own.
    """
    from cloudchamber import study as studies
    from cloudchamber.cli.estimating import tell

    built, folder, options = asked.built()
    whole = studies.battery(built, only=only)
    whole.margin(margin)  # refused before anything is spent
    if asked.out is None:
        folder = folder.with_name(f"{folder.name}-battery")
    if only_told:
        tell(asked.estimate(whole.study, folder), asked.limits())
        return
    with watching(quiet) as watch:
        options |= {"battery": list(only), "margin": margin}
        results = asked.run(whole.study, folder, options, watch)
    if not results.done.empty or not results.stopped:
        report(whole, results, folder, options)
    if results.stopped and not results.complete:
        raise Unfinished(results.stopped)


def report(whole: "StudyBattery", results: "Results", folder: Path, options: Options) -> None:
    """Write the page of a battery, and what it says to the terminal."""
    from rich.console import Console

    from cloudchamber.report import battery as reporting
    from cloudchamber.report import cards

    rerun = again(options, results, whole.study.replicates)
    margin = options.get("margin")
    document, _ = reporting.write(whole, results, folder, rerun, margin=margin)
    Console().print(cards.summary(document, folder / "report.html"))
