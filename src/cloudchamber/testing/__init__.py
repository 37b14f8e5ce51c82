"""The laws of DESIGN.md as checks that any world, agent, regime or measure can be put through.

`check_world(world)`, `check_decider(decider)`, `check_regime(regime)` and `check_measure(measure)` raise
AssertionError, saying what broke which law; `laws` has each law on its own, for a whole microspecification.
`cloudchamber.testing.strategies` has hypothesis strategies, `cloudchamber.testing.fakes` models that are
not.
"""

from cloudchamber.testing import laws
from cloudchamber.testing.checks import check_decider, check_measure, check_regime, check_world
from cloudchamber.testing.growing import grown

__all__ = ["check_decider", "check_measure", "check_regime", "check_world", "grown", "laws"]
