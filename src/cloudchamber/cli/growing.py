"""What `run` and `estimate` are given: which study, where, how much of it, and what it may spend."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cloudchamber.cli.asking import ASKING, Asking, Option, packed
from cloudchamber.cli.options import Options, build, folder_of, options_of

if TYPE_CHECKING:
    from cloudchamber.experiment import CostEstimate, Results
    from cloudchamber.experiment.calling import Means
    from cloudchamber.experiment.progress import Watch
    from cloudchamber.study import Study

__all__ = ["AGENTS", "FIELD", "ITEMS", "MODEL", "QUICK", "SET", "STUDY", "Growing", "growing"]


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
    help="Let a language model decide, e.g. embedded or openai:NAME@URL (see 'cloudchamber list').",
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
_HOW: tuple[Option, ...] = (
    click.option(
        "--out",
        type=click.Path(path_type=Path),
        help="Folder for everything; if not given, one in out/ that is named after STUDY and its options.",
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="Seed of every draw."),
    click.option(
        "--replicates",
        type=click.IntRange(1),
        help="Runs of each cell; the study's own number if not given.",
    ),
    click.option(
        "--concurrency",
        type=click.IntRange(1),
        help="Runs open at a time where a language model is asked, at most; otherwise what keeps it busy.",
    ),
    click.option(
        "--level",
        type=click.Choice(["full", "sampled", "summary"]),
        default="full",
        show_default=True,
        help="How much of the trace is kept.",
    ),
    click.option(
        "--store-mode",
        type=click.Choice(["read-write", "replay", "refresh", "off"]),
        default="read-write",
        show_default=True,
        help="How the store is used; replay asks no model, refresh asks again and replaces.",
    ),
)
_STUDIED: tuple[Option, ...] = (QUICK, AGENTS, MODEL, ITEMS, FIELD, SET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Growing(Asking):
    """What the command line said."""

    study: str
    out: Path | None
    seed: int
    replicates: int | None
    concurrency: int | None
    level: Any
    store_mode: Any
    quick: bool
    agents: str | None
    model: str | None
    items: Path | None
    field: Path | None
    changes: tuple[str, ...]

    def options(self) -> Options:
        """How the study is built."""
        return options_of(
            self.study,
            self.quick,
            self.agents,
            self.model,
            self.items,
            self.field,
            self.changes,
        )

    def built(self) -> tuple["Study", Path, Options]:
        """The study, its folder, and how it was built."""
        from cloudchamber.experiment.manifest import placed

        options = self.options()
        study = build(options)
        usual = folder_of(study.name, options, self.seed, str(self.level or "full"))
        return study, placed(self.out) if self.out else usual, options

    def run(
        self, built: "Study", folder: Path, options: Options, watch: "Watch | None" = None
    ) -> "Results":
        """Grow what is missing of a study."""
        means = self.means(watch)
        return built.run(
            folder,
            seed=self.seed,
            replicates=self.replicates,
            options=options,
            **{one.name: getattr(means, one.name) for one in fields(means)},
        )

    def estimate(self, built: "Study", folder: Path, rate: float | None = None) -> "CostEstimate":
        """What growing what is missing would come to."""
        return built.estimate(
            folder,
            seed=self.seed,
            replicates=self.replicates,
            prices=self.prices(),
            rate=rate,
            store=self.store,
            store_mode=self.store_mode,
        )

    def means(self, watch: "Watch | None" = None) -> "Means":
        """With what it grows."""
        from cloudchamber.trace import Level

        return replace(
            super(Growing, self).means(watch),
            level=Level(self.level),
            concurrency=self.concurrency,
            store_mode=self.store_mode,
        )


def growing(command: Callable[..., None]) -> Callable[..., Any]:
    """Let a command take all of it, as one value."""
    return packed(command, Growing, (STUDY, *_HOW, *ASKING, *_STUDIED))
