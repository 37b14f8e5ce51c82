"""`cloudchamber explain`: which rule is behind what a study's agents chose, and does it suffice?"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cloudchamber.cli.ending import plainly
from cloudchamber.cli.options import Options, again, build
from cloudchamber.cli.telling import say
from cloudchamber.errors import SpecificationError

if TYPE_CHECKING:
    from cloudchamber.experiment import Results
    from cloudchamber.mechanism import Mechanism
    from cloudchamber.study import Study

__all__ = ["built", "explain", "report"]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--fit-on",
    multiple=True,
    metavar="CELL",
    help="Fit to this cell's choices alone, and regrow the others unseen (may be repeated).",
)
@click.option(
    "--mechanisms",
    "file",
    type=click.Path(path_type=Path),
    help="JSON of mechanisms by name, the hypothesis' own first; the study's own if not given.",
)
@click.option(
    "--margin",
    type=float,
    help="The least gap between grown and regrown that matters; the study's own margin if not given.",
)
@click.option(
    "--draws",
    type=click.IntRange(2),
    default=20,
    show_default=True,
    help="Draws of a fit's parameters, for its uncertainty.",
)
@click.option(
    "--scale",
    type=click.IntRange(1),
    metavar="AGENTS",
    help="Grow populations of up to so many, too, e.g. 100000; minutes, where they decide one by one.",
)
@click.option(
    "--threshold",
    "searches",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="SEARCH",
    help="Do this search again with the rule in the agents' place; a folder that 'threshold' wrote of the "
    "same study (may be repeated).",
)
@click.option("--quiet", is_flag=True, help="Print the result alone.")
@plainly
def explain(
    folder: Path,
    fit_on: tuple[str, ...],
    file: Path | None,
    margin: float | None,
    draws: int,
    scale: int | None,
    searches: tuple[Path, ...],
    quiet: bool,
) -> None:
    """Fit the study's rival mechanisms to what is in FOLDER, and regrow it with each.

    FOLDER is what 'run' or 'battery' wrote. No model is asked. The report of FOLDER gets a section: which
    rule predicts choices held out, and whether it grows the same in the agents' place.
    """
    from cloudchamber import study as studies
    from cloudchamber.experiment import Manifest
    from cloudchamber.experiment.manifest import placed
    from cloudchamber.study.told import tell

    folder = placed(folder)
    options = dict(Manifest.read(folder).options)
    study, results = built(folder, options)
    explanation = studies.explain(
        study,
        folder,
        mechanisms=_mechanisms(file) if file else None,
        fit_on=fit_on,
        margin=margin,
        draws=draws,
        scale=() if scale is None else _sizes(scale),
        searches=searches,
        watch=None if quiet else say,
    )
    tell(explanation).save(folder)
    report(study, results, folder, options)


def _sizes(most: int) -> tuple[int, ...]:
    """Tenfold steps up to a size."""
    return tuple(sorted({most // 10**step for step in range(4) if most // 10**step >= 10} | {most}))


def built(folder: Path, options: Options) -> "tuple[Study, Results]":
    """The study that a folder is of, and what is there of it."""
    if "over" in options:
        raise SpecificationError(
            f"{folder} holds a search along {options['over']}; explain what 'run' wrote of the same study, "
            f"and give it this search: cloudchamber explain FOLDER --threshold {folder}."
        )
    if not isinstance(options.get("study"), str):
        raise SpecificationError(
            f"{folder} was not written by 'cloudchamber run' or 'battery'; explain it in Python: "
            "cloudchamber.study.explain(study, folder)."
        )
    study = build(options)
    if "battery" in options:
        from cloudchamber.study import battery

        study = battery(study, only=tuple(options["battery"])).study
    return study, study.results(folder)


def report(study: "Study", results: "Results", folder: Path, options: Options) -> None:
    """Make the report of a folder again, and say in the terminal what it says."""
    from rich.console import Console

    from cloudchamber.cli import perturbing
    from cloudchamber.report import account, cards

    if "battery" in options:
        from cloudchamber.study import battery

        whole = battery(build(options), only=tuple(options["battery"]))
        perturbing.report(whole, results, folder, options)
        return
    document = account.write(study, results, folder, again(options, results, study.replicates))
    Console().print(cards.summary(document, folder / "report.html"))


def _mechanisms(file: Path) -> "dict[str, Mechanism]":
    """Mechanisms by name, out of a file."""
    import msgspec

    from cloudchamber.mechanism import Mechanism
    from cloudchamber.microspec import Group

    try:
        given: Any = msgspec.json.decode(file.read_bytes())
    except OSError as error:
        raise SpecificationError(f"cannot read {file}: {error.strerror}.") from None
    except msgspec.DecodeError as error:
        raise SpecificationError(f"{file} is not JSON: {error}.") from None
    if not isinstance(given, dict) or not given:
        raise SpecificationError(
            f'{file}: give mechanisms by name, e.g. {{"any like": {{"kind": "logit", "terms": []}}}}.'
        )
    named = {}
    for name, one in given.items():
        try:
            found = Group(decides=one).decides
        except SpecificationError as error:
            raise SpecificationError(f"{file}, {name!r}: {error}") from None
        if not isinstance(found, Mechanism):
            raise SpecificationError(f"{file}, {name!r}: {found.kind!r} is no mechanism.")
        named[name] = found
    return named
