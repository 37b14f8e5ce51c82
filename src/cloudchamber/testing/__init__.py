"""Eight laws, as checks that any world, agent, regime or measure can be put through.

1. *determined*: specification, seed and answers determine a run, however it is batched and answered.
2. *complete*: the decisions alone rebuild every state of the world, without any agent.
3. *nothing unseen*: what an agent was not exposed to changes nothing of its answer's distribution.
4. *provenance*: every exposure names the world or the earlier decision it came from, late as it says.
5. *independent draws*: agents, replicates and steps draw independently; a draw asked twice is the same.
6. *paired*: runs that share a replicate share their noise, and differ only where the change acts.
7. *swappable*: deciders with the same distribution over what they are shown make the same picks.
8. *a failed run is a row*: it names stage and reason, and no answer that failed is replaced.

`check_world(world)`, `check_decider(decider)`, `check_regime(regime)` and `check_measure(measure)` raise
AssertionError, saying what broke which law; `laws` has each law on its own, for a whole microspecification.
`cloudchamber.testing.strategies` has hypothesis strategies, `cloudchamber.testing.fakes` models that are
not, `cloudchamber.testing.server` an OpenAI-compatible server whose faults follow a plan.
"""

from cloudchamber.testing import laws
from cloudchamber.testing.checks import check_decider, check_measure, check_regime
from cloudchamber.testing.growing import grown
from cloudchamber.testing.world_checks import check_world

__all__ = ["check_decider", "check_measure", "check_regime", "check_world", "grown", "laws"]
