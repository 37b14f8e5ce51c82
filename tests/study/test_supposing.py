"""What if, of a study's folder: the closed form, models asked once and under caps, and refusals."""

from pathlib import Path

import numpy as np
import pytest

from cloudchamber.agents import LanguageModel, SocialProof
from cloudchamber.counterfactual import Absent, Without
from cloudchamber.errors import AnswerError, SpecificationError, TraceError, Unfinished
from cloudchamber.experiment import Limits, Manifest
from cloudchamber.experiment.calling import Means
from cloudchamber.microspec import Fixed, Simultaneous, Visibility
from cloudchamber.models.fake import fake
from cloudchamber.study import what_if
from cloudchamber.testing.fakes import Flaky
from cloudchamber.worlds import Feed
from tests.study.test_passing import study

LIKED = study(SocialProof(), replicates=3).set_all(
    {
        "world": Feed.of(4, likes=(3.0, 1.0, 0.0, 0.0)),
        "visibility": Visibility(order=Fixed()),
        "turns": Simultaneous(),
    }
)
"""Weights 4, 2, 1, 1: probabilities 1/2, 1/4, 1/8, 1/8."""


def test_of_a_folder_the_shift_is_the_closed_form(tmp_path: Path) -> None:
    LIKED.run(tmp_path)
    found = what_if(LIKED, tmp_path, Without("likes"))
    assert len(found) == 3 * 6 and found.repeats == 1.0 and found.changed.all()
    assert np.allclose(found.shift.before, [1 / 2, 1 / 4, 1 / 8, 1 / 8])
    assert np.allclose(found.shift.distance, 1 / 4)
    (one,) = [what_if(LIKED, tmp_path, Absent(0), replicates=[2], decisions=[4])]
    assert len(one) == 1 and np.allclose(one.shift.after, [0, 1 / 2, 1 / 4, 1 / 4])
    assert one.options()["likes"].tolist() == [3, 1, 0, 0]
    null = what_if(LIKED, tmp_path, Without("likes"), cell="baseline, isolated")
    assert not null.changed.any() and not null.shift.moved.any()
    with pytest.raises(SpecificationError, match="decision: 6 given"):
        what_if(LIKED, tmp_path, Absent(0), decisions=6)
    with pytest.raises(TraceError, match="no replicate 3"):
        what_if(LIKED, tmp_path, Absent(0), replicates=[3])


def test_a_model_is_asked_what_is_new_and_that_once(tmp_path: Path) -> None:
    asking = study(LanguageModel(model="fake:hash"), replicates=2)
    asking.run(tmp_path)

    def sent() -> int:
        return Manifest.read(tmp_path).billed().questions

    before = sent()
    with pytest.raises(Unfinished, match="the cap of 1 questions|the cap of 1 question"):
        what_if(asking, tmp_path, Without("likes"), means=Means(limits=Limits(questions=1)))
    assert sent() == before + 1
    found = what_if(asking, tmp_path, Without("likes"))
    assert found.repeats == 1.0 and found.shift.moved.any()
    assert before < sent() <= before + int(found.changed.sum())
    nothing = Means(limits=Limits(questions=0))
    again = what_if(asking, tmp_path, Without("likes"), means=nothing)
    assert (again.shift.after == found.shift.after).all()


def test_an_answer_that_failed_is_not_one_to_pick_nothing(tmp_path: Path) -> None:
    asking = study(LanguageModel(model="flaky"), replicates=2)
    asking.run(tmp_path, models={"flaky": fake("hash")})
    models = {"flaky": Flaky(fake("hash"), "failed", share=0.2)}
    with pytest.raises(AnswerError, match="questions failed: this fake was made to be failed"):
        what_if(asking, tmp_path, Without("likes"), means=Means(models=models))
