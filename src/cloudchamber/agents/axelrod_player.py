"""Strategies of the `axelrod` package as players of repeated dilemmas.

The package (Knight et al. 2016, J. Open Research Software 4, e35) has over 200 strategies. It is no
dependency: it brings torch and dask with it. Install it (`pip install axelrod`) where it is wanted.
"""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, field_validator

from cloudchamber import randomness
from cloudchamber.agents.past import meetings
from cloudchamber.agents.rules import Rule
from cloudchamber.errors import SpecificationError, nearest
from cloudchamber.microspec.affordances import Affordances
from cloudchamber.questions import Ints, Questions, Reals

__all__ = ["AxelrodPlayer"]


class AxelrodPlayer(Rule):
    """Plays a strategy of the `axelrod` package, replaying to it the meetings that are remembered.

    Item 0 is to cooperate, item 1 to defect. The strategy knows of the match what memory shows, so a
    whole match needs `Window(k=...)` as long as the match, and partners that are kept. One that draws
    at random draws the same in every replay, under the agent's own key.
    """

    kind: Literal["axelrod"] = "axelrod"
    strategy: Annotated[str, Field(min_length=1)] = "TitForTat"
    """The name of the strategy's class, e.g. "TitForTat", "Defector", "Grudger"."""

    @field_validator("strategy")
    @classmethod
    def _is_a_name(cls, strategy: str) -> str:
        if not strategy.isidentifier():
            raise ValueError(
                f"{strategy!r} given; allowed: the name of a class of axelrod.strategies"
            )
        return strategy

    def refuses(self, affordances: Affordances) -> str:
        """It cooperates or defects, and nothing else."""
        if affordances.presentation != "list" or affordances.choose != "one":
            return "a strategy of a dilemma chooses one of a list"
        return super().refuses(affordances)

    def weights(self, questions: Questions) -> Reals:
        """1 for what the strategy does, 0 for all else."""
        made = _made(self.strategy)
        met = meetings(questions)
        where = questions.address
        seeds = randomness.keys(where.seed, where.replicate, "axelrod", 0, where.agent)
        acts = np.array(
            [
                _next(made, own[own >= 0], other[own >= 0], int(seed) % 2**32)
                for own, other, seed in zip(met.own, met.other, seeds, strict=True)
            ],
            np.int64,
        )
        return np.asarray(questions.items == acts.reshape(-1, 1), np.float64)

    def aloud(self) -> str:
        """The rule in words."""
        return f"a player of {self.strategy}, as the axelrod package has it"


def _made(strategy: str) -> Any:
    """The strategy's class.

    Raises:
        SpecificationError: there is no such package here, or no such strategy in it.
    """
    try:
        import axelrod  # optional, and seconds to import
    except ImportError as error:
        raise SpecificationError(
            f"the strategies of the axelrod package cannot be imported ({error}); pip install axelrod."
        ) from None
    known = {one.__name__: one for one in axelrod.all_strategies}
    if strategy not in known:
        raise SpecificationError(
            f"the axelrod package has no strategy {strategy!r}; {nearest(strategy, known)}"
        )
    return known[strategy]


def _next(made: Any, own: Ints, other: Ints, seed: int) -> int:
    """What a strategy does after some meetings: it is asked at each of them again, and told what was."""
    from axelrod import Action, MockPlayer

    acts = (Action.C, Action.D)
    player, opponent = made(), MockPlayer([])
    player.set_seed(seed)
    for mine, theirs in zip(own.tolist(), other.tolist(), strict=True):
        player.strategy(opponent)
        # Whoever did nothing, or whose act is not shown, is taken to have cooperated.
        pair = acts[min(max(mine, 0), 1)], acts[min(max(theirs, 0), 1)]
        player.update_history(*pair)
        opponent.update_history(*pair[::-1])
    return acts.index(player.strategy(opponent))
