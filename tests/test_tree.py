"""The tree that README.md and ARCHITECTURE.md print is the tree on disk; run as a program, it draws it.

`python tests/test_tree.py` puts the tree as it is now into both pages.
"""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "cloudchamber"
NOT_SOURCE = {"__pycache__", "_studies"}


def printed(page: Path) -> dict[str, str]:
    """Path below src/cloudchamber -> description, from the fenced block that opens with it.

    A line is `name  description`; folders end in a slash; deeper is further right, with or without
    the lines of a drawing.
    """
    blocks = re.findall(r"^```\w*\n(.*?)^```", page.read_text(encoding="utf-8"), re.S | re.M)
    trees = [block for block in blocks if block.lstrip().startswith("src/cloudchamber/")]
    assert len(trees) == 1, f"{page.name} has {len(trees)} blocks that open with src/cloudchamber/"
    found: dict[str, str] = {}
    above: list[tuple[int, str]] = []  # the open folders, with their indents
    for line in trees[0].splitlines()[1:]:
        match = re.fullmatch(r"( +)(\S+)(?: +(\S.*))?", re.sub("[│├└─]", " ", line))
        if not match:
            break  # a line at the left edge (studies/, tests/) ends the package
        indent, name, said = len(match[1]), match[2], match[3]
        while above and above[-1][0] >= indent:
            above.pop()
        path = "".join(folder for _, folder in above) + name
        found[path] = said or ""
        if name.endswith("/"):
            above.append((indent, name))
    return found


def on_disk() -> tuple[set[str], set[str]]:
    """Folders that hold modules (with a final slash), and modules; no __init__.py below the top."""
    modules = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if not NOT_SOURCE & set(path.parts)
    }
    folders = {f"{Path(name).parent.as_posix()}/" for name in modules if "/" in name}
    return folders, {name for name in modules if not name.endswith("/__init__.py")}


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md"])
def test_the_printed_tree_is_the_tree(name: str) -> None:
    folders, modules = on_disk()
    tree = printed(ROOT / name)
    there = folders | modules
    shown = {path for path in tree if path.endswith(("/", ".py"))}
    detailed = {
        path
        for path in shown
        if path.endswith("/") and any(other != path and other.startswith(path) for other in shown)
    }
    # A folder may stand for all of its modules; once one of them is listed, all are.
    due = {
        path
        for path in there
        if "/" not in path.rstrip("/") or any(path.startswith(folder) for folder in detailed)
    }
    assert shown - there == set(), "printed, but not on disk"
    assert due - shown == set(), "on disk, but not printed"
    assert [path for path, said in tree.items() if not said] == [], "printed without a description"


# The order of the drawing: the five stages, what they stand on, what comes of it.
ORDER = [
    "__init__.py",
    "study",
    "phenomenon",
    "microspec",
    "experiment",
    "intervention",
    "validation",
    "worlds",
    "agents",
    "models",
    "engine",
    "questions",
    "trace",
    "randomness.py",
    "errors.py",
    "measures",
    "analysis",
    "mechanism",
    "counterfactual",
    "report",
    "cli",
    "testing",
]


def said(module: Path) -> str:
    """The first line of a module's docstring, short enough for a line of the tree."""
    text = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or "?"
    return text.splitlines()[0].rstrip(".")


def branch(place: Path, depth: int, files: bool) -> list[str]:
    """The lines of a module, or of a folder and, with every module, of what is inside."""
    indent, width = "  " * depth, 24 - 2 * depth
    if place.suffix == ".py":
        return [f"{indent}{place.name:<{width}}{said(place)}"]
    if not (place / "__init__.py").exists():
        return []
    inside = sorted(set(place.iterdir()) - {place / "__init__.py"}) if files else []
    line = f"{indent}{place.name + '/':<{width}}{said(place / '__init__.py')}"
    return [line, *(each for one in inside for each in branch(one, depth + 1, files))]


def drawn(files: bool) -> str:
    """The tree as it is printed, with every module or with the folders alone."""
    lines = ["src/cloudchamber/"]
    for name in [*ORDER, *sorted({p.name for p in PACKAGE.iterdir()} - set(ORDER))]:
        lines += branch(PACKAGE / name, 1, files)
    return "\n".join(lines)


def draw() -> None:
    """Put the tree as it is on disk in the place of the printed one."""
    for name, files in (("README.md", True), ("ARCHITECTURE.md", False)):
        page = ROOT / name
        text = page.read_text(encoding="utf-8")
        start = text.index("```\nsrc/cloudchamber/\n") + 4
        kept = (
            text[:start]
            + drawn(files)
            + "\n"
            + re.sub(r"\A(?:src.*\n)(?:  .*\n)+", "", text[start:])
        )
        page.write_text(kept, encoding="utf-8")


if __name__ == "__main__":
    draw()
