"""`cloudchamber channels`: what passes through likes, told by the terminal and the report; and refusals."""

from pathlib import Path

from tests.cli.tiny import call, told


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
    assert "agents ask a language model" in told(call("channels", "lm"))
    assert "no such folder" in told(call("channels", "nowhere"))
