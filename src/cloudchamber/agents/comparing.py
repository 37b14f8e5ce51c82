"""Rules that compare the options shown and take one of them, so that they can judge none alone."""

import numpy as np

from cloudchamber.agents.rules import Rule
from cloudchamber.microspec.affordances import Affordances
from cloudchamber.questions import Questions, Reals

__all__ = ["Comparing"]


class Comparing(Rule):
    """A rule whose weights are the probabilities of a choice of one of a list."""

    def refuses(self, affordances: Affordances) -> str:
        """It needs the options before it, and takes one."""
        if affordances.presentation != "list" or affordances.choose != "one":
            return (
                f"the rule {self.kind!r} takes one of several options by comparing them; set "
                "affordances.presentation to 'list' and affordances.choose to 'one'"
            )
        return super().refuses(affordances)

    def inclusion(self, questions: Questions) -> Reals:
        """Certain: where nothing may be chosen, it chooses all the same."""
        return np.ones(questions.items.shape)
