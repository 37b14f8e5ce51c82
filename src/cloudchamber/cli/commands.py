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
from cloudchamber.cli.growing import (
    AGENTS,
    ITEMS,
    MODEL,
    QUICK,
    SET,
    STUDY,
    Growing,
    growing,
)
from cloudchamber.cli.options import Options, again, build, options_of, rules, spec_of
from cloudchamber.cli.telling import cells, columns, say
from cloudchamber.cli.watching import watching
from cloudchamber.errors import ArchiveError, CloudchamberError, SpecificationError, Unfinished

if TYPE_CHECKING:
    from cloudchamber.study import Study

__all__ = ["main"]

P = ParamSpec("P")


def plainly(command: Callable[P, None]) -> Callable[P, None]:
    """Let errors end in one message: ours exit with 2, caps with 3, interrupts with 130, faults with 1."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except Unfinished as end:
            say(
                f"cloudchamber: unfinished: {end}. What was answered is kept; the same command with a "
                "higher cap goes on.",
                err=True,
            )
            sys.exit(3)
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


@main.command()
@growing
@click.option("--quiet", is_flag=True, help="Print the result alone.")
@plainly
def run(asked: Growing, quiet: bool) -> None:
    """Grow what is missing of STUDY, and write its report.

    Run again, it computes only what is missing. STUDY is a name (see 'cloudchamber list') or a path.
    At a cap (--max-...) it ends with exit code 3; the same command with a higher cap goes on.
    """
    from cloudchamber.trace import Level

    built, folder, options = asked.built()
    with watching(quiet) as watch:
        results = built.run(
            folder,
            seed=asked.seed,
            replicates=asked.replicates,
            level=Level(asked.level),
            concurrency=asked.concurrency,
            processes=asked.processes,
            store=asked.store,
            store_mode=asked.store_mode,
            options=options,
            limits=asked.limits(),
            prices=asked.prices(),
            watch=watch,
        )
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
    tell(
        built.estimate(
            folder,
            seed=asked.seed,
            replicates=asked.replicates,
            prices=asked.prices(),
            rate=rate,
            store=asked.store,
            store_mode=asked.store_mode,
        ),
        asked.limits(),
    )


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
            "gguf:PATH": "A GGUF file of your own; also llamacpp:PATH (extra gguf).",
            "openai:NAME@URL": "Any OpenAI-compatible server; key in CLOUDCHAMBER_API_KEY.",
            "openai-text:NAME@URL": "The same, asked by plain completions.",
            "inspect:PROVIDER/NAME": "Whatever Inspect reaches (extra inspect).",
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
    _, names = look_into(file)
    if not trust:
        programs = ", ".join(name for name in names if name.endswith(".py"))
        raise ArchiveError(
            f"{file} holds a program ({programs}), which a replay runs with all your rights; nothing was "
            f"unpacked. Read it (unzip -p {file.name} 'studies/*'), and give --trust if you trust it."
        )
    from cloudchamber.cli import sharing

    folder = placed(out) if out else Path("out") / file.stem
    with watching(quiet) as watch:
        about, built, results, options = sharing.replay(file, folder, watch)
    say(f"The same trace as when it was exported, digest {about.digest[:12]}; no model was asked.")
    _report(built, results, folder / "out", options)


def _report(built: "Study", results: Any, folder: Path, options: Options) -> None:
    from rich.console import Console

    from cloudchamber.report import account, cards

    document = account.write(built, results, folder, again(options, results, built.replicates))
    Console().print(cards.summary(document, folder / "report.html"))
