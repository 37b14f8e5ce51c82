"""Fitting mechanisms to a million choices among 48 options, on one core.

The choices are made up: a fall-off by place, an effect of any like, an effect of each item. Give a smaller
number of choices to try it out: `OMP_NUM_THREADS=1 python -m benchmarks.fitting [CHOICES]`.
"""

import sys
import time

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


if __name__ == "__main__":
    main()
