"""How many questions an exact readout saves to estimate what visible likes do, against sampling.

The effect is the mean over items of P(yes | 410 likes) - P(yes | none), items judged one at a time.
"paired": every item that is drawn is asked about twice, without and with likes; "apart": each is asked about
once, the likes dealt by lot. What is left with exact readouts is that items differ; sampling adds the lot of
each answer. "one noise" is sampling as cloudchamber does it: both answers of a pair under the same noise.

A rule is grown by the engine, many runs of it, and its estimates compared with the truth; the embedded
model is asked about the herding study's 48 headlines.

Run: python -m benchmarks.exact_readouts (the embedded model only where its file is in the cache already)
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.timing import table
from cloudchamber.agents import LanguageModel, Society, TwoStage, decide
from cloudchamber.engine import Runs, grow
from cloudchamber.microspec import (
    Affordances,
    Group,
    Microspec,
    Population,
    Seeded,
    Simultaneous,
    Visibility,
)
from cloudchamber.microspec.population import Decider
from cloudchamber.models import open_model
from cloudchamber.models.embedded.fetch import FILE, cache_folder
from cloudchamber.trace import Trace
from cloudchamber.worlds import Feed

HEADLINES = Path(__file__).parents[1] / "studies" / "herding" / "headlines.csv"
SHOWN = 410.0
ERROR = 0.01
"""The standard error to be reached."""
Column = np.ndarray


def spec(world: Feed, decider: Decider, levels: tuple[float, ...], top: int | None) -> Microspec:
    return Microspec(
        world=world,
        population=Population(groups=(Group(name="readers", count=1, decides=decider),)),
        visibility=Visibility(top=top, fields={"likes": Seeded(levels=levels)}),
        turns=Simultaneous(steps=1),
        affordances=Affordances(presentation="one at a time", choose="any"),
    )


def judged(trace: Trace) -> dict[str, Column]:
    """A row a judgement: run, likes shown, probability of yes, and yes or no."""
    shown = trace.columns("exposures")
    order = np.lexsort((shown["item"], shown["run"]))
    names = ("run", "signal_likes", "probability", "chosen")
    return {name: np.asarray(shown[name], np.float64)[order] for name in names}


@dataclass(frozen=True)
class Variances:
    """Of one pair (two questions) by each way of asking, times the questions: what an error of 1 costs."""

    exact: float
    sampled: float
    one_noise: float
    exact_apart: float
    sampled_apart: float

    @classmethod
    def of(cls, without: Column, with_likes: Column) -> "Variances":
        """From the probability of yes for each item."""
        effect = with_likes - without
        between = float(effect.var(ddof=1))
        lots = sum(float((p * (1 - p)).mean()) for p in (without, with_likes))
        shared = float((np.abs(effect) - effect**2).mean())
        apart = sum(float(p.var(ddof=1)) for p in (without, with_likes))
        # Pairs cost two questions; apart, half of the questions are on either side.
        return cls(
            *(2 * v for v in (between, between + lots, between + shared, apart, apart + lots))
        )


def told(name: str, without: Column, with_likes: Column) -> None:
    """Print what each way costs, with intervals over items."""
    whole = Variances.of(without, with_likes)
    rng = np.random.default_rng(1)
    drawn = [rng.integers(len(without), size=len(without)) for _ in range(2000)]
    again = [Variances.of(without[rows], with_likes[rows]) for rows in drawn]

    def row(label: str, sampled: str, exact: str) -> tuple[str, ...]:
        saved = [getattr(v, sampled) / getattr(v, exact) for v in again]
        low, high = np.quantile(saved, [0.025, 0.975])
        cost, price = getattr(whole, sampled), getattr(whole, exact)
        needed = [f"{v / ERROR**2:,.0f}" for v in (cost, price)]
        return label, *needed, f"{cost / price:.1f}", f"{low:.1f} to {high:.1f}"

    effect = with_likes - without
    table(
        f"{name}: effect {effect.mean():.3f}, sd over {len(effect)} items {effect.std(ddof=1):.3f}, "
        f"P(yes) without likes {without.mean():.3f}; questions for a standard error of {ERROR}",
        ("", "sampled", "exact", "times fewer", "95 %, over items"),
        [
            row("paired", "sampled", "exact"),
            row("paired, one noise", "one_noise", "exact"),
            row("apart", "sampled_apart", "exact_apart"),
        ],
    )


def grown(world: Feed, decider: Decider, levels: tuple[float, ...], runs: int) -> dict[str, Column]:
    """What a rule judges, twelve items a run."""
    here = spec(world, decider, levels, top=12)
    trace = Trace()
    numbers = np.arange(runs)
    decide(grow(here, Runs(seed=7, replicates=numbers, ids=numbers + 1), trace), Society(here))
    return judged(trace)


def rule(runs: int = 4000) -> None:
    """A rule whose truth is known: what its estimates err by over many runs, as many questions each."""
    quality = np.random.default_rng(0).normal(size=48)
    world = Feed(headlines=tuple(f"{n}" for n in range(48)), quality=tuple(quality.tolist()))
    decider = TwoStage(gate="none", appeal=-1.0, taste=0.5, proof="any", strength=0.5)
    odds = -1.0 + 0.5 * quality
    without, with_likes = (1 / (1 + np.exp(-(odds + more))) for more in (0.0, 0.5))
    truth = float((with_likes - without).mean())
    told("A rule, from its formula", without, with_likes)

    none = grown(world, decider, (0.0,), runs)
    liked = grown(world, decider, (SHOWN,), runs)
    assert np.array_equal(none["run"], liked["run"])
    other = np.random.default_rng(3)
    lots = {
        "exact": liked["probability"] - none["probability"],
        "sampled": (other.random(len(none["run"])) < liked["probability"]) * 1.0
        - (other.random(len(none["run"])) < none["probability"]),
        "sampled, one noise": 1.0 * (liked["chosen"] > 0) - (none["chosen"] > 0),
    }
    rows = []
    for name, effect in lots.items():
        estimates = effect.reshape(runs, 12).mean(axis=1)
        sd = estimates.std(ddof=1)
        rows.append((name, f"{(estimates.mean() - truth) / sd * runs**0.5:.1f}", f"{sd:.4f}", sd))
    table(
        f"The same rule grown by the engine: {runs} runs of 12 pairs, truth {truth:.4f}",
        ("", "mistake, in its errors", "standard error of a run", "squared, by the exact one's"),
        [(name, z, sd, f"{(raw / rows[0][3]) ** 2:.1f}") for name, z, sd, raw in rows],
    )


async def embedded() -> None:
    """The embedded model on every headline, without and with likes."""
    world = Feed.from_file(HEADLINES)
    model = open_model("embedded")
    found = []
    for level in (0.0, SHOWN):
        here = spec(world, LanguageModel(), (level,), top=None)
        trace, society = Trace(), Society(here, {"embedded": model})
        growth = grow(here, Runs(seed=7, replicates=np.zeros(1, int), ids=np.ones(1, int)), trace)
        try:
            questions = next(growth)
            while True:
                questions = growth.send(await society.answer(questions))
        except StopIteration:
            found.append(judged(trace)["probability"])
    await model.close()
    told("The embedded model", *found)


def main() -> None:
    """Print the tables."""
    rule()
    if (cache_folder() / FILE).exists():
        asyncio.run(embedded())


if __name__ == "__main__":
    main()
