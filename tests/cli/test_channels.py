"""`cloudchamber channels`: what passes through likes, told by the terminal and the report; and refusals."""

import shutil
import signal
import subprocess
from pathlib import Path

from tests.cli.test_interrupted import log, settle, settle_again, until
from tests.cli.tiny import call, start, told


def test_a_folder_tells_its_channels_and_its_report_does(out: Path) -> None:
    found = call("channels", out)
    assert found.exit_code == 0, found.output
    assert "exact, less" in found.output and "through likes: " in found.output
    assert "Who moves whom" in found.output
    page = (out / "report.html").read_text()
    assert "What passes through which channel" in page
    assert call("report", out).exit_code == 0
    assert "What passes through which channel" in (out / "report.html").read_text()


def test_what_cannot_be_told_is_refused_in_words(out: Path, here: Path) -> None:
    assert "no cell 'exakt'" in told(call("channels", out, "--cell", "exakt"))
    assert "channel: 'lykes'" in told(call("channels", out, "--through", "lykes"))
    assert "no null but itself" in told(call("channels", out, "--cell", "hidden"))
    assert "no mechanism 'any'" in told(call("channels", out, "--by", "any"))
    model = ("--model", "fake:hash", "--out", "lm", "--replicates", 2, "--quiet")
    assert call("run", "tiny", *model).exit_code == 0
    assert "names no mechanism" in told(call("channels", "lm"))
    both = ("--decided-by", "agents", "--by", "any")
    assert "the agents decide, or a mechanism" in told(call("channels", "lm", *both))
    assert "no such folder" in told(call("channels", "nowhere"))


def test_a_language_model_is_asked_under_a_cap_and_only_once(here: Path) -> None:
    model = ("--model", "fake:hash", "--out", "lm", "--replicates", 2, "--quiet")
    assert call("run", "tiny", *model).exit_code == 0
    asked = ("channels", "lm", "--decided-by", "agents", "--influence")
    before = (here / "lm" / "study.json").read_text()
    estimate = call(*asked, "--estimate", "--max-questions", 5)
    assert estimate.exit_code == 0, estimate.output
    assert "7 worlds of 2 runs: 168 decisions; at most 120 new questions" in estimate.output
    assert "It will stop at the cap: questions 5" in estimate.output
    assert (here / "lm" / "study.json").read_text() == before
    capped = call(*asked, "--max-questions", 5)
    assert capped.exit_code == 3 and "the cap of 5 questions is reached" in capped.stderr
    assert not (here / "lm" / "results" / "channels.json").exists()
    found = call(*asked)
    assert found.exit_code == 0, found.output
    assert "fake:hash itself decided in every world" in found.output
    assert "Who moves whom" in found.output
    assert call(*asked, "--max-questions", 0).exit_code == 0
    page = (here / "lm" / "report.html").read_text()
    assert "fake:hash itself decided in every world" in page


def test_interrupted_it_keeps_what_is_under_way_and_goes_on(tmp_path: Path) -> None:
    settle(tmp_path, 0.2)
    settle_again(tmp_path)
    shutil.copytree(tmp_path, tmp_path.with_name("whole"))
    asked = ("channels", "out", "--decided-by", "agents", "--through", "likes", "--influence")
    whole = tmp_path.with_name("whole")
    ended(start(whole, *asked, "--quiet"))
    file = tmp_path / "studies" / "tiny" / "study.py"
    file.write_text(file.read_text().replace("sleep(0)", "sleep(0.2)"))
    before = log(tmp_path, "sent").total()
    process = start(tmp_path, *asked)
    until(process, tmp_path, before + 3)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 130, said
    assert "stopped. What was answered is kept" in said
    assert log(tmp_path, "sent") == log(tmp_path, "answered"), "it waited for what was under way"
    assert before < log(tmp_path, "sent").total() < log(whole, "sent").total()
    file.write_text(file.read_text().replace("sleep(0.2)", "sleep(0)"))
    ended(start(tmp_path, *asked, "--quiet"))
    assert set(log(tmp_path, "sent").values()) == {1}, "nothing was asked twice"
    assert log(tmp_path, "sent") == log(whole, "sent")
    told = "results/influence_edges.parquet"
    assert (tmp_path / "out" / told).read_bytes() == (whole / "out" / told).read_bytes()


def ended(process: "subprocess.Popen[str]") -> None:
    said = process.communicate(timeout=60)
    assert process.returncode == 0, said
