"""What `run` and `estimate` are given: which study, where, how much of it, and what it may spend."""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cloudchamber.cli.options import Options, build, folder_of, options_of
from cloudchamber.errors import SpecificationError

if TYPE_CHECKING:
    from cloudchamber.experiment import CostEstimate, Limits, Price, Results
    from cloudchamber.experiment.calling import Means
    from cloudchamber.experiment.progress import Watch
    from cloudchamber.study import Study

__all__ = ["AGENTS", "FIELD", "ITEMS", "MODEL", "QUICK", "SET", "STUDY", "Growing", "growing"]

_Option = Callable[[Any], Any]

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class _Span(click.ParamType[float]):
    """A span of time: seconds, or a number with its unit."""

    name = "time"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", str(value).strip())
        if not match:
            self.fail(
                f"{value!r} was given; allowed: seconds, or a number with s, m, h or d, e.g. 90s, 2h."
            )
        return float(match[1]) * _UNITS[match[2] or "s"]


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
_HOW: tuple[_Option, ...] = (
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
        "--timeout",
        type=_Span(),
        default="120s",
        show_default=True,
        metavar="TIME",
        help="How long one attempt at a server may take, e.g. 10m for a model that thinks.",
    ),
    click.option(
        "--processes",
        type=click.IntRange(1),
        help="Processes of an embedded model; one a core if not given.",
    ),
    click.option(
        "--level",
        type=click.Choice(["full", "sampled", "summary"]),
        default="full",
        show_default=True,
        help="How much of the trace is kept.",
    ),
    click.option(
        "--store",
        type=click.Path(path_type=Path),
        help="File of what language models answered; answers.sqlite in the output folder if not given.",
    ),
    click.option(
        "--store-mode",
        type=click.Choice(["read-write", "replay", "refresh", "off"]),
        default="read-write",
        show_default=True,
        help="How it is used; replay asks no model, refresh asks again and replaces.",
    ),
)
_SPENT: tuple[_Option, ...] = (
    click.option(
        "--max-cost",
        type=click.FloatRange(0),
        metavar="MONEY",
        help="Spend no more in this call, in the currency of the prices.",
    ),
    click.option(
        "--max-tokens",
        type=click.IntRange(0),
        metavar="N",
        help="Use no more tokens in this call, of prompts and answers together.",
    ),
    click.option(
        "--max-questions",
        type=click.IntRange(0),
        metavar="N",
        help="Send no more questions in this call; what the store answers is free.",
    ),
    click.option(
        "--max-time", type=_Span(), metavar="TIME", help="Stop after this time, e.g. 90s, 30m, 2h."
    ),
    click.option(
        "--price-in",
        type=click.FloatRange(0),
        metavar="MONEY",
        help="Price of a million tokens of prompts, where the table that ships is not to be used.",
    ),
    click.option(
        "--price-out",
        type=click.FloatRange(0),
        metavar="MONEY",
        help="Price of a million tokens of answers.",
    ),
)
_STUDIED: tuple[_Option, ...] = (QUICK, AGENTS, MODEL, ITEMS, FIELD, SET)


@dataclass(frozen=True, slots=True)
class Growing:
    """What the command line said."""

    study: str
    out: Path | None
    seed: int
    replicates: int | None
    concurrency: int | None
    timeout: float
    processes: int | None
    level: Any
    store: Path | None
    store_mode: Any
    max_cost: float | None
    max_tokens: int | None
    max_questions: int | None
    max_time: float | None
    price_in: float | None
    price_out: float | None
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
        from cloudchamber.experiment.calling import Means
        from cloudchamber.trace import Level

        return Means(
            Level(self.level),
            self.concurrency,
            self.processes,
            None,
            self.store,
            self.store_mode,
            self.limits(),
            self.prices(),
            watch,
            self.timeout,
        )

    def limits(self) -> "Limits":
        """The caps."""
        from cloudchamber.experiment import Limits

        return Limits(self.max_cost, self.max_tokens, self.max_questions, self.max_time)

    def prices(self) -> "Price | None":
        """The price of every model, if it was given."""
        from cloudchamber.experiment import Price

        if (self.price_in is None) != (self.price_out is None):
            raise SpecificationError(
                "--price-in and --price-out belong together; give both, for a million tokens each."
            )
        if self.price_in is None or self.price_out is None:
            return None
        return Price(self.price_in, self.price_out)


def growing(command: Callable[..., None]) -> Callable[..., Any]:
    """Let a command take all of it, as one value."""

    @wraps(command)
    def packed(**given: Any) -> None:
        own = {one.name: given.pop(one.name) for one in fields(Growing)}
        command(Growing(**own), **given)

    whole: Callable[..., Any] = packed
    for option in reversed((STUDY, *_HOW, *_SPENT, *_STUDIED)):
        whole = option(whole)
    return whole
