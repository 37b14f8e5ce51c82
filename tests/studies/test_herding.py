"""The herding study with rules whose behaviour is known: it finds what was planted, and nothing else."""

from collections.abc import Callable
from dataclasses import replace
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cloudchamber import Level, Results, Study
from cloudchamber.agents import PositionOnly, Quality, Random, SocialProof, TwoStage
from cloudchamber.cli.finding import load
from cloudchamber.measures import attention
from cloudchamber.microspec import Decider
from cloudchamber.models.fake import FakeModel, fake
from cloudchamber.models.model import Reply, Request
from cloudchamber.report import account
from cloudchamber.report.document import Document, Figure
from cloudchamber.report.evidence import target_share

Grown = tuple[Study, Results, Document, dict[str, pd.DataFrame]]


def built(study: Study, folder: Path, **more: Any) -> Grown:
    results = study.run(folder, **more)
    return study, results, *account.build(study, results)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Decider], Grown]:
    """The quick study with a rule, grown once."""
    known: dict[str, Grown] = {}

    def grow(rule: Decider) -> Grown:
        key = rule.model_dump_json()
        if key not in known:
            folder = tmp_path_factory.mktemp(rule.kind)
            known[key] = built(load("herding", quick=True, decides=rule), folder)
        return known[key]

    return grow


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Decider], Grown]:
    """Every cell of the full study, smaller: fewer readers, rounds and runs."""
    known: dict[str, Grown] = {}

    def grow(rule: Decider) -> Grown:
        key = rule.model_dump_json()
        if key not in known:
            study = load("herding", decides=rule).set("turns.steps", 5)
            study = replace(study.set("population.groups.0.count", 24), replicates=6)
            known[key] = built(study, tmp_path_factory.mktemp(rule.kind))
        return known[key]

    return grow


def verdicts(document: Document) -> dict[str, str]:
    return {one.name.split()[0].lower(): one.answer for one in document.verdicts}


def figure(document: Document, which: str) -> Figure:
    blocks = [block for section in document.sections for block in section.blocks]
    (found,) = [b for b in blocks if isinstance(b, Figure) and b.id == which]
    return found


def row(table: pd.DataFrame, label: str) -> Any:
    (found,) = table[table["label"] == label].to_dict("records")
    return found


RULES = [Random(), PositionOnly(), SocialProof(), Quality(), TwoStage()]


@pytest.mark.parametrize("rule", RULES, ids=[rule.kind for rule in RULES])
def test_the_report_has_five_stages_three_verdicts_and_its_checks(
    quick: Callable[[Decider], Grown], rule: Decider
) -> None:
    _, results, document, tables = quick(rule)
    assert [section.stage for section in document.sections] == [1, 2, 3, 4, 5, None]
    assert set(verdicts(document)) == {"descriptive", "explanatory", "observational"}
    assert verdicts(document)["observational"] == "no evidence"
    assert any("14,341 people" in said for said in document.verdicts[2].because)
    assert results.complete and document.unfinished == ""
    assert [check.state for check in document.checks] == ["fine"]
    for name in ("cells", "factors", "interventions", "attack"):
        assert set(tables[name]["unit"]) <= {"run", "pair of runs"}, "the run is the unit"
    assert any("quick version" in note for note in document.notes)


def test_where_nobody_heeds_anything_nothing_is_claimed(
    quick: Callable[[Decider], Grown],
) -> None:
    study, _, document, tables = quick(Random())
    assert verdicts(document)["descriptive"] == "not met"
    assert verdicts(document)["explanatory"] != "met"
    margin = study.phenomenon.criterion.margin
    for name in ("factors", "interventions", "attack"):
        table = tables[name]
        assert not ((table["low"] > margin) | (table["high"] < -margin)).any(), name
    # Draws are keyed by who decides: what nobody heeds changes nothing at all.
    assert tables["factors"]["value"].abs().max() < 1e-12
    assert not [said for said in document.answer if "rises" in said or "falls (" in said]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_null_is_kept_under_other_seeds(tmp_path: Path, seed: int) -> None:
    study = replace(load("herding", quick=True, decides=Random()), replicates=4)
    _, _, document, _ = built(study, tmp_path, seed=seed)
    assert verdicts(document)["descriptive"] in ("not met", "undecided")


def test_linear_proof_grows_herding_where_likes_are_organic_and_only_there(
    full: Callable[[Decider], Grown],
) -> None:
    _, _, document, tables = full(SocialProof())
    for cell in ("organic / shuffled", "organic / fixed", "organic / by popularity"):
        assert _grown(document, cell) == "grown"
    for cell in ("hidden / fixed", "hidden / by popularity", "seeded / shuffled"):
        assert _grown(document, cell) != "grown"
    assert row(tables["factors"], "likes: organic instead of hidden")["low"] > 0.05
    assert all(told["high"] < -0.05 for told in _change(tables, "hide likes"))
    assert verdicts(document)["descriptive"] == "met"


def _grown(document: Document, cell: str) -> str:
    tables = [b for b in document.sections[0].blocks if hasattr(b, "frame")]
    (frame,) = [table.frame for table in tables if "grown?" in table.frame.columns]
    return str(row(frame.rename(columns={"cell": "label"}), cell)["grown?"])


def test_an_order_that_is_the_same_for_all_locks_attention_in(
    full: Callable[[Decider], Grown],
) -> None:
    _, results, document, tables = full(PositionOnly(gate="exponential", width=3.0))
    cells = tables["cells"].set_index(["measure", "label"])["value"]
    for order in ("fixed", "by popularity"):
        # What places concentrate is no herding: they do as much where nobody can heed anybody.
        assert _grown(document, f"hidden / {order}") in ("no influence", "not grown")
        # Which items win is the order's doing, and each run has its own.
        assert (
            cells["unpredictability", f"hidden / {order}"]
            > 2 * cells["unpredictability", "hidden / shuffled"]
        )
    assert (
        tables["factors"].loc[tables["factors"]["factor"] == "likes", "value"].abs() < 1e-12
    ).all()
    # Mean position of exp(-(place - 1) / 3): the places do not depend on the order of items.
    gate = [exp(-(k - 1) / 3) for k in range(1, 49)]
    wanted = sum(k * g for k, g in enumerate(gate, start=1)) / sum(gate)
    assert cells["mean position", "hidden / shuffled"] == pytest.approx(wanted, rel=1e-4)
    assert _grown(document, "hidden / fixed") == "no influence"
    assert verdicts(document)["descriptive"] == "not met"
    whole, excess = _change(tables, "shuffle for each reader")
    assert whole["high"] < -0.05, "it does scatter attention"
    assert abs(excess["value"]) < 0.05, "which was none of herding's doing"
    assert results.complete


def _change(tables: dict[str, pd.DataFrame], label: str) -> tuple[Any, Any]:
    """What an intervention changes: all of it, and the excess over the null."""
    frame = tables["interventions"]
    whole, excess = frame[frame["label"] == label].to_dict("records")
    return whole, excess


def test_a_planted_effect_of_any_like_is_found_at_its_size(
    full: Callable[[Decider], Grown],
) -> None:
    rule = TwoStage(gate="none", taste=0.0, appeal=-1.0, strength=1.5)
    _, results, document, _ = full(rule)
    told = figure(document, "likes-single").data.set_index("step")

    def chance(strength: float) -> float:
        return 1 / (1 + exp(1.0 - strength))

    for step in (1, 2, 3, 4):  # 1, 10, 100 and 1,000 likes
        assert told.loc[step, "value"] == pytest.approx(chance(1.5), abs=1e-6)
    assert told.loc[0, "value"] == pytest.approx(chance(0.0), abs=1e-6)
    effect = attention.signal_effect(results.trace, "likes")
    seeded = effect[effect.index.isin(results.ids("seeded / shuffled"))]
    # In a list of 48 whose weights are mostly the larger one, a weight's share of the choice.
    gap = (chance(1.5) - chance(0.0)) / (48 * (0.8 * chance(1.5) + 0.2 * chance(0.0)))
    assert seeded.mean() == pytest.approx(gap, rel=0.05)
    hidden = effect[effect.index.isin(results.ids("hidden / shuffled"))]
    assert hidden.isna().all(), "where likes are hidden there is no effect of them to be told"


def test_the_attack_works_and_shuffling_undoes_it(full: Callable[[Decider], Grown]) -> None:
    _, results, _, tables = full(PositionOnly(gate="exponential", width=3.0))
    attack = tables["attack"]
    assert row(attack, "no intervention")["low"] > 0.1
    share = results.measure(target_share((7,)))["attacked"]
    assert share.to_numpy() == pytest.approx(1 - exp(-1 / 3), rel=1e-4), "the chance of place 1"
    shuffled = row(attack, "shuffle for each reader")
    assert (shuffled["value"], shuffled["low"], shuffled["high"]) == (0, 0, 0)
    assert row(attack, "hide likes")["low"] > 0.1, "hiding likes does nothing against a ranker"


def test_a_rule_that_looks_at_no_place_gives_the_attack_nothing(
    quick: Callable[[Decider], Grown],
) -> None:
    _, _, document, tables = quick(Quality())
    assert (tables["attack"]["value"] == 0).all()
    assert verdicts(document)["descriptive"] == "not met"


@pytest.mark.parametrize("level", ["sampled", "summary"])
def test_with_less_of_the_trace_the_report_says_what_it_cannot_tell(
    tmp_path: Path, level: Any
) -> None:
    study = replace(load("herding", quick=True, decides=TwoStage()), replicates=3)
    _, _, document, _ = built(study, tmp_path, level=Level(level))
    assert len(document.sections) == 6
    if level == "summary":
        said = [b.text for s in document.sections for b in s.blocks if hasattr(b, "text")]
        assert any("cannot be told" in text for text in said)


def field_file(path: Path, tallies: list[list[int]]) -> Path:
    lines = ["world,item,count"]
    for world, tally in enumerate(tallies):
        lines += [f"w{world},i{item},{count}" for item, count in enumerate(tally)]
    path.write_text("\n".join(lines))
    return path


def test_field_data_are_compared_and_may_agree_or_not(tmp_path: Path) -> None:
    rule = TwoStage()
    plain = load("herding", quick=True, decides=rule)
    # Worlds of the same kind: what the cell at risk grows under another seed.
    outside = plain.run(tmp_path / "outside", seed=99)
    final = outside.trace.outcomes().query("step == 4")
    alike = [
        [int(v) for v in final[final["run"] == run].sort_values("item")["value"]]
        for run in outside.ids(plain.at_risk())
    ]
    unlike = [[2 + (item + world) % 2 for item in range(48)] for world in range(10)]
    answers = {}
    for name, tallies in (("alike", alike), ("unlike", unlike)):
        file = field_file(tmp_path / f"{name}.csv", tallies)
        study = load("herding", quick=True, decides=rule, field=file)
        _, _, document, _ = built(study, tmp_path / "out")
        answers[name] = verdicts(document)["observational"]
        assert figure(document, "shape").data["group"].nunique() == 2
    assert answers["unlike"] == "not met"
    assert answers["alike"] in ("met", "undecided")


def test_few_items_of_ones_own_are_enough(tmp_path: Path) -> None:
    (tmp_path / "two.txt").write_text("a\nb\n")
    study = load("herding", quick=True, decides=TwoStage(), items=tmp_path / "two.txt")
    _, results, document, _ = built(replace(study, replicates=2), tmp_path / "out")
    assert results.complete and len(document.verdicts) == 3


def test_a_model_that_answers_nothing_usable_leaves_every_question_open(tmp_path: Path) -> None:
    study = load("herding", quick=True)
    _, _, document, _ = built(study, tmp_path, models={"embedded": fake("garbage")})
    assert verdicts(document)["descriptive"] == "undecided"
    assert verdicts(document)["explanatory"] == "undecided"
    (check,) = [c for c in document.checks if c.question.startswith("What fraction")]
    assert check.state == "bad" and check.answer.startswith("100.0%")
    assert "unparseable" in check.answer


def test_a_model_that_sees_the_likes_passes_the_check_and_a_blind_one_does_not(
    tmp_path: Path,
) -> None:
    def obeys(request: Request) -> Reply:
        """Takes what shows the most likes, where told to; else anything."""
        system, user = ("".join(texts) for _, texts in request.turns())
        if "most likes" not in system:
            return uniform(request)
        if request.options == ("Yes", "No"):
            yes = 0.9 if "1000 other readers" in user else 0.1
            return Reply(logprobs=np.log([yes, 1 - yes]), mass=1.0)
        weights = np.array(
            [
                100.0 if f"\n{o}: " in f"\n{user}" and _likes(user, o) == 1000 else 1.0
                for o in request.options
            ]
        )
        return Reply(logprobs=np.log(weights / weights.sum()), mass=1.0)

    uniform = fake("uniform")._answer
    states = {}
    for name, model in (("sees", FakeModel(obeys, "sees")), ("blind", fake("uniform"))):
        study = load("herding").set("population.groups.0.count", 2)
        # Of the combinations only the one that the checks compare with.
        kept = tuple(
            replace(f, settings=tuple(s for s in f.settings if s.name in ("seeded", "shuffled")))
            for f in study.crossed
        )
        study = replace(study, factors=kept, risk="")
        study = replace(study, interventions=(), attack=None, replicates=3)
        _, _, document, _ = built(study, tmp_path / name, models={"embedded": model})
        states[name] = [c.state for c in document.checks if c.question.startswith("Does it see")]
    assert states == {"sees": ["fine", "fine"], "blind": ["warning", "warning"]}


def _likes(user: str, option: str) -> float:
    (line,) = [line for line in user.splitlines() if line.startswith(f"{option}: ")]
    return float(line.rpartition("(")[2].split()[0])
