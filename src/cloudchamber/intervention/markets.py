"""Interventions on markets: firms that act as theory has it, to hold others beside."""

from cloudchamber.agents import Constant
from cloudchamber.errors import SpecificationError
from cloudchamber.intervention.intervention import Intervention
from cloudchamber.intervention.on_agents import let_decide
from cloudchamber.microspec import Microspec
from cloudchamber.oligopoly import Market
from cloudchamber.worlds.market import Trade

__all__ = ["at_joint_optimum", "at_nash"]


def at_nash() -> Intervention:
    """Let every firm act as at Nash: the null of market division and collusion."""
    return Intervention(
        "at Nash",
        "agents",
        lambda spec: let_decide(Constant.nash(_market(spec)))(spec),
        "every firm does what answers best to the others",
    )


def at_joint_optimum() -> Intervention:
    """Let every firm act as at the joint optimum: the most that all can earn together."""
    return Intervention(
        "at the joint optimum",
        "agents",
        lambda spec: let_decide(Constant.joint(_market(spec)))(spec),
        "all firms together earn the most there is",
    )


def _market(spec: Microspec) -> Market:
    """The market of a specification.

    Raises:
        SpecificationError: its world is none.
    """
    if not isinstance(spec.world, Trade):
        raise SpecificationError(
            f"world: {spec.world.kind!r} given; Nash and joint optimum are those of a market, e.g. 'cournot'."
        )
    return spec.world.market(spec.population.count)
