"""Fitting mechanisms to a million choices among 48 options, on one core; and beside xlogit, where that is.

The choices are made up: a fall-off by place, an effect of any like, an effect of each item. Give a smaller
number of choices to try it out: `python -m benchmarks.fitting [CHOICES]`. xlogit takes its options in long
form, a row for each, and some five times the memory; it is given a tenth of the choices, as are we beside it,
and its quick errors, from the optimiser's own Hessian.
"""

from benchmarks.timing import median, one_core, rounds, table

one_core()

import sys
import time
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np

from cloudchamber.mechanism import (
    ChoiceData,
    ConsiderThenChoose,
    FallOff,
    ItemEffects,
    Logit,
    PlaceEffects,
    Signal,
    fit,
)

OPTIONS, RUNS = 48, 100
FITTED = {
    "fall-off, any like": Logit(terms=(FallOff(), Signal())),
    "fall-off, any like, items": Logit(terms=(FallOff(), Signal(), ItemEffects())),
    "places, log of likes, items": Logit(terms=(PlaceEffects(), Signal(form="log"), ItemEffects())),
    "fall-off, likes saturating": Logit(terms=(FallOff(), Signal(form="saturating"))),
    "two stages": ConsiderThenChoose(considered=FallOff(), terms=(Signal(form="log"),)),
}


def choices(rows: int) -> ChoiceData:
    rng = np.random.default_rng(1)
    effect = rng.normal(size=OPTIONS) / 2
    item = np.empty((rows, OPTIONS), np.int16)
    likes = np.empty((rows, OPTIONS), np.float32)
    choice = np.empty(rows, np.int16)
    for start in range(0, rows, 50_000):
        part = slice(start, min(start + 50_000, rows))
        shape = (part.stop - start, OPTIONS)
        item[part] = rng.permuted(
            np.tile(np.arange(OPTIONS, dtype=np.int16), (shape[0], 1)), axis=1
        )
        likes[part] = np.floor(rng.exponential(2.0, shape))
        weight = -0.15 * np.arange(OPTIONS) + 1.2 * (likes[part] > 0) + effect[item[part]]
        choice[part] = (weight + rng.gumbel(size=shape)).argmax(axis=1)
    zeros = np.zeros(rows, np.int32)
    return ChoiceData(
        asked="one",
        run=np.arange(rows) * RUNS // rows + 1,
        decision=np.arange(rows),
        pick=np.ones(rows, np.int16),
        step=zeros,
        agent=zeros,
        group=zeros.astype(np.int16),
        item=item,
        choice=choice,
        signals={"likes": likes},
    )


def main() -> None:
    data = choices(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
    print(f"{len(data):,} choices among {OPTIONS} options, {RUNS} runs")
    for name, mechanism in FITTED.items():
        wall, processor = time.perf_counter(), time.process_time()
        found = fit(mechanism, data)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        told = f"{len(found.names):3} parameters {wall:6.1f} s, processor {processor:5.1f} s"
        print(f"{name:30} {told}{'' if found.converged else ', did not converge'}")
    if find_spec("xlogit") is None:
        print("xlogit is not installed; nothing to compare with")
        return
    few = data.where(np.arange(len(data) // 10))
    rows = [beside_xlogit(few, False)]
    rows.append(beside_xlogit(few.where(np.arange(len(few) // 10)), True))
    head = ["conditional logit", "ours, s", "xlogit, s", "ratio", "largest difference"]
    table(f"{len(few):,} choices, {len(few) // 10:,} with items", head, rows)


def beside_xlogit(data: ChoiceData, items: bool) -> tuple[str, ...]:
    """Seconds of both for the same conditional logit, with robust errors, and how far apart they end."""
    mine = Logit(terms=(FallOff(), Signal(), *((ItemEffects(),) if items else ())))
    ours, theirs = [], []

    def act() -> None:
        ours.append(fit(mine, data))

    seconds = rounds({"ours": act, "xlogit": _xlogit(data, items, theirs)}, 3)
    used = {name: median([one[0] for one in taken]) for name, taken in seconds.items()}
    apart = float(np.abs(ours[-1].values - theirs[-1]).max())
    parameters = len(ours[-1].names)
    return (
        f"{parameters} parameters",
        f"{used['ours']:.2f}",
        f"{used['xlogit']:.2f}",
        f"{used['xlogit'] / used['ours']:.1f}",
        f"{apart:.0e}",
    )


def _xlogit(data: ChoiceData, items: bool, found: list[np.ndarray]) -> Callable[[], object]:
    from xlogit import MultinomialLogit

    n, k = data.item.shape
    place = np.broadcast_to(-np.arange(k), (n, k))
    columns = [place, data.signals["likes"] > 0]
    columns += [data.item == item for item in range(1, k)] if items else []
    design = np.stack([column.reshape(-1) for column in columns], axis=1).astype(np.float64)
    names = [str(number) for number in range(design.shape[1])]
    alternatives, ids = np.tile(np.arange(k), n), np.repeat(np.arange(n), k)
    picked = (np.arange(k) == data.choice[:, None]).reshape(-1)

    def act() -> None:
        model = MultinomialLogit()
        model.fit(design, picked, names, alternatives, ids, robust=True, num_hess=False, verbose=0)
        found.append(model.coeff_)

    return act


if __name__ == "__main__":
    main()
