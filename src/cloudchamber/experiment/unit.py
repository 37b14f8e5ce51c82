"""Units: runs of one cell that are grown and written together, and their rows in the table of runs."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import nan
from typing import Any

import msgspec
import numpy as np

from cloudchamber.agents.society import models_of
from cloudchamber.engine import Account, Runs
from cloudchamber.experiment.design import Cell, run_id
from cloudchamber.experiment.metering import Billed
from cloudchamber.experiment.prices import Prices, price_of
from cloudchamber.trace import Status

__all__ = ["Unit", "cost_of", "pools"]

POOL_ROWS = 2_000_000
"""Agents that ride in one pool of rules at most, over all its runs."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Runs of one cell that are grown, and written, together."""

    cell: Cell
    replicates: tuple[int, ...]

    def name(self, seed: int) -> str:
        """The unit's name in the trace; the time lets a later attempt stand beside a failed one."""
        first, last = self.replicates[0], self.replicates[-1]
        return f"{self.cell.id}-{seed}-{first}-{last}-{time.time_ns():x}"

    def runs(self, seed: int) -> Runs:
        """Its runs, as the engine takes them."""
        ids = [run_id(self.cell.spec, seed, replicate) for replicate in self.replicates]
        return Runs(seed, np.array(self.replicates), np.array(ids))

    def rows(
        self, seed: int, study: str, fingerprints: Mapping[str, str], seconds: float
    ) -> dict[str, Any]:
        """Its rows in the table of runs, without what the growing came to.

        Args:
            seed: of the experiment.
            study: its name.
            fingerprints: of the models, by name.
            seconds: that all of it took.
        """
        runs, cell = self.runs(seed), self.cell
        names = models_of(cell.spec)
        return {
            "run": runs.ids,
            "study": study,
            "cell": cell.id,
            "name": cell.name,
            "levels": msgspec.json.encode(dict(cell.levels)).decode(),
            "replicate": runs.replicates,
            "seed": seed,
            "spec": cell.spec.hash,
            "model": ", ".join(fingerprints[name] for name in names),
            "cost": nan if names else 0.0,
            "seconds": seconds / len(self.replicates),
        }

    def counted(self, account: Account) -> dict[str, Any]:
        """What the growing came to, for the same rows."""
        return {
            "decisions": account.questions,
            "questions": account.questions if models_of(self.cell.spec) else 0,
            "unparseable": account.status[:, Status.unparseable],
            "refused": account.status[:, Status.refused],
            "timeouts": account.status[:, Status.timeout],
            "tokens": account.tokens,
        }


def pools(cell: Cell, replicates: list[int]) -> Iterable[Unit]:
    """Runs of rules, as many at a time as fit."""
    size = max(1, POOL_ROWS // cell.spec.population.count)
    for start in range(0, len(replicates), size):
        yield Unit(cell, tuple(replicates[start : start + size]))


def cost_of(bills: Mapping[str, Billed], prices: Prices | None) -> float:
    """What a unit's answers cost when they were first had; NaN where a price is unknown."""
    whole = 0.0
    for name, bill in bills.items():
        price = price_of(name, prices)
        whole += price.of(bill.tokens_in, bill.tokens_out) if price else nan
    return whole
