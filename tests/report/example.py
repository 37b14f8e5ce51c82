"""A rich document for the tests. EVERY NUMBER IN IT IS SYNTHETIC, drawn here, of no study."""

import numpy as np
import pandas as pd

from cloudchamber.report import figures
from cloudchamber.report.document import (
    Check,
    Code,
    Document,
    Figure,
    Prose,
    Reading,
    Section,
    Table,
    Verdict,
)
from cloudchamber.report.figures import Axis

MARK = "Synthetic data, for looking at the page only."
CELLS = ("likes hidden", "organic", "organic, by popularity")


def gini_frame() -> pd.DataFrame:
    draws = np.random.default_rng(7)
    parts = []
    for level, name in zip((0.28, 0.42, 0.71), CELLS, strict=True):
        step = np.arange(0, 201, 5)
        mean = level * (1 - np.exp(-step / 45)) + draws.normal(0, 0.004, step.size)
        half = 0.015 + 0.03 * level
        parts.append(
            pd.DataFrame(
                {"cell": name, "step": step, "gini": mean, "low": mean - half, "high": mean + half}
            )
        )
    return pd.concat(parts, ignore_index=True)


def position_frame() -> pd.DataFrame:
    draws = np.random.default_rng(3)
    parts = []
    for gate, name in zip((0.0, 0.06), ("shuffled", "by popularity"), strict=True):
        position = np.arange(1, 49)
        weight = np.exp(-gate * position) * (1 + draws.normal(0, 0.05, 48))
        mean = weight / weight.sum()
        half = 0.15 * mean + 0.001
        parts.append(
            pd.DataFrame(
                {
                    "order": name,
                    "position": position,
                    "probability": mean,
                    "low": mean - half,
                    "high": mean + half,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def effect_frame() -> pd.DataFrame:
    rows = [
        ("hide likes", "no attack", -0.21, 0.05),
        ("hide likes", "target pinned", -0.03, 0.06),
        ("shuffle for each reader", "no attack", -0.30, 0.04),
        ("shuffle for each reader", "target pinned", -0.24, 0.05),
        ("one item at a time", "no attack", -0.34, 0.07),
        ("one item at a time", "target pinned", -0.31, 0.06),
        ("bucket likes", "no attack", -0.04, 0.05),
        ("bucket likes", "target pinned", 0.02, 0.05),
        ("ask to judge on merit", "no attack", 0.01, np.nan),
        ("ask to judge on merit", "target pinned", 0.03, 0.07),
    ]
    frame = pd.DataFrame(rows, columns=["intervention", "feed", "value", "half"])
    return frame.assign(low=frame.value - frame.half, high=frame.value + frame.half)


def level_frame() -> pd.DataFrame:
    rows = [
        {"likes": str(likes), "place": place, "effect": 0.09 * np.log1p(likes) * np.exp(-i / 3)}
        for likes in (0, 1, 10, 100, 1000)
        for i, place in enumerate(("1-6", "7-12", "13-24", "25-36", "37-48"))
    ]
    return pd.DataFrame(rows)


def runs_frame() -> pd.DataFrame:
    draws = np.random.default_rng(11)
    parts = [
        pd.DataFrame({"source": name, "gini": draws.normal(mean, 0.04, count)})
        for name, mean, count in (
            ("likes hidden", 0.28, 24),
            ("organic", 0.42, 24),
            ("organic, by popularity", 0.66, 24),
            ("field data", 0.55, 8),
        )
    ]
    return pd.concat(parts, ignore_index=True)


def all_figures() -> tuple[Figure, ...]:
    gini = gini_frame()
    panels = pd.concat(
        [
            gini.assign(topic=topic, gini=gini.gini * by, low=gini.low * by, high=gini.high * by)
            for topic, by in (
                ("science", 1.0),
                ("sport", 0.8),
                ("local", 1.2),
                ("arts", 0.9),
                ("economy", 0.7),
                ("weather", 0.5),
            )
        ]
    )
    return (
        figures.curve(
            gini,
            id="gini-over-time",
            title="Attention concentrates where likes are shown and order the feed",
            caption=f"Mean over 24 runs; ribbons are 95 % intervals over runs. {MARK}",
            x=Axis("step", "Step"),
            y=Axis("gini", "Gini coefficient of likes", domain=(0, 0.85)),
            low="low",
            high="high",
            series="cell",
            reference=(0.12, "independent choice"),
            alt="Three curves rise from zero and level off at 0.28, 0.42 and 0.71.",
        ),
        figures.profile(
            position_frame(),
            id="position",
            title="Choice by position",
            caption=f"Exact probabilities, mean over runs. {MARK}",
            position=Axis("position", "Position in the list"),
            low="low",
            high="high",
            series="order",
            options=48,
        ),
        figures.bars_by_position(
            position_frame().query("order == 'by popularity'"),
            id="bars",
            title="The same as bars",
            caption=MARK,
            value=Axis("probability", "P(choice | position)"),
            low="low",
            high="high",
            reference=(1 / 48, "uniform 1/48"),
        ),
        figures.heat(
            level_frame(),
            id="levels",
            title="What shown likes do, by level and by position",
            caption=MARK,
            x=Axis("likes", "Likes shown"),
            y=Axis("place", "Position"),
            value=Axis("effect", "Change of P(choice)", format="+.2f"),
            middle=0.0,
        ),
        figures.intervals(
            effect_frame(),
            id="effects",
            title="Effect of each intervention on the Gini coefficient at the last step",
            caption=f"Paired differences, 95 % intervals over 24 pairs of runs. {MARK}",
            label="intervention",
            value=Axis("value", "Change of the Gini coefficient"),
            group="feed",
            reference=(0.0, "no effect"),
        ),
        figures.intervals(
            effect_frame().query("feed == 'no attack'"),
            id="effects-plain",
            title="The same without the attack",
            caption=MARK,
            label="intervention",
            value=Axis("value", "Change of the Gini coefficient"),
            reference=(0.0, "no effect"),
        ),
        figures.grid_of_curves(
            panels,
            id="topics",
            title="By topic",
            caption=MARK,
            x=Axis("step", "Step"),
            y=Axis("gini", "Gini coefficient"),
            panel="topic",
            low="low",
            high="high",
            series="cell",
            columns=3,
        ),
        figures.distributions(
            runs_frame(),
            id="runs",
            title="Each run is a dot",
            caption=f"Strokes are medians. {MARK}",
            value=Axis("gini", "Gini coefficient at the last step"),
            series="source",
            field_data="field data",
        ),
        figures.distributions(
            runs_frame(),
            id="runs-ecdf",
            title="The same, cumulated",
            caption=MARK,
            value=Axis("gini", "Gini coefficient at the last step"),
            series="source",
            field_data="field data",
            kind="ecdf",
        ),
        figures.curve(
            gini.head(1),
            id="too-little",
            title="One run has no curve",
            caption=MARK,
            x="step",
            y="gini",
        ),
    )


def example() -> Document:
    by = {figure.id: figure for figure in all_figures()}
    table = pd.DataFrame(
        {
            "cell": ["likes hidden", "organic", "organic, by popularity"],
            "runs": [24, 24, 23],
            "decisions": [4800, 4800, 4600],
            "unparseable": [0, 2, 1],
            "Gini": [0.2812, 0.4176, 0.7105],
            "mass on valid answers": [0.031, 0.148, float("nan")],
        }
    )
    return Document(
        title="Herding in an agents’ news feed",
        question="Do language-model agents who see one another’s likes pile onto the same few "
        "headlines, and what makes them stop?",
        answer=(
            "Yes, where likes order the list: the Gini coefficient of attention reached **0.71** "
            "(0.68 to 0.74), against 0.28 with likes hidden.",
            "Showing the counts alone did little; shuffling the list for each reader undid most of it.",
            "Every number here is synthetic.",
        ),
        facts=(
            ("cells", "12"),
            ("runs, of 288 planned", "287"),
            ("decisions", "57,400"),
            ("unparseable answers", "0.2 %"),
            ("median mass on valid answers", "0.08"),
        ),
        sections=(
            Section(
                "Herding as a phenomenon",
                1,
                "A few headlines take most of the attention, and which ones is chance.",
                (
                    Prose(
                        "We call a feed **herded** when the concentration of likes exceeds that of "
                        "independent choice in at least 95 % of runs, and when parallel worlds "
                        "disagree on the winners.\n\nThe measure is `gini(likes)` at the last step."
                    ),
                ),
            ),
            Section(
                "What was assumed",
                2,
                "",
                (
                    Reading(
                        "Twenty-four agents, all decided for by one language model, read a list of "
                        "48 headlines. They act one after another, in an order drawn anew at each "
                        "step. Each sees how many likes a headline has; nobody sees who gave them."
                        "\n\nAn agent remembers nothing of what it chose before.",
                        "The specification, read aloud",
                    ),
                    Code(
                        "<|im_start|>user\nHeadlines:\n37: Old lighthouse opens to visitors\n82: "
                        "Rare moth found in city park\nWhich one do you endorse? Answer with its "
                        "number.<|im_end|>",
                        "What an agent was shown (shortened)",
                    ),
                ),
            ),
            Section(
                "What grew",
                3,
                "Order, not the counts themselves, did the work.",
                (
                    by["gini-over-time"],
                    Prose("By the end, the three cells had parted **clearly**; see also the runs."),
                    by["runs"],
                    by["position"],
                    by["levels"],
                    Table("Cells of the experiment", table, f"Means over runs. {MARK}"),
                    by["bars"],
                    by["topics"],
                    by["too-little"],
                ),
            ),
            Section(
                "What stops it",
                4,
                "Interventions on the architecture beat the one on the agents.",
                (by["effects"], by["effects-plain"]),
            ),
            Section(
                "Does it hold",
                5,
                "",
                (
                    by["runs-ecdf"],
                    Verdict(
                        "Attention concentrates beyond independent choice",
                        "met",
                        (
                            "Gini 0.71 (0.68 to 0.74) against 0.12 under the null.",
                            "All 24 runs lie above the null’s 95th percentile.",
                        ),
                        "A null with the model’s own taste that reaches 0.6.",
                    ),
                    Verdict(
                        "Shown likes attract by themselves", "undecided", ("Interval covers 0.",)
                    ),
                    Verdict("The prompt is enough", "not met", ("Change 0.01, no interval.",)),
                    Verdict("It holds for people", "no evidence", ("No field data were given.",)),
                    Check(
                        "Does the model follow instructions at all?",
                        "In 99.8 % of decisions.",
                        "fine",
                    ),
                    Check(
                        "Is it biased to labels?", "Label identity explains **47 %**.", "warning"
                    ),
                    Check("Did it see the likes?", "The answers did not move with them.", "bad"),
                ),
            ),
        ),
        rerun="cloudchamber run herding --seed 1 --replicates 24 --out out/herding",
        notes=(
            "One model of 135 million parameters; nothing here speaks for larger ones.",
            "The list is English; 48 headlines written for the study.",
        ),
        provenance=(
            ("cloudchamber", "0.1.0"),
            ("specification", "9f2c4e0b77aa"),
            ("model", "synthetic"),
            ("seed", "1"),
        ),
        unfinished="One of 288 runs is missing; run the command below to finish.",
    )
