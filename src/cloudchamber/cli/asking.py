"""What commands are given that may ask language models: how they are asked, and what may be spent."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cloudchamber.errors import SpecificationError

if TYPE_CHECKING:
    from cloudchamber.experiment import Limits, Price
    from cloudchamber.experiment.calling import Means
    from cloudchamber.experiment.progress import Watch

__all__ = ["ASKING", "Asking", "Option", "asking", "packed"]

Option = Callable[[Any], Any]
T = TypeVar("T")
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


_ASKED: tuple[Option, ...] = (
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
        "--store",
        type=click.Path(path_type=Path),
        help="File of what language models answered; answers.sqlite in the output folder if not given.",
    ),
)
_SPENT: tuple[Option, ...] = (
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
ASKING = (*_ASKED, *_SPENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How language models are asked, and what may be spent."""

    timeout: float
    processes: int | None
    store: Path | None
    max_cost: float | None
    max_tokens: int | None
    max_questions: int | None
    max_time: float | None
    price_in: float | None
    price_out: float | None

    def means(self, watch: "Watch | None" = None) -> "Means":
        """With what they are asked."""
        from cloudchamber.experiment.calling import Means

        return Means(
            processes=self.processes,
            store=self.store,
            limits=self.limits(),
            prices=self.prices(),
            watch=watch,
            timeout=self.timeout,
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


def asking(command: Callable[..., None]) -> Callable[..., Any]:
    """Let a command take all of it, as one value."""
    return packed(command, Asking, ASKING)


def packed(
    command: Callable[..., None], kind: Callable[..., Any], options: Sequence[Option]
) -> Callable[..., Any]:
    """Let a command take some options as one value of a kind: each by the name of its argument."""
    names = list(signature(kind).parameters)

    @wraps(command)
    def given(**told: Any) -> None:
        own = {name: told.pop(name) for name in names}
        command(kind(**own), **told)

    whole: Callable[..., Any] = given
    for option in reversed(options):
        whole = option(whole)
    return whole
