"""A document as one HTML page that works offline: everything it needs is inside it.

Knows nothing of studies. The page asks for nothing from elsewhere and its content security policy
forbids it to; only the two scripts shipped with the package can run in it (by their SHA-256), so
that text from agents stays text even if an escape were missed.
"""

__all__ = ["render", "save"]

import base64
import hashlib
import os
import re
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from cloudchamber.errors import TraceError
from cloudchamber.report import theme
from cloudchamber.report.document import STAGES, Block, Document, Figure, Table, Verdict
from cloudchamber.report.frames import column_texts, inert_json, records, visible

_HERE = Path(__file__).parent
_MARK = re.compile(r"\*\*(?=\S)(.{1,500}?)(?<=\S)\*\*|`([^`\n]+)`", re.DOTALL)
_TABLE_ROWS = 100  # shown; the CSV has all
_PAPER = 680  # width in pixels at which figures are drawn into files


def render(document: Document) -> str:
    """The whole page as text; the same document gives the same bytes.

    Raises:
        SpecificationError: a figure or table has two columns of one name.
    """
    bundle, script = _asset("vega.min.js"), _asset("page.js")
    style = _style()
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            doc=document,
            policy=_policy((bundle, script), style),
            style=Markup(style),
            stages=_stages(document),
            verdicts=[
                _view(block, numbers)
                for numbers, block in _numbered(document)
                if isinstance(block, Verdict)
            ],
            sections=_sections(document),
            data=Markup(inert_json(_data(document))),
            scripts=[Markup(bundle), Markup(script)],
        )
    )


def save(document: Document, path: str | Path) -> Path:
    """Write the page to ``path`` at once or not at all; folders are made.

    Returns:
        The path of the page.

    Raises:
        TraceError: the folder cannot be made or written to.
    """
    target = Path(path)
    text = render(document).encode("utf-8")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(target, text)
    except OSError as error:
        raise TraceError(
            f"The report cannot be written to {target}: {error.strerror or error}. "
            "Give a folder that can be written to, with some megabytes of free space."
        ) from error
    return target


def _replace(target: Path, content: bytes) -> None:
    """Write beside the target, then rename: a reader sees the old page or the new one."""
    with NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as part:
        try:
            part.write(content)
            part.close()
            Path(part.name).chmod(0o644)  # temporary files are for their owner only
            os.replace(part.name, target)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise


# Text ------------------------------------------------------------------------------------------


def marked(text: str) -> Markup:
    """Escaped text in which ``**bold**`` and `` `code` `` are marks."""
    shown, out, end = visible(text), Markup(), 0
    for match in _MARK.finditer(shown):
        bold, code = match.group(1), match.group(2)
        out += escape(shown[end : match.start()])
        out += Markup("<b>{}</b>").format(bold) if bold else Markup("<code>{}</code>").format(code)
        end = match.end()
    return out + escape(shown[end:])


def paragraphs(text: str) -> Markup:
    """Marked text in paragraphs, parted by blank lines."""
    parts = [part.strip() for part in re.split(r"\n\s*\n", visible(text))]
    return Markup("\n").join(Markup("<p>{}</p>").format(marked(part)) for part in parts if part)


# Assets ----------------------------------------------------------------------------------------


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(marks=marked, prose=paragraphs, visible=visible)
    return environment


@cache
def _asset(name: str) -> str:
    return (_HERE / "assets" / name).read_text(encoding="utf-8")


@cache
def _style() -> str:
    font = base64.b64encode((_HERE / "assets" / "source-serif-4.woff2").read_bytes()).decode()
    face = (
        '@font-face{font-family:"Source Serif 4";font-weight:200 900;font-display:swap;'
        f"src:url(data:font/woff2;base64,{font}) format('woff2')}}"
    )
    light, dark = theme.css_variables(dark=False), theme.css_variables(dark=True)
    modes = f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    return f"{face}\n{modes}\n{_asset('page.css')}"


def _policy(scripts: tuple[str, ...], style: str) -> str:
    """The content security policy: nothing but the page's own scripts, style and font."""
    hashes = " ".join(f"'{_fingerprint(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src '{_fingerprint(style)}'; "
        "font-src data:; img-src data:; connect-src 'none'; base-uri 'none'; form-action 'none'"
    )


def _fingerprint(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


# Views -----------------------------------------------------------------------------------------


def _numbered(document: Document) -> Iterator[tuple[int, Block]]:
    """Each block with its number among the blocks of its kind, from 1."""
    counts: dict[type, int] = {}
    for block in document.blocks:
        counts[type(block)] = counts.get(type(block), 0) + 1
        yield counts[type(block)], block


def _stages(document: Document) -> list[dict[str, str]]:
    first: dict[int, str] = {}
    for index, section in enumerate(document.sections, start=1):
        if section.stage is not None:
            first.setdefault(section.stage, f"part-{index}")
    return [
        {"name": name, "anchor": first.get(stage, "")} for stage, name in enumerate(STAGES, start=1)
    ]


def _sections(document: Document) -> list[dict[str, Any]]:
    numbered = _numbered(document)
    views = []
    for index, section in enumerate(document.sections, start=1):
        blocks = [next(numbered) for _ in section.blocks]
        grouped = groupby(blocks, key=lambda each: type(each[1]).__name__.lower())
        views.append(
            {
                "anchor": f"part-{index}",
                "title": section.title,
                "stage": section.stage,
                "stage_name": STAGES[section.stage - 1] if section.stage else "",
                "lead": section.lead,
                "groups": [(kind, [_view(b, n) for n, b in group]) for kind, group in grouped],
            }
        )
    return views


def _view(block: Block, number: int) -> dict[str, Any]:
    """A block as the template reads it."""
    view: dict[str, Any] = {name: getattr(block, name) for name in block.__dataclass_fields__}
    view["number"] = number
    if isinstance(block, Verdict):
        view["anchor"] = f"verdict-{number}"
    elif isinstance(block, Figure):
        view |= {"anchor": f"fig-{block.id}", "enough": _enough(block)}
        view |= {"title": visible(block.title), "alt": visible(block.alt)}
    elif isinstance(block, Table):
        view |= _table_view(block, number)
    return view


def _enough(figure: Figure) -> bool:
    return bool(figure.spec) and len(figure.data) >= max(1, figure.least)


def _table_view(table: Table, number: int) -> dict[str, Any]:
    frame = table.frame
    numeric = [kind.kind in "iuf" for kind in frame.dtypes]
    first = frame.head(_TABLE_ROWS)
    shown = [column_texts(first.iloc[:, i].tolist()) for i in range(len(numeric))]
    return {
        "anchor": f"table-{number}",
        "title": visible(table.title),
        "heads": list(zip([str(name) for name in frame.columns], numeric, strict=True)),
        "rows": [list(zip(row, numeric, strict=True)) for row in zip(*shown, strict=True)],
        "more": len(frame) if len(frame) > _TABLE_ROWS else 0,
    }


def _data(document: Document) -> dict[str, Any]:
    """What the page's script reads: figures by id, tables by anchor, and the theme."""
    sources: dict[str, Any] = {
        f"fig-{figure.id}": {"spec": figure.spec, **records(figure.data)}
        for figure in document.figures
        if _enough(figure)
    }
    for number, block in _numbered(document):
        if isinstance(block, Table):
            sources[f"table-{number}"] = records(block.frame)
    return {
        "config": theme.VEGA_CONFIG,
        "variables": theme.variables(),
        "night": theme.NIGHT,
        "paper": _PAPER,
        "sources": sources,
    }
