"""What passes through each channel of a study, and who moved whom: as a value, kept beside its results."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from cloudchamber.analysis.saved import load, save
from cloudchamber.counterfactual import Coupled, Crossing, Influence, Mediation
from cloudchamber.errors import TraceError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Passages"]

NAME = "channels.json"


@dataclass(frozen=True, eq=False)
class Passages:
    """What passes through each channel, and who moved whom."""

    cell: str
    """The world with."""
    null: str
    """The world without."""
    by: str
    """The mechanism that decided in the agents' place; empty where they did themselves."""
    mediation: Mediation
    crossings: tuple[Crossing, ...]
    """Pairs of channels."""
    influence: Influence | None
    models: tuple[str, ...] = ()
    """The language models that were asked themselves."""

    @property
    def whose(self) -> str:
        """Who decided, in words; empty where the agents did, as in the folder, and are rules."""
        if self.by:
            draws = self.mediation.coupled.draws
            known = (
                f"the fit's uncertainty, by {draws} draws of its parameters, is in the effects' intervals"
                if draws
                else "the fit's uncertainty is not in the intervals"
            )
            return f"The fitted rule {self.by!r} decided in the agents' place; {known}"
        if self.models:
            return f"The language model {', '.join(self.models)} itself decided in every world"
        return ""

    def __str__(self) -> str:
        whose = f". {self.whose}" if self.whose else ""
        told = [f"{self.cell}, less {self.null}{whose}", self.mediation, *self.crossings]
        return "\n".join(map(str, [*told, *([self.influence] if self.influence else [])]))

    def save(self, folder: Path) -> None:
        """Keep it under results/ in a study's folder."""
        found, results = self.mediation, folder / "results"
        facts = {
            "cell": self.cell,
            "null": self.null,
            "by": self.by,
            "models": self.models,
            "measure": found.coupled.measure,
            "left_out": found.coupled.left_out,
            "channels": found.channels,
            "unmatched": found.unmatched,
            "crossings": [(one.first, one.second, one.unmatched) for one in self.crossings],
            "influence": None
            if self.influence is None
            else {"reached": self.influence.reached, "asked": self.influence.asked},
        }
        for name, frame in self._frames():
            save(frame, results / f"{name}.parquet")
        (results / NAME).write_bytes(msgspec.json.format(msgspec.json.encode(facts), indent=2))

    @classmethod
    def read(cls, folder: Path) -> "Passages | None":
        """What a folder keeps; None where there is nothing.

        Raises:
            TraceError: it is damaged.
        """
        path = folder / "results" / NAME
        try:
            told: dict[str, Any] = msgspec.json.decode(path.read_bytes())
            left = {int(one): why for one, why in told["left_out"].items()}

            def coupled(name: str) -> Coupled:
                return Coupled.of(told["measure"], load(path.with_name(f"{name}.parquet")), left)

            crossings = tuple(
                Crossing(coupled(f"channel_worlds_{at}"), *one)
                for at, one in enumerate(told["crossings"])
            )
            moved = told["influence"] and Influence(
                _columns(path.with_name("influence_decisions.parquet")),
                _columns(path.with_name("influence_edges.parquet")),
                **told["influence"],
            )
            found = Mediation(coupled("channel_worlds"), tuple(told["channels"]), told["unmatched"])
            models = tuple(told["models"])
            return cls(told["cell"], told["null"], told["by"], found, crossings, moved, models)
        except FileNotFoundError:
            return None
        except (
            OSError,
            msgspec.DecodeError,
            AttributeError,
            KeyError,
            TypeError,
            ValueError,
        ) as error:
            raise TraceError(
                f"{path} cannot be read ({type(error).__name__}); remove it, or ask for the channels again."
            ) from None

    def _frames(self) -> "Iterator[tuple[str, pd.DataFrame]]":
        import pandas as pd  # 300 ms that `import cloudchamber` need not pay

        yield "channel_worlds", self.mediation.coupled.frame()
        for at, one in enumerate(self.crossings):
            yield f"channel_worlds_{at}", one.coupled.frame()
        if self.influence is not None:
            yield "influence_decisions", pd.DataFrame(dict(self.influence.decisions))
            yield "influence_edges", pd.DataFrame(dict(self.influence.pairs))


def _columns(path: Path) -> dict[str, Any]:
    frame = load(path)
    return {str(name): frame[name].to_numpy() for name in frame.columns}
