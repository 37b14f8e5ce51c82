"""The commands."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cloudchamber import __version__
from cloudchamber.cli import looking, perturbing
from cloudchamber.cli.channels import channels
from cloudchamber.cli.designing import design
from cloudchamber.cli.ending import plainly
from cloudchamber.cli.explaining import explain
from cloudchamber.cli.growing import Growing, growing
from cloudchamber.cli.options import Options, again, build
from cloudchamber.cli.searching import threshold
from cloudchamber.cli.supposing import what_if
from cloudchamber.cli.telling import say
from cloudchamber.cli.watching import watching
from cloudchamber.errors import ArchiveError, SpecificationError, Unfinished

if TYPE_CHECKING:
    from cloudchamber.study import Study

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cloudchamber")
def main() -> None:
    """Grow collective phenomena of AI agents from explicit local rules."""


for command in (
    looking.list_,
    looking.show,
    looking.diff,
    looking.new,
    perturbing.battery,
    threshold,
    explain,
    channels,
    what_if,
    design,
):
    main.add_command(command)


@main.command()
@growing
@click.option("--quiet", is_flag=True, help="Print the result alone.")
@plainly
def run(asked: Growing, quiet: bool) -> None:
    """Grow what is missing of STUDY, and write its report.

    Run again, it computes only what is missing. STUDY is a name (see 'cloudchamber list') or a path.
    At a cap (--max-...) it ends with exit code 3; the same command with a higher cap goes on.
    """
    built, folder, options = asked.built()
    with watching(quiet) as watch:
        results = asked.run(built, folder, options, watch)
    if not results.done.empty or not results.stopped:
        _report(built, results, folder, options)
    if results.stopped and not results.complete:
        raise Unfinished(results.stopped)


@main.command()
@growing
@click.option(
    "--rate",
    type=click.FloatRange(0, min_open=True),
    metavar="QUESTIONS",
    help="Questions a second, for the time; as in the folder's earlier runs if not given.",
)
@plainly
def estimate(asked: Growing, rate: float | None) -> None:
    """Say what `run` would come to, with the same options: questions, tokens, cost, time.

    A sample of the prompts is built as a run would build them, and what is missing is looked up in the store;
    no model is asked, nothing is fetched.
    """
    from cloudchamber.cli.estimating import tell

    built, folder, _ = asked.built()
    tell(asked.estimate(built, folder, rate), asked.limits())


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@plainly
def report(folder: Path) -> None:
    """Make the report of FOLDER again, finished or not."""
    from cloudchamber.experiment import Manifest
    from cloudchamber.experiment.manifest import placed

    folder = placed(folder)
    options = dict(Manifest.read(folder).options)
    if not isinstance(options.get("study"), str):
        raise SpecificationError(
            f"{folder} was not written by 'cloudchamber run'; make its report in Python: "
            "cloudchamber.report.write(study, results, folder)."
        )
    if "over" in options:
        raise SpecificationError(
            f"{folder} holds a search along {options['over']}; make its report again with the command that "
            "grew it: every run is there, so nothing is asked."
        )
    built = build(options)
    if "battery" in options:
        from cloudchamber.study import battery as battery_of

        whole = battery_of(built, only=tuple(options["battery"]))
        perturbing.report(whole, whole.study.results(folder), folder, options)
        return
    _report(built, built.results(folder), folder, options)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--store",
    type=click.Path(path_type=Path),
    help="What the study was grown with, if not the folder's own answers.sqlite.",
)
@plainly
def export(folder: Path, file: Path, store: Path | None) -> None:
    """Make an archive of FOLDER: the study, what it was given, and the answers it used."""
    from cloudchamber.cli import sharing
    from cloudchamber.experiment.manifest import placed

    about, names = sharing.export(placed(folder), placed(file), placed(store) if store else None)
    say(
        f"{file}: {about.answers:,} answers, {file.stat().st_size:,} bytes; it replays to the same trace."
    )
    say(f"In it: {', '.join(names)}. Keys of this environment were looked for, and none is there.")


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder to unpack it into; if not given, one in out/ that is named after FILE.",
)
@click.option("--trust", is_flag=True, help="Run the program that is in FILE; read it before.")
@click.option("--quiet", is_flag=True, help="Print the result alone.")
@plainly
def replay(file: Path, out: Path | None, trust: bool, quiet: bool) -> None:
    """Grow the study in FILE again, from its answers alone; no model is asked."""
    from cloudchamber.experiment.archive import look_into
    from cloudchamber.experiment.manifest import placed

    file = placed(file)
    about, names = look_into(file)
    cells = "cells" in about.options
    if not (trust or cells):
        programs = ", ".join(name for name in names if name.endswith(".py"))
        raise ArchiveError(
            f"{file} holds a program ({programs}), which a replay runs with all your rights; nothing was "
            f"unpacked. Read it (unzip -p {file.name} 'studies/*'), and give --trust if you trust it."
        )
    from cloudchamber.cli import sharing

    folder = placed(out) if out else Path("out") / file.stem
    same = (
        f"The same trace as when it was exported, digest {about.digest[:12]}; no model was asked."
    )
    with watching(quiet) as watch:
        if cells:
            sharing.replay_cells(file, folder, watch)
        else:
            _, built, results, options = sharing.replay(file, folder, watch)
    say(same)
    if cells:
        say(
            f"Trace: {folder / 'out' / 'trace'}. The study that reports on it is not in the archive."
        )
    else:
        _report(built, results, folder / "out", options)


def _report(built: "Study", results: Any, folder: Path, options: Options) -> None:
    from rich.console import Console

    from cloudchamber.report import account, cards

    document = account.write(built, results, folder, again(options, results, built.replicates))
    Console().print(cards.summary(document, folder / "report.html"))
