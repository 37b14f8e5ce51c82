"""A search for a threshold as its folder keeps it: what was asked, and what was found."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from cloudchamber.analysis.thresholds.located import Threshold
from cloudchamber.errors import TraceError
from cloudchamber.experiment import Axis, Factor, Range
from cloudchamber.experiment.factors import Setting

__all__ = ["Sought"]

NAME = "threshold.json"


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

    def save(self, folder: Path) -> None:
        """Keep it under results/ in its folder."""
        told = {
            **{
                name: getattr(self, name)
                for name in ("cell", "spec", "runs", "width", "batch", "seed")
            },
            "factor": _plain(self.factor),
            "found": self.found.as_json(),
        }
        path = folder / "results" / NAME
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=2))

    @classmethod
    def read(cls, folder: Path) -> "Sought":
        """What a folder keeps of its search.

        Raises:
            TraceError: there is none, or it is damaged.
        """
        path = folder / "results" / NAME
        try:
            told: dict[str, Any] = msgspec.json.decode(path.read_bytes())
            factor, found = _factor(told.pop("factor")), Threshold.from_json(told.pop("found"))
            return cls(factor=factor, found=found, **told)
        except FileNotFoundError:
            raise TraceError(
                f"{folder} holds no search for a threshold (no results/{NAME}); give a folder that "
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
