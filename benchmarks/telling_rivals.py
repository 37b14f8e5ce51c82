"""How many questions tell two rules of the herding feed apart: exact distributions against sampled answers.

Readers that are the one rule answer questions of the herding study (48 items in an order drawn for each
question, likes of 0, 1, 10, 100 and 1,000 dealt by lot), a reader and question a run. Both rules are fitted
and scored on questions held out (`compare`); counted is how many questions it takes until the 95 % interval
of the difference, over runs, lies above 0 in nine of ten repetitions.

Run: python -m benchmarks.telling_rivals [REPETITIONS]
"""

from benchmarks.timing import one_core, table

one_core()

import sys
from collections.abc import Callable
from functools import partial

import numpy as np

from cloudchamber.agents import Society, decide
from cloudchamber.cli.finding import load
from cloudchamber.engine import Runs, grow
from cloudchamber.mechanism import (
    ChoiceData,
    ConsiderThenChoose,
    ContentEffect,
    FallOff,
    Gate,
    Logit,
    Mechanism,
    Signal,
    choices_of,
    compare,
)
from cloudchamber.mechanism.likelihood import Targets
from cloudchamber.trace import Trace

QUALITY, GATE = ContentEffect(field="quality", strength=1.0), Gate(width=5, beyond=-3.0)
ANY, MORE = Signal(form="any", strength=1.5), Signal(form="log", strength=0.5)
RULES: dict[str, Mechanism] = {
    "gate, any like": ConsiderThenChoose(considered=GATE, terms=(QUALITY, ANY), appeal=-1.0),
    "gate, more likes": ConsiderThenChoose(considered=GATE, terms=(QUALITY, MORE), appeal=-1.0),
    "gate, likes ignored": ConsiderThenChoose(considered=GATE, terms=(QUALITY,), appeal=-1.0),
    "falling off, any like": Logit(terms=(FallOff(rate=0.4), QUALITY, ANY)),
}
PAIRS = (
    ("gate, any like", "gate, more likes"),
    ("gate, more likes", "gate, any like"),
    ("gate, any like", "gate, likes ignored"),
    ("gate, any like", "falling off, any like"),
)
"""The true rule, and its rival."""
POOL = 40_000
"""Questions that repetitions are drawn from, without replacement within one."""
POWER = 0.9
Powers = dict[int, int]
"""For a number of questions, in how many repetitions the interval lay above 0."""


def asked(true: Mechanism, questions: int = POOL) -> ChoiceData:
    """Readers who are the rule, each asked once; nobody sees what another did."""
    study = load("herding", decides=true)
    cells = {cell.name: cell.spec for cell in study.combinations()}
    spec = cells["seeded / shuffled"].replace("population.groups.0.count", 1)
    spec = spec.replace("turns.steps", 1)
    trace, runs = Trace(), np.arange(questions)
    decide(grow(spec, Runs(0, runs, runs + 1), trace), Society(spec))
    return choices_of(trace, content=spec.world.content())


def shown(data: ChoiceData, true: str, rival: str, questions: int, times: int, to: Targets) -> int:
    """In how many repetitions the true rule's difference from its rival lies above 0."""
    pair, found = {name: RULES[name] for name in (true, rival)}, 0
    for number in range(times):
        rng = np.random.default_rng([questions, number])
        rows = np.sort(rng.choice(len(data), questions, replace=False))
        told = compare(pair, data.where(rows), to=to).difference(true, rival)
        found += bool(told.low > 0)
    return found


def ladder(count: Callable[[int], int], times: int) -> Powers:
    """Powers at numbers that double until nine of ten are reached, and at one between the last two."""
    found: Powers = {}
    number = 2
    while number <= POOL // 8:
        found[number] = count(number)
        if found[number] >= POWER * times:
            break
        number *= 2
    between = round(number / 2**0.5)
    if between not in found:
        found[between] = count(between)
    return dict(sorted(found.items()))


def needed(found: Powers, times: int, seed: int, draws: int = 2000) -> np.ndarray:
    """(1 + draws,): where the power passes nine of ten, between the numbers tried; then with other counts."""
    rng, numbers = np.random.default_rng(seed), np.log(list(found))
    counted = np.array(list(found.values()))
    # Half a repetition on either side, so that what always or never happened may be otherwise.
    drawn = rng.binomial(times, (counted + 0.5) / (times + 1), (draws, len(counted)))
    return np.exp([_passed(numbers, one / times) for one in (counted, *drawn)])


def _passed(numbers: np.ndarray, power: np.ndarray) -> float:
    power = np.maximum.accumulate(power)
    at = int(np.searchsorted(power, POWER))
    if at == 0 or at == len(power):
        return float(numbers[min(at, len(power) - 1)])
    share = (POWER - power[at - 1]) / (power[at] - power[at - 1])
    return float(numbers[at - 1] + share * (numbers[at] - numbers[at - 1]))


def told(values: np.ndarray) -> str:
    """The first, and the interval of the others."""
    low, high = np.quantile(values[1:], [0.025, 0.975])
    digits = 1 if values[0] < 10 else 0
    return f"{values[0]:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


def main() -> None:
    """Print the table."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    rows, known = [], {name: asked(RULES[name]) for name in {true for true, _ in PAIRS}}
    ways: tuple[Targets, Targets] = ("choices", "distributions")
    for true, rival in PAIRS:
        found = []
        for seed, to in enumerate(ways):
            powers = ladder(partial(shown, known[true], true, rival, times=times, to=to), times)
            found.append(needed(powers, times, seed))
            print(f"{true} / {rival}, {to}: {powers}", flush=True)
        sampled, exact = found
        rows.append((true, rival, told(sampled), told(exact), told(sampled / exact)))
    table(
        f"Questions until nine of ten of {times} repetitions tell the rules apart (95 % intervals)",
        ("the readers' rule", "its rival", "sampled", "exact", "times fewer"),
        rows,
    )


if __name__ == "__main__":
    main()
