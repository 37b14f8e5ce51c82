"""A study explained from its stored runs: the rule that was planted is found, and suffices."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloudchamber.agents import Random, TwoStage
from cloudchamber.errors import SpecificationError, TraceError
from cloudchamber.experiment import Factor
from cloudchamber.intervention import hide, isolate, let_decide, one_at_a_time, pin
from cloudchamber.mechanism import ConsiderThenChoose, FallOff, Gate, Logit, Signal
from cloudchamber.microspec import Group, Microspec, Population, Sequential
from cloudchamber.phenomenon import HERDING
from cloudchamber.report import account
from cloudchamber.study import Explanation, Study, explain
from cloudchamber.study.told import read, tell
from cloudchamber.trace import Level
from cloudchamber.worlds import Feed

RULE = TwoStage(width=4.0, taste=0.0, strength=2.5)
NAMED = {
    "gate, any like": ConsiderThenChoose(considered=Gate(width=4), terms=(Signal(strength=2.0),)),
    "gate, no likes": ConsiderThenChoose(considered=Gate(width=4)),
    "narrower gate": ConsiderThenChoose(considered=Gate(width=3), terms=(Signal(),)),
    "falling off": Logit(terms=(FallOff(), Signal())),
}
others = let_decide(Random())


def study(**more: Any) -> Study:
    spec = Microspec(
        world=Feed.of(12),
        population=Population(groups=(Group(name="readers", count=10, decides=RULE),)),
        turns=Sequential(steps=3),
    )
    usual = Study(
        name="likes",
        question="Do likes gather attention?",
        phenomenon=HERDING,
        microspec=spec,
        factors=(Factor.at("visibility.fields.likes", ["hidden", "exact"], "likes"),),
        replicates=8,
        null=isolate(),
        risk="exact",
        interventions=(hide("likes"), one_at_a_time(), others),
        attack=pin(3),
        mechanisms=NAMED,
    )
    return replace(usual, **more)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out: Path = tmp_path_factory.mktemp("explained")
    study().run(out)
    return out


@pytest.fixture(scope="module")
def found(folder: Path) -> Explanation:
    return explain(study(), folder, draws=3, margin=0.05)


def test_the_planted_rule_is_found_and_suffices(found: Explanation) -> None:
    assert found.hypothesis == "gate, any like"
    assert [one.part.form for one in found.parts] == ["one from a list"]
    (part,) = found.parts
    assert part.comparisons["readers"].winner == "gate, any like"
    told = part.sufficiency("gate, any like")
    assert told.answer == "sufficient"
    assert all(one.gap.value == pytest.approx(0, abs=1e-6) for one in told.matches)
    assert part.sufficiency("gate, no likes").answer != "sufficient"
    assert part.predictions["gate, any like"]["readers"].missed == ()
    assert "gate, any like predicts best" in str(found)


def test_what_cannot_be_is_not_regrown(found: Explanation) -> None:
    (part,) = found.parts
    assert set(part.regrowths) == set(NAMED) - {"narrower gate"}
    assert "choices cannot be under it" in part.not_regrown["narrower gate"]
    with pytest.raises(SpecificationError, match="'narrower gate' was not regrown: .* cannot be"):
        part.sufficiency("narrower gate")


def test_cells_of_other_agents_are_left_out_and_said_to_be(found: Explanation) -> None:
    (part,) = found.parts
    assert part.part.fitted == ("hidden", "exact")
    assert "with let random decide" in found.left_out
    assert "told or decided by something else" in found.left_out["with let random decide"]
    assert "no cell was fitted" in found.left_out["with one at a time"]
    assert set(part.part.unseen) == {"attacked", "attacked, with hide likes"}
    assert ("exact", "hidden") in part.responses and ("attacked", "exact") in part.responses


def test_fitted_here_regrown_there(folder: Path) -> None:
    """What was fitted where likes are shown holds where they are hidden; not so what was fitted there."""
    shown = explain(study(), folder, fit_on=["exact"], draws=3, margin=0.05)
    (part,) = shown.parts
    assert part.part.fitted == ("exact",) and "hidden" in part.part.unseen
    assert part.sufficiency("gate, any like", unseen=True).answer == "sufficient"
    hidden = explain(study(), folder, fit_on=["hidden"], draws=3, margin=0.01)
    (other,) = hidden.parts
    assert any("likes, any" in flat for flat in other.fits["falling off"]["readers"].flat)


def test_judgements_are_fitted_by_themselves(folder: Path) -> None:
    told = explain(study(), folder, fit_on=["exact", "with one at a time"], draws=3)
    assert [one.part.form for one in told.parts] == ["one from a list", "one item at a time"]
    single = told.parts[1]
    assert single.part.asked == "any"
    assert single.sufficiency("gate, any like").answer in ("sufficient", "cannot tell")


def test_it_is_kept_and_read_again(found: Explanation, folder: Path) -> None:
    told = tell(found)
    told.save(folder)
    again = read(folder)
    assert again is not None
    assert again.facts == told.facts or again.first["fitted"] == list(told.first["fitted"])
    scores = again.tables["mechanism_scores"]
    assert scores["mechanism"].iloc[0] == "exact knowledge"
    assert set(again.tables["mechanism_places"]["who"]) == {"the agents", "gate, any like"}
    assert again.tables["regrowth"]["mechanism"].nunique() == 3
    rival = next(one for one in again.first["rivals"] if one["name"] == "gate, no likes")
    assert again.advantage(rival).low > 0 and not rival["holds"]
    assert read(folder / "nowhere") is None


def test_the_report_shows_it_and_the_verdict_rests_on_it(found: Explanation, folder: Path) -> None:
    before = _verdict(folder)
    assert before[0] == "undecided" or "Rival mechanisms" not in before[1]
    tell(found).save(folder)
    document = account.write(study(), study().results(folder), folder)
    titles = [section.title for section in document.sections]
    assert "Which rule grows it" in titles
    ids = {figure.id for figure in document.figures}
    assert {"scores-list", "mechanism-places-list", "regrown-list", "regrown-courses-list"} <= ids
    answer, because = _verdict(folder)
    assert "the rival does worse" in because and "grows all" in because
    assert answer in ("met", "undecided", "not met")
    assert any(line.startswith("**Which rule**: “gate, any like”") for line in document.answer)
    stale = account.build(study(replicates=7), study(replicates=7).results(folder, replicates=7))[0]
    assert any("Out of date" in getattr(block, "text", "") for block in stale.blocks)


def _verdict(folder: Path) -> tuple[str, str]:
    document, _ = account.build(study(), study().results(folder))
    one = next(v for v in document.verdicts if v.name == "Explanatory adequacy")
    return one.answer, " ".join(one.because)


def test_what_makes_no_sense_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecificationError, match="names none; give it some"):
        explain(study(mechanisms={}), folder)
    with pytest.raises(SpecificationError, match="no cell 'exakt'"):
        explain(study(), folder, fit_on=["exakt"])
    with pytest.raises(SpecificationError, match="margin: -1 was given"):
        explain(study(), folder, margin=-1)
    with pytest.raises(SpecificationError, match="mechanisms: .* was given; allowed"):
        study(mechanisms={"rule": RULE})
    study(replicates=2).run(tmp_path, level=Level("summary"))
    with pytest.raises(TraceError, match="no exposures"):
        explain(study(), tmp_path)
