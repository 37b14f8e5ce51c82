"""Every example a reader may copy is run: README.md, CONTRIBUTING.md and docs/.

The ```python blocks of a page share one namespace; the `$ cloudchamber` lines of its ```console blocks go
to the command line, and the lines shown below one are looked for in what it prints, in that order, `...`
standing for anything. A page runs in a folder of its own. A block under `<!-- not run: why -->` is not run.

`python tests/test_docs.py` writes docs/reference/command-line.md anew.
"""

import re
import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cloudchamber import cli
from cloudchamber.measures import MEASURES
from cloudchamber.trace import TABLES

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
NAMESPACE = "__docs__"
HELP = DOCS / "reference" / "command-line.md"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```$", re.S | re.M
)
NOT_RUN = re.compile(r"<!-- not run: (?P<reason>\S[^\n]*?) -->\s*\Z")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: its language, its text, and the line that it starts at."""

    language: str
    text: str
    line: int


def blocks(page: str) -> Iterator[Block]:
    """The blocks to be run, in order."""
    for match in FENCE.finditer(page):
        if not NOT_RUN.search(page, 0, match.start()):
            text = re.sub(rf"^{match['indent']}", "", match["text"], flags=re.M)
            yield Block(match["language"], text, page.count("\n", 0, match.start("text")))


def commands(block: str) -> Iterator[tuple[list[str], list[str]]]:
    """Arguments of each `$ cloudchamber` line, and the lines shown below it."""
    for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
        command, *shown = re.sub(r"\\\n\s*", "", part).rstrip().split("\n")
        match = re.fullmatch(r"(?:\./)?cloudchamber\b(.*)", command)
        if match:
            yield shlex.split(match[1], comments=True), [line.strip() for line in shown]


def missing(shown: list[str], printed: str) -> str | None:
    """The first shown line that does not come in the printed ones, in order; None if all do."""
    lines = iter(" ".join(line.split()) for line in printed.splitlines())
    for line in shown:
        pattern = ".*".join(re.escape(" ".join(part.split())) for part in line.split("..."))
        if line not in ("", "...") and not any(re.fullmatch(pattern, one) for one in lines):
            return line
    return None


def run_console(text: str) -> None:
    """Run the commands of a console block; a shown line `cloudchamber: ...` means exit code 2."""
    for arguments, shown in commands(text):
        result = CliRunner().invoke(cli.main, arguments, prog_name="cloudchamber")
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        expected = 2 if any(line.startswith(("cloudchamber:", "Error:")) for line in shown) else 0
        assert result.exit_code == expected, f"{arguments}: {result.output}"
        absent = missing(shown, result.output)
        assert absent is None, f"{arguments} does not print {absent!r} but:\n{result.output}"


@pytest.mark.usefixtures("own_kinds")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": NAMESPACE}
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.language == "python":
            # The empty lines make a traceback point at the line of the page.
            exec(compile("\n" * block.line + block.text, page, "exec"), namespace)
        elif block.language == "console":
            run_console(block.text)


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        text = FENCE.sub("", page.read_text(encoding="utf-8"))
        for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", text):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def help_page() -> str:
    """The texts of --help, of the program and of each of its commands."""
    parts = ["# The command line\n\nWhat `--help` says, kept true by a test.\n"]

    def add(command: click.Command, path: str, parent: click.Context | None) -> None:
        name = path.rsplit(maxsplit=1)[-1]
        context = click.Context(command, info_name=name, parent=parent, **command.context_settings)
        context.max_content_width = context.terminal_width = 88
        parts.append(f"## {path}\n\n```text\n{command.get_help(context)}\n```\n")
        for below_name, below in sorted(getattr(command, "commands", {}).items()):
            add(below, f"{path} {below_name}", context)

    add(cli.main, "cloudchamber", None)
    return "\n".join(parts)


def test_every_measure_is_named_in_the_reference_and_no_module_is_printed_twice() -> None:
    named = (DOCS / "reference" / "analysis.md").read_text()
    assert [name for name in MEASURES if f"`{name}`" not in named] == []
    printed = re.findall(
        r"^::: (\S+)$", "".join(page.read_text() for page in PAGES), flags=re.MULTILINE
    )
    assert [name for name, times in Counter(printed).items() if times > 1] == []


def test_the_page_of_help_texts_is_what_help_says() -> None:
    assert HELP.read_text(encoding="utf-8") == help_page(), "run: python tests/test_docs.py"


def test_the_page_of_tables_names_each_column_once_and_in_order() -> None:
    page = (DOCS / "reference" / "trace.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", page, re.S | re.M))
    told = {name: tuple(re.findall(r"^\| `(\w+)`", text, re.M)) for name, text in sections.items()}
    assert told == {table.name: table.names for table in TABLES.values()}


class TestTheRunnerItself:
    def test_blocks_are_found_and_skipped(self) -> None:
        page = "a\n```python\n1/0\n```\n\n<!-- not run: needs a server -->\n```console\n$ x\n```\n"
        assert list(blocks(page)) == [Block("python", "1/0\n", 2)]

    def test_commands(self) -> None:
        text = "$ ls\nfile\n$ ./cloudchamber run a \\\n    --set 'b = c'  # why\nline\n...\nend\n"
        assert list(commands(text)) == [(["run", "a", "--set", "b = c"], ["line", "...", "end"])]

    def test_shown_lines_come_in_order(self) -> None:
        printed = "one  two\nthree\nfour 4.25 s\n"
        assert missing(["one two", "...", "four ... s"], printed) is None
        assert missing(["three", "one two"], printed) == "one two"
        assert missing(["two"], printed) == "two"


if __name__ == "__main__":
    HELP.write_text(help_page(), encoding="utf-8")
