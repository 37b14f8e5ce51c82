"""The commands."""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

import click

from cloudchamber import __version__
from cloudchamber.cli import finding
from cloudchamber.cli.watching import watching
from cloudchamber.errors import CloudchamberError, SpecificationError, nearest

if TYPE_CHECKING:
    from cloudchamber.microspec import Decider, Microspec
    from cloudchamber.study import Study

__all__ = ["main"]

P = ParamSpec("P")


class Suggesting(click.Group):
    """A group that names the near commands when one is mistyped."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command meant."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            raise click.UsageError(f"no command {args[0]!r}; {nearest(args[0], self.commands)}")
        return super().resolve_command(ctx, args)


def plainly(command: Callable[P, None]) -> Callable[P, None]:
    """Let errors of ours end in their message and exit code 2, an interrupt in 130."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except CloudchamberError as error:
            click.echo(f"cloudchamber: {error}", err=True)
            sys.exit(2)
        except KeyboardInterrupt:
            click.echo(
                "\ncloudchamber: stopped. What was answered is kept; the same command goes on.",
                err=True,
            )
            sys.exit(130)

    return run


@click.group(cls=Suggesting, context_settings={"help_option_names": ["-h", "--help"]})
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
    "--out", type=click.Path(path_type=Path), help="Folder for everything; out/STUDY if not given."
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
    from cloudchamber.trace import Level

    options = _options(study, quick, agents, model, items, field, changes)
    built = _build(options)
    folder = out or _folder(built.name, options)
    with watching(quiet) as watch:
        results = built.run(
            folder,
            seed=seed,
            replicates=replicates,
            level=Level(level),  # type: ignore[arg-type]  # click has checked it
            concurrency=concurrency,
            processes=processes,
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

    options = dict(Manifest.read(folder).options)
    if "study" not in options:
        raise SpecificationError(
            f"{folder} was not written by 'cloudchamber run'; make its report in Python: "
            "cloudchamber.report.write(study, results, path)."
        )
    built = _build(options)
    _report(built, built.results(folder), folder, options)


@main.command(name="list")
@plainly
def list_() -> None:
    """Name the studies, the rules and the models."""
    from cloudchamber.agents import Rule

    _columns("Studies", finding.described())
    rules = {name: (kind.__doc__ or "").partition("\n")[0] for name, kind in _rules(Rule).items()}
    _columns("Rules (--agents)", rules)
    _columns(
        "Language models (--model)",
        {
            "embedded": "SmolLM2-135M-Instruct, fetched once (98 MB), on this machine.",
            "gguf:PATH": "A llama-architecture GGUF file of your own.",
            "openai:NAME@URL": "Any OpenAI-compatible server; key in CLOUDCHAMBER_API_KEY.",
        },
    )


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
    built = _build(_options(study, quick, agents, model, items, None, changes))
    spec = built.design()[cell].spec if cell else built.microspec
    if schema:
        click.echo(spec.as_json_schema())
        return
    if as_json:
        click.echo(spec.to_json())
        return
    click.echo(f"{built.name}: {built.question}\n")
    click.echo(f"{spec.aloud()}\n\nhash {spec.hash}\n")
    _cells(built)


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

    changes = differences(_spec(before, quick), _spec(after, quick))
    click.echo("\n".join(map(str, changes)) or "the same specification")


@main.command()
@click.argument("name")
@plainly
def new(name: str) -> None:
    """Write a study of your own into studies/NAME, ready to run and to change."""
    from cloudchamber.cli.scaffold import scaffold

    folder = scaffold(name, Path("studies"))
    click.echo(f"{folder}/study.py and {folder}/README.md written. Next: cloudchamber run {name}")


def _options(
    study: str,
    quick: bool,
    agents: str | None,
    model: str | None,
    items: Path | None,
    field: Path | None,
    changes: tuple[str, ...],
) -> dict[str, Any]:
    """How a study is to be built, as its folder remembers it."""
    if agents and model:
        raise SpecificationError("--agents and --model both say who decides; give one of them.")
    here = Path(study).exists()
    return {
        "study": str(Path(study).resolve()) if here else study,
        "quick": quick,
        "agents": agents,
        "model": model,
        "items": str(items.resolve()) if items else None,
        "field": str(field.resolve()) if field else None,
        "set": list(changes),
    }


def _build(options: dict[str, Any]) -> "Study":
    built = finding.load(
        options["study"],
        quick=options["quick"],
        decides=_decider(options["agents"], options["model"]),
        items=_path(options["items"]),
        field=_path(options["field"]),
    )
    for change in options["set"]:
        path, equals, text = change.partition("=")
        if not equals:
            raise SpecificationError(f"--set {change}: give PATH=VALUE, e.g. visibility.latency=3.")
        built = built.set(path.strip(), _value(text))
    built.design()  # what makes no sense is said before anything is grown
    return built


def _path(given: str | None) -> Path | None:
    return Path(given) if given else None


def _value(text: str) -> object:
    """JSON where it is JSON, else the text itself."""
    import json

    try:
        return json.loads(text)
    except ValueError:
        return text


def _decider(agents: str | None, model: str | None) -> "Decider | None":
    if agents is None and model is None:
        return None
    from cloudchamber.agents import LanguageModel, Rule

    if model is not None:
        return LanguageModel(model=model)
    rules = _rules(Rule)
    if agents not in rules:
        raise SpecificationError(f"--agents {agents}: no such rule; {nearest(str(agents), rules)}")
    rule: Decider = rules[agents]()
    return rule


def _rules(root: type[Any]) -> dict[str, type[Any]]:
    return {name: kind for name, kind in sorted(root.kinds.items()) if issubclass(kind, root)}


def _folder(name: str, options: dict[str, Any]) -> Path:
    """out/STUDY, with what makes it another study's output: quick, other agents."""
    parts = [name, *(["quick"] if options["quick"] else [])]
    who = options["agents"] or options["model"]
    if who:
        parts.append("".join(c if c.isalnum() else "-" for c in who).strip("-"))
    return Path("out") / "-".join(parts)


def _spec(reference: str, quick: bool) -> "Microspec":
    from cloudchamber.microspec import Microspec

    path = Path(reference)
    if path.suffix == ".json":
        _register()
        try:
            return Microspec.from_json(path.read_bytes())
        except OSError as error:
            raise SpecificationError(f"cannot read {path}: {error.strerror}.") from None
    name, _, cell = reference.partition(":")
    built = finding.load(name, quick=quick)
    return built.design()[cell].spec if cell else built.microspec


def _register() -> None:
    """Make the kinds that ship known before reading a specification."""
    import cloudchamber.agents
    import cloudchamber.worlds  # noqa: F401  # imported for the kinds they register


def _report(built: "Study", results: Any, folder: Path, options: dict[str, Any]) -> None:
    from rich.console import Console

    from cloudchamber.report import account, cards

    document = account.write(built, results, folder, _command(options, folder))
    Console().print(cards.summary(document, folder / "report.html"))


def _command(options: dict[str, Any], folder: Path) -> str:
    """The command that makes all this again."""
    parts = [
        "cloudchamber",
        "run",
        Path(options["study"]).name,
        *(["--quick"] if options["quick"] else []),
    ]
    for name in ("agents", "model", "items", "field"):
        if options[name]:
            parts += [f"--{name}", options[name]]
    for change in options["set"]:
        parts += ["--set", f"'{change}'"]
    return " ".join([*parts, "--out", str(folder)])


def _columns(title: str, told: dict[str, str]) -> None:
    click.echo(f"{title}:")
    width = max((len(name) for name in told), default=0)
    for name, text in told.items():
        click.echo(f"  {name:<{width}}  {text}")
    click.echo()


def _cells(built: "Study") -> None:
    from cloudchamber.experiment.driver import questions_of

    design = built.design()
    click.echo(f"{len(design.conditions())} conditions x {built.replicates} replicates:")
    width = max(len(cell.name) for cell in design)
    for cell in design:
        click.echo(f"  {cell.name:<{width}}  {cell.id}  {questions_of(cell):>8,} decisions a run")
