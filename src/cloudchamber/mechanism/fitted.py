"""What a fit found: parameters, how well each is known, and what the data do not tell."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from cloudchamber.errors import SpecificationError
from cloudchamber.measures.estimate import Estimate
from cloudchamber.mechanism.choice_data import Asked
from cloudchamber.mechanism.likelihood import Targets
from cloudchamber.mechanism.mechanisms import Mechanism
from cloudchamber.questions import Reals

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Fit"]


@dataclass(frozen=True, slots=True)
class Fit:
    """A mechanism with the parameters that fit, and how well each is known."""

    mechanism: Mechanism
    """With the fitted values; where the data do not determine them, some of those that fit as well."""
    names: tuple[str, ...]
    values: Reals
    """(P,): the parameters, NaN where the data do not determine them."""
    covariance: Reals
    """(P, P), clustered by run; NaN likewise, and throughout where there is only one run."""
    runs: int
    decisions: int
    log_likelihood: float
    """Of all rows, in nats; minus infinity where some could not have been."""
    impossible: int = 0
    """Rows of which the mechanism says that they cannot be, whatever its parameters."""
    flat: tuple[str, ...] = ()
    """What the data do not tell, each as a sentence."""
    to: Targets = "distributions"
    converged: bool = True
    asked: Asked = field(default="one")
    informing: Reals = field(default_factory=lambda: np.zeros(0))
    """(P,): how many runs inform each parameter; all alike, R."""
    unlike: Reals = field(default_factory=lambda: np.zeros(0))
    """(P,): the variance clustered by run over that of independent choices; about 1 where all runs follow one
    rule, and NaN where exact distributions were fitted, which hold no chance."""
    spread: Reals = field(default_factory=lambda: np.zeros((0, 0)))
    """(P, P): the covariance along what the data tell: of parameters, too, that they tell only together."""

    @property
    def errors(self) -> Reals:
        """(P,): standard errors, clustered by run."""
        return np.sqrt(np.diag(self.covariance))

    def estimate(self, name: str, level: float = 0.95) -> Estimate:
        """A parameter with its interval; without one where the data do not tell.

        Raises:
            SpecificationError: there is no such parameter.
        """
        if name not in self.names:
            raise SpecificationError(f"no parameter {name!r}; allowed: {', '.join(self.names)}")
        from scipy.special import stdtrit  # quick to import, unlike scipy.stats

        at = self.names.index(name)
        value, error = float(self.values[at]), float(self.errors[at])
        half = float(stdtrit(self.freedom(name), 0.5 + level / 2)) * error
        return Estimate(
            value, value - half, value + half, self.runs, level, method="cluster-robust t"
        )

    def freedom(self, name: str) -> float:
        """The degrees of freedom of a parameter's interval: one less than the runs that inform it."""
        return max(float(self.informing[self.names.index(name)]) - 1, 0.0) or np.nan

    def differing(self, level: float = 0.99) -> dict[str, float]:
        """Parameters that differ between runs by more than chance allows, and the p-value of each.

        Where runs follow one rule with its choices drawn independently, `unlike` is chi squared over its
        degrees of freedom. Numbers are then those of the average decision: long runs weigh more in them than
        short ones. The level is for all parameters together (Bonferroni).
        """
        from scipy.special import chdtrc  # quick to import, unlike scipy.stats

        found = {}
        for at, name in enumerate(self.names):
            freedom = self.freedom(name)
            if np.isfinite(self.unlike[at]) and np.isfinite(freedom):
                p = float(chdtrc(freedom, freedom * self.unlike[at]))
                if p < (1 - level) / len(self.names):
                    found[name] = p
        return found

    def estimates(self, level: float = 0.95) -> dict[str, Estimate]:
        """Every parameter with its interval."""
        return {name: self.estimate(name, level) for name in self.names}

    def table(self, level: float = 0.95) -> "pd.DataFrame":
        """A row a parameter: value, error, low, high; NaN where the data do not tell."""
        import pandas as pd  # 300 ms that `import cloudchamber` need not pay

        told = self.estimates(level).values()
        return pd.DataFrame(
            {
                "value": self.values,
                "error": self.errors,
                "low": [one.low for one in told],
                "high": [one.high for one in told],
            },
            index=pd.Index(self.names, name="parameter"),
        )

    def __str__(self) -> str:
        lines = [self.mechanism.equation()]
        if self.impossible:
            lines.append(
                f"cannot be: {self.impossible} of {self.decisions} decisions are impossible under it"
            )
            return "\n".join(lines)
        lines += [f"{name}: {self.estimate(name)}" for name in self.names]
        per = self.log_likelihood / max(self.decisions, 1)
        lines.append(f"log-likelihood {per:.4f} a decision, {self.decisions} decisions")
        if differing := self.differing():
            lines.append(f"runs differ by more than chance in {', '.join(differing)}")
        return "\n".join([*lines, *self.flat, *([] if self.converged else ["did not converge"])])
