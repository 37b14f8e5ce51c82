"""The commands."""

import os
import sys
import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

import click

from cloudchamber import __version__
from cloudchamber.cli import finding
from cloudchamber.cli.options import Options, again, build, folder_of, options_of, rules, spec_of
from cloudchamber.cli.telling import cells, columns, say
from cloudchamber.cli.watching import watching
from cloudchamber.errors import CloudchamberError, SpecificationError

if TYPE_CHECKING:
    from cloudchamber.study import Study

__all__ = ["main"]

P = ParamSpec("P")


def plainly(command: Callable[P, None]) -> Callable[P, None]:
    """Let errors end in one message: ours with exit code 2, an interrupt with 130, a fault with 1."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except CloudchamberError as error:
            say(f"cloudchamber: {_sentence(error)}", err=True)
            sys.exit(2)
        except KeyboardInterrupt:
            click.echo(
                "\ncloudchamber: stopped. What was answered is kept; the same command goes on.",
                err=True,
            )
            sys.exit(130)
        except BrokenPipeError:  # whoever reads has read enough; click ends quietly
            raise
        except Exception as error:  # a study of the user's own may do anything
            if os.environ.get("CLOUDCHAMBER_DEBUG"):
                raise
            say(f"cloudchamber: {_fault(error)}", err=True)
            sys.exit(1)

    return run


def _sentence(error: CloudchamberError) -> str:
    """The message on one line; several fields that are wrong stand side by side."""
    head, *rest = str(error).splitlines() or [type(error).__name__]
    return f"{head} {'; '.join(rest)}".strip()


def _fault(error: Exception) -> str:
    """Where something went wrong that should not have, in one sentence."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"{type(error).__name__}: {error} ({Path(last.filename).name}, line {last.lineno}). No trace was "
        "harmed; set CLOUDCHAMBER_DEBUG=1 to see the whole way there."
    )


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cloudchamber")
def main() -> None:
    """Grow collective phenomena of AI agents from explicit local rules."""


STUDY = click.argument("study")
SET = click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="PATH=VALUE",
    help="Change a field of the specification, e.g. visibility.latency=3 (may be repeated).",
)
QUICK = click.option("--quick", is_flag=True, help="A small first version of the study.")
AGENTS = click.option(
    "--agents", metavar="RULE", help="Let a rule decide, e.g. two-stage (see 'cloudchamber list')."
)
MODEL = click.option(
    "--model",
    metavar="MODEL",
    help="Let a language model decide: embedded, gguf:PATH or openai:NAME@URL.",
)
ITEMS = click.option(
    "--items",
    type=click.Path(path_type=Path),
    help="Your own items: a CSV with a column 'headline', or lines.",
)
FIELD = click.option(
    "--field",
    type=click.Path(path_type=Path),
    help="Field data: a CSV with columns world, item, count (and step).",
)


@main.command()
@STUDY
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for everything; if not given, one in out/ that is named after STUDY and its options.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of every draw.")
@click.option(
    "--replicates",
    type=click.IntRange(1),
    help="Runs of each cell; the study's own number if not given.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1),
    help="Runs open at a time where a language model is asked.",
)
@click.option(
    "--processes",
    type=click.IntRange(1),
    help="Processes of an embedded model; one a core if not given.",
)
@click.option(
    "--level",
    type=click.Choice(["full", "sampled", "summary"]),
    default="full",
    show_default=True,
    help="How much of the trace is kept.",
)
@click.option(
    "--store",
    type=click.Path(path_type=Path),
    help="File of what language models answered; answers.sqlite in the output folder if not given.",
)
@click.option(
    "--store-mode",
    type=click.Choice(["read-write", "replay", "refresh", "off"]),
    default="read-write",
    show_default=True,
    help="How it is used; replay asks no model, refresh asks again and replaces.",
)
@QUICK
@AGENTS
@MODEL
@ITEMS
@FIELD
@SET
@click.option("--quiet", is_flag=True, help="Print the result alone.")
@plainly
def run(
    study: str,
    out: Path | None,
    seed: int,
    replicates: int | None,
    concurrency: int | None,
    processes: int | None,
    level: str,
    store: Path | None,
    store_mode: str,
    quick: bool,
    agents: str | None,
    model: str | None,
    items: Path | None,
    field: Path | None,
    changes: tuple[str, ...],
    quiet: bool,
) -> None:
    """Grow what is missing of STUDY, and write its report.

    Run again, it computes only what is missing. STUDY is a name (see 'cloudchamber list') or a path.
    """
    from cloudchamber.experiment.manifest import placed
    from cloudchamber.trace import Level

    options = options_of(study, quick, agents, model, items, field, changes)
    built = build(options)
    folder = placed(out) if out else folder_of(built.name, options)
    with watching(quiet) as watch:
        results = built.run(
            folder,
            seed=seed,
            replicates=replicates,
            level=Level(level),  # type: ignore[arg-type]  # click has checked it
            concurrency=concurrency,
            processes=processes,
            store=store,
            store_mode=store_mode,  # type: ignore[arg-type]  # click has checked it
            options=options,
            watch=watch,
        )
    _report(built, results, folder, options)


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
            "cloudchamber.report.write(study, results, path)."
        )
    built = build(options)
    _report(built, built.results(folder), folder, options)


@main.command(name="list")
@plainly
def list_() -> None:
    """Name the studies, the rules and the models."""
    columns("Studies", finding.described())
    told = {name: (kind.__doc__ or "").partition("\n")[0] for name, kind in rules().items()}
    columns("Rules (--agents)", told)
    columns(
        "Language models (--model)",
        {
            "embedded": "SmolLM2-135M-Instruct, fetched once (98 MB), on this machine.",
            "gguf:PATH": "A llama-architecture GGUF file of your own.",
            "openai:NAME@URL": "Any OpenAI-compatible server; key in CLOUDCHAMBER_API_KEY.",
        },
    )
    say("Look at a study: cloudchamber show NAME. Run it: cloudchamber run NAME --quick.")


@main.command()
@STUDY
@QUICK
@AGENTS
@MODEL
@ITEMS
@SET
@click.option("--cell", help="Show this cell's specification, not the baseline's.")
@click.option("--json", "as_json", is_flag=True, help="Print canonical JSON alone.")
@click.option("--schema", is_flag=True, help="Print the JSON schema of specifications alone.")
@plainly
def show(
    study: str,
    quick: bool,
    agents: str | None,
    model: str | None,
    items: Path | None,
    changes: tuple[str, ...],
    cell: str | None,
    as_json: bool,
    schema: bool,
) -> None:
    """Read STUDY's specification aloud, and its table of cells."""
    built = build(options_of(study, quick, agents, model, items, None, changes))
    spec = built.microspec if cell is None else built.design()[cell].spec
    if schema:
        click.echo(spec.as_json_schema())
        return
    if as_json:
        click.echo(spec.to_json())
        return
    say(f"{built.name}: {built.question}\n")
    say(f"The cell {cell!r}:" if cell is not None else "The baseline, which the cells below vary:")
    say(f"{spec.aloud()}\nHash: {spec.hash}\n")
    cells(built)


@main.command()
@click.argument("before")
@click.argument("after")
@QUICK
@plainly
def diff(before: str, after: str, quick: bool) -> None:
    """Say in which fields two specifications differ.

    BEFORE and AFTER are files of canonical JSON, studies, or STUDY:CELL.
    """
    from cloudchamber.microspec import diff as differences

    changes = differences(spec_of(before, quick), spec_of(after, quick))
    say("\n".join(map(str, changes)) or "the same specification")


@main.command()
@click.argument("name")
@plainly
def new(name: str) -> None:
    """Write a study of your own into studies/NAME, ready to run and to change."""
    from cloudchamber.cli.scaffold import scaffold

    folder = scaffold(name, Path("studies"))
    click.echo(f"{folder}/study.py and {folder}/README.md written. Next: cloudchamber run {name}")


def _report(built: "Study", results: Any, folder: Path, options: Options) -> None:
    from rich.console import Console

    from cloudchamber.report import account, cards

    document = account.write(built, results, folder, again(options, results, built.replicates))
    Console().print(cards.summary(document, folder / "report.html"))
