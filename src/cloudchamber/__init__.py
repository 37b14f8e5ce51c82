"""cloudchamber: grow collective phenomena of AI agents from explicit local rules."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloudchamber.agents import (
        LanguageModel,
        PositionOnly,
        Quality,
        Random,
        SocialProof,
        TwoStage,
    )
    from cloudchamber.experiment import Cell, Factor, Results, Setting
    from cloudchamber.intervention import Intervention
    from cloudchamber.measures import Measure
    from cloudchamber.microspec import Group, Microspec, Population, diff
    from cloudchamber.phenomenon import Phenomenon
    from cloudchamber.study import Study
    from cloudchamber.trace import Level, TraceFolder
    from cloudchamber.worlds import Feed

__version__ = "0.1.0"

# Where each public name lives; it is imported when it is first used, so that `import cloudchamber` and
# `cloudchamber --help` are immediate.
_HOMES = {
    "Cell": "experiment",
    "Factor": "experiment",
    "Feed": "worlds",
    "Group": "microspec",
    "Intervention": "intervention",
    "LanguageModel": "agents",
    "Level": "trace",
    "Measure": "measures",
    "Microspec": "microspec",
    "Phenomenon": "phenomenon",
    "Population": "microspec",
    "PositionOnly": "agents",
    "Quality": "agents",
    "Random": "agents",
    "Results": "experiment",
    "Setting": "experiment",
    "SocialProof": "agents",
    "Study": "study",
    "TraceFolder": "trace",
    "TwoStage": "agents",
    "diff": "microspec",
}

__all__ = [
    "Cell",
    "Factor",
    "Feed",
    "Group",
    "Intervention",
    "LanguageModel",
    "Level",
    "Measure",
    "Microspec",
    "Phenomenon",
    "Population",
    "PositionOnly",
    "Quality",
    "Random",
    "Results",
    "Setting",
    "SocialProof",
    "Study",
    "TraceFolder",
    "TwoStage",
    "__version__",
    "diff",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        from cloudchamber.errors import nearest  # only a wrong name needs it

        hint = "" if name.startswith("_") else f"; {nearest(name, _HOMES)}"
        raise AttributeError(f"cloudchamber has no {name!r}{hint}", name=name)
    return getattr(import_module(f"cloudchamber.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
