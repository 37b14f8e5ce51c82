"""A search for a threshold as its folder keeps it: what was asked, and what was found.

Of a boundary in the plane of two factors each line is a search.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from cloudchamber.analysis.thresholds.boundary import Boundary
from cloudchamber.analysis.thresholds.located import Threshold
from cloudchamber.errors import TraceError
from cloudchamber.experiment import Axis, Factor, Range
from cloudchamber.experiment.factors import Setting
from cloudchamber.study.levels import Levels

__all__ = ["Sought", "save_boundary"]

NAME, BOUNDARY = "threshold.json", "boundary.json"
_TOLD = ("cell", "spec", "runs", "batch", "seed")


@dataclass(frozen=True)
class Sought:
    """A search along a factor."""

    factor: Axis
    cell: str
    """The cell that it departs from."""
    spec: str
    """The hash of that cell's specification."""
    found: Threshold
    runs: int
    """How many were allowed."""
    width: float | None
    batch: int
    seed: int
    across: tuple[Axis, float] | None = None
    """Of a line of a boundary, the other factor, and its level there."""
    start: tuple[float, ...] = ()
    """Levels that were looked at first, besides an even look."""
    first: int = 0
    """The number of the first run."""

    @property
    def name(self) -> str:
        """What was searched along, and where."""
        if self.across is None:
            return self.factor.name
        return f"{self.factor.name}, {self.across[0].name} = {self.across[1]:g}"

    @property
    def factors(self) -> tuple[Axis, ...]:
        """What is varied."""
        return (self.factor, *([self.across[0]] if self.across else []))

    def at(self, level: float) -> Levels:
        """The levels of these factors at a level of the first."""
        return (level, *([self.across[1]] if self.across else []))

    def save(self, folder: Path) -> None:
        """Keep it under results/ in its folder."""
        told = {
            **{name: getattr(self, name) for name in _TOLD},
            "width": self.width,
            "factor": _plain(self.factor),
            "found": self.found.as_json(),
        }
        _write(folder / "results" / NAME, told)

    @classmethod
    def read(cls, folder: Path) -> "Sought":
        """What a folder keeps of its search.

        Raises:
            TraceError: there is none, or it is damaged.
        """
        with _reading(folder / "results" / NAME) as told:
            factor, found = _factor(told.pop("factor")), Threshold.from_json(told.pop("found"))
            return cls(factor=factor, found=found, **told)

    @classmethod
    def all_of(cls, folder: Path) -> tuple["Sought", ...]:
        """The search that a folder keeps; of a boundary, each of its lines.

        Raises:
            TraceError: there is none, or it is damaged.
        """
        if not (folder / "results" / BOUNDARY).exists():
            return (cls.read(folder),)
        with _reading(folder / "results" / BOUNDARY) as told:
            along, across = (_factor(told.pop(name)) for name in ("along", "across"))
            found = Boundary.from_json(told.pop("found"))
            begun = found.begun()
            return tuple(
                cls(
                    factor=along,
                    found=one,
                    width=None,
                    across=(across, level),
                    start=begun[level][0],
                    first=begun[level][1],
                    **told,
                )
                for level, one in found.lines
            )


def save_boundary(folder: Path, along: Axis, across: Axis, found: Boundary, **asked: Any) -> None:
    """Keep a boundary under results/ in its folder.

    Args:
        folder: where.
        along: the factor of each line.
        across: the other.
        found: what was found.
        asked: cell, spec, runs (on each line), batch and seed, as of `Sought`.
    """
    told = {"along": _plain(along), "across": _plain(across), "found": found.as_json(), **asked}
    _write(folder / "results" / BOUNDARY, told)


def _write(path: Path, told: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=2))


@contextmanager
def _reading(path: Path) -> Iterator[dict[str, Any]]:
    """What stands in a file, and what is wrong with it, in words."""
    try:
        yield msgspec.json.decode(path.read_bytes())
    except FileNotFoundError:
        raise TraceError(
            f"{path.parents[1]} holds no search for a threshold (no results/{path.name}); give a folder that "
            "'cloudchamber threshold' wrote, or run that again: what it grew is not grown anew."
        ) from None
    except OSError as error:
        raise TraceError(f"cannot read {path}: {error.strerror}.") from None
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
        raise TraceError(
            f"{path} is damaged ({type(error).__name__}); remove it, and search again: what was grown is "
            "not grown anew."
        ) from None


def _plain(factor: Axis) -> dict[str, Any]:
    if isinstance(factor, Range):
        return asdict(factor)
    settings = [{"name": one.name, "changes": dict(one.changes)} for one in factor.settings]
    return {"name": factor.name, "settings": settings}


def _factor(plain: dict[str, Any]) -> Axis:
    if "settings" not in plain:
        return Range(**plain)
    return Factor(plain["name"], tuple(Setting(**one) for one in plain["settings"]))
