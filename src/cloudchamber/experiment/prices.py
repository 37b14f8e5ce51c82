"""What a token costs: prices as the user gives them, else of a small dated table, else unknown.

An unknown price is None, never 0. A table grows old: whoever prints a cost says where its price is from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from cloudchamber.errors import SpecificationError

__all__ = ["Price", "Prices", "price_of"]

TABLE = Path(__file__).with_name("prices.json")
OWN = ("embedded", "gguf:", "llamacpp:", "fake:")
"""Models that answer on this machine: nobody sends a bill."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a million tokens cost.

    Raises:
        SpecificationError: a price below 0.
    """

    tokens_in: float
    """Of a prompt, for a million tokens."""
    tokens_out: float
    """Of an answer, for a million tokens."""
    source: str = "as given"

    def __post_init__(self) -> None:
        for name, value in (("tokens_in", self.tokens_in), ("tokens_out", self.tokens_out)):
            if not (isfinite(value) and value >= 0):
                raise SpecificationError(f"price {name}: {value} was given; allowed: 0 or more.")

    def of(self, tokens_in: float, tokens_out: float) -> float:
        """What some tokens cost."""
        return (tokens_in * self.tokens_in + tokens_out * self.tokens_out) / 1e6


Prices = Price | Mapping[str, Price]
"""One price for every model, or one by a model's name."""


def price_of(model: str, given: Prices | None = None) -> Price | None:
    """The price of a model by the name that a specification uses; None if it is not known.

    Args:
        model: e.g. "embedded", "openai:NAME@URL", "inspect:PROVIDER/NAME".
        given: prices that stand before the table's.
    """
    if isinstance(given, Price):
        return given
    if given is not None and model in given:
        return given[model]
    if model.startswith(OWN):
        return Price(0.0, 0.0, "answered on this machine")
    kind, _, rest = model.partition(":")
    table = _table()
    for name, provider in table["providers"].items():
        asked = ""
        if kind in ("openai", "openai-text") and "@http" in rest:
            asked, _, address = rest.partition("@http")
            if _host(f"http{address}") != provider["host"]:
                continue
        elif kind == "inspect" and rest.startswith(f"{name}/"):
            asked = rest.removeprefix(f"{name}/")
        if asked in provider["models"]:
            source = f"the table of {table['read']} ({table['source']})"
            tokens_in, tokens_out = provider["models"][asked]
            return Price(tokens_in, tokens_out, source)
    return None


def _host(address: str) -> str | None:
    """The host of an address; None of what is none, which whoever opens it will say."""
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = msgspec.json.decode(TABLE.read_bytes())
    return table
