"""A document in a few lines: for a terminal (rich) and as Markdown.

Text from agents is shown as text: no terminal codes, no markup of rich's, no HTML.
"""

__all__ = ["markdown", "summary"]

import re
from pathlib import Path
from typing import TYPE_CHECKING

from cloudchamber.report.document import Document
from cloudchamber.report.frames import visible

if TYPE_CHECKING:
    from rich.console import Group

_SIGNS = {"met": "green", "not met": "red", "undecided": "yellow", "no evidence": "dim"}
_STATES = {"fine": ("fine", "green"), "warning": ("caution", "yellow"), "bad": ("problem", "red")}
_MARKS = re.compile(r"\*\*(?=\S)(.{1,500}?)(?<=\S)\*\*|`([^`\n]+)`", re.DOTALL)


def summary(document: Document, path: str | Path | None = None) -> "Group":
    """The answer, the verdicts, the checks that are not fine, and where the report is.

    Args:
        document: of which study.
        path: of the page, if there is one.

    Returns:
        What ``rich.console.Console().print`` takes.
    """
    from rich.console import Group, RenderableType  # `--help` need not wait for it
    from rich.padding import Padding
    from rich.table import Table as Grid
    from rich.text import Text

    parts: list[RenderableType] = [Text(_flat(document.title), style="bold")]
    if document.unfinished:
        parts.append(Text(f"Unfinished. {_flat(document.unfinished)}", style="yellow"))
    parts.append(Text(""))
    told = Grid.grid(padding=(0, 1))
    for sentence in document.answer:
        told.add_row(Text("·"), Text(_flat(sentence)))
    parts += [told, Text("")]
    grid = Grid.grid(padding=(0, 2))
    for verdict in document.verdicts:
        grid.add_row(Text(verdict.answer, style=_SIGNS[verdict.answer]), Text(_flat(verdict.name)))
    for check in document.checks:
        if check.state != "fine":
            word, style = _STATES[check.state]
            text = Text(f"{_flat(check.question)} {_flat(check.answer)}")
            grid.add_row(Text(word, style=style), text)
    if grid.row_count:
        parts.append(grid)
    if path is not None:
        parts.append(Padding(Text(f"Report: {visible(str(path))}", overflow="fold"), (1, 0, 0, 0)))
    return Group(*parts)


def markdown(document: Document) -> str:
    """Title, question, answer, key numbers, verdicts and checks as Markdown."""
    lines = [f"# {_literal(document.title)}", "", _literal(document.question), ""]
    if document.unfinished:
        lines += [f"**Unfinished.** {_literal(document.unfinished)}", ""]
    lines += [*(f"- {_literal(sentence)}" for sentence in document.answer), ""]
    lines += [f"- {_literal(label)}: {_literal(value)}" for label, value in document.facts]
    lines += [""] if document.facts else []
    for verdict in document.verdicts:
        because = " ".join(_literal(reason) for reason in verdict.because)
        lines.append(f"- **{verdict.answer}**: {_literal(verdict.name)}. {because}".rstrip())
    for check in document.checks:
        word = _STATES[check.state][0]
        lines.append(f"- **{word}**: {_literal(check.question)} {_literal(check.answer)}")
    lines += ["", "Run it again:", ""]
    lines += [f"    {line}" for line in visible(document.rerun).splitlines()]
    return "\n".join(lines) + "\n"


def _flat(text: str) -> str:
    """The text in one line without its marks."""
    bare = _MARKS.sub(lambda match: match.group(1) or match.group(2), visible(text))
    return " ".join(bare.split())


def _literal(text: str) -> str:
    """The text in one line, in which Markdown finds no marks and no HTML."""
    return re.sub(r"([\\`*_{}\[\]<>#|~!&$])", r"\\\1", _flat(text))
