"""The commands that grow nothing: what there is, what a study is, how two differ, and a new one."""

from pathlib import Path

import click

from cloudchamber.cli import finding
from cloudchamber.cli.ending import plainly
from cloudchamber.cli.growing import AGENTS, ITEMS, MODEL, QUICK, SET, STUDY
from cloudchamber.cli.options import build, options_of, rules, spec_of
from cloudchamber.cli.telling import cells, columns, say

__all__ = ["diff", "list_", "new", "show"]


@click.command(name="list")
@plainly
def list_() -> None:
    """Name the studies, the rules and the models."""
    columns("Studies", finding.described())
    fit = {name: ", ".join(names) for name, names in finding.suited().items()}
    columns("Rules that fit each study (--agents)", fit)
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


@click.command()
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


@click.command()
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


@click.command()
@click.argument("name")
@plainly
def new(name: str) -> None:
    """Write a study of your own into studies/NAME, ready to run and to change."""
    from cloudchamber.cli.scaffold import scaffold

    folder = scaffold(name, Path("studies"))
    click.echo(f"{folder}/study.py and {folder}/README.md written. Next: cloudchamber run {name}")
