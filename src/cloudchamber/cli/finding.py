"""Finding studies: by name among those here and those that ship, or by path."""

import ast
import inspect
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import module_from_spec, spec_from_file_location
from os.path import exists, isfile  # of a name that is none they say no, where Path raises
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from cloudchamber.errors import CloudchamberError, SpecificationError, nearest

if TYPE_CHECKING:
    from cloudchamber.study import Study

__all__ = ["described", "find", "load", "places", "shortest", "suited"]


def places() -> Iterator[Path]:
    """Folders that may hold studies: here, the repository's, the installed package's."""
    package = Path(__file__).parent.parent
    seen = set()
    for place in (Path("studies"), package.parent.parent / "studies", package / "_studies"):
        if place.is_dir() and place.resolve() not in seen:
            seen.add(place.resolve())
            yield place


def _files() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for place in places():
        for file in sorted(place.glob("*/study.py")):
            found.setdefault(file.parent.name, file)
    return found


def find(name: str) -> Path:
    """The file of a study, by name or by the path of its file or folder.

    Raises:
        SpecificationError: there is none; lists the names.
    """
    path = Path(name)
    if path.suffix == ".py" and isfile(path):
        return path
    if name and isfile(path / "study.py"):
        return path / "study.py"
    found = _files()
    if name in found:
        return found[name]
    if name and exists(path):
        raise SpecificationError(
            f"{name} is neither a study's file (.py) nor a folder that holds a study.py; "
            f"{nearest(name, found)}"
        )
    raise SpecificationError(f"no study {name!r}; {nearest(name, found)}")


def shortest(name: str) -> str:
    """The name of a study, where that finds the same file from here, or else its path."""
    path = Path(name)
    short = path.parent.name if path.suffix == ".py" else path.name
    found = _files().get(short)
    return short if found is not None and found.resolve() == find(name).resolve() else name


def described() -> dict[str, str]:
    """The first line of each study's text, by name; read without running it."""
    told = {}
    for name, file in _files().items():
        parsed = _parsed(file)
        text = (ast.get_docstring(parsed) or "") if parsed else "cannot be read"
        told[name] = text.strip().partition("\n")[0]
    return told


def suited() -> dict[str, tuple[str, ...]]:
    """The rules that each study's file names as its `RULES`; read without running it."""
    told = {}
    for name, file in _files().items():
        parsed = _parsed(file)
        for line in parsed.body if parsed else ():
            if isinstance(line, ast.Assign) and [ast.unparse(x) for x in line.targets] == ["RULES"]:
                with suppress(ValueError):  # worked out, not written down
                    told[name] = tuple(map(str, ast.literal_eval(line.value)))
    return told


def _parsed(file: Path) -> ast.Module | None:
    try:
        return ast.parse(file.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError, OSError):
        return None


def load(name: str, **options: Any) -> "Study":
    """Build a study with some options; an option that is None or False is left out.

    One that is a function is called for its value once the study's file has been read, which may define
    rules of its own.

    Raises:
        SpecificationError: the file has no function `study`, it takes no such option, or fails.
    """
    file = find(name)
    build = getattr(_module(file), "study", None)
    if not callable(build):
        raise SpecificationError(f"{file} has no function study(); write one that returns a Study.")
    given = {
        key: value for key, value in options.items() if value is not None and value is not False
    }
    _refuse_unknown(name, build, given)
    from cloudchamber.study import Study

    given = {key: value() if callable(value) else value for key, value in given.items()}
    with _blamed(file):
        study = build(**given)
    if inspect.iscoroutine(study):
        study.close()  # or Python would warn that nobody waited for it
    if not isinstance(study, Study):
        raise SpecificationError(
            f"{file}: study() gave a {type(study).__name__}; let it return a Study."
        )
    return study


def _refuse_unknown(name: str, build: Callable[..., Any], given: Iterable[str]) -> None:
    try:
        taken = inspect.signature(build).parameters
    except ValueError:  # something built in, which will be refused for what it gives
        return
    if any(one.kind is one.VAR_KEYWORD for one in taken.values()):
        return
    unknown = [_option(key) for key in given if key not in taken]
    if unknown:
        raise SpecificationError(
            f"the study {name!r} has no option {unknown[0]}; "
            f"{nearest(unknown[0], map(_option, taken))}"
        )


def _option(key: str) -> str:
    """What an argument of `study()` is called on the command line."""
    return "--agents or --model" if key == "decides" else f"--{key}"


@contextmanager
def _blamed(file: Path) -> Iterator[None]:
    """What fails in a user's file names its line; what cloudchamber refuses speaks for itself."""
    try:
        yield
    except (CloudchamberError, ModuleNotFoundError, SyntaxError):
        raise
    except SystemExit as end:
        raise SpecificationError(
            f"{file} ended Python itself (exit {end.code}); let it raise an error instead."
        ) from None
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [one.lineno for one in frames if Path(one.filename).resolve() == file.resolve()]
        at = f", line {lines[-1]}" if lines else ""
        raise SpecificationError(f"{file}{at}: {type(error).__name__}: {error}.") from error


def _module(file: Path) -> ModuleType:
    title = f"cloudchamber_study_{file.resolve().parent.name}"
    spec = spec_from_file_location(title, file)
    if spec is None or spec.loader is None:
        raise SpecificationError(f"{file} cannot be read as Python.")
    module = module_from_spec(spec)
    sys.modules[title] = module  # so that its dataclasses find their module
    folder = str(file.resolve().parent)
    known = set(sys.modules)
    sys.path.insert(0, folder)
    try:
        with _blamed(file):
            spec.loader.exec_module(module)
    except SyntaxError as error:
        at = f", line {error.lineno}" if error.lineno else ""
        raise SpecificationError(f"{file}{at}: {error.msg}.") from None
    except ImportError as error:
        raise SpecificationError(f"{file}: {error}.") from None
    finally:
        sys.path.remove(folder)
        _forget(known, folder)
    return module


def _forget(known: set[str], folder: str) -> None:
    """Drop what a study imported from its own folder: another study's file may have the same name."""
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(folder):
            del sys.modules[name]
