"""How a study is built from what the command line was given, and how its folder remembers it."""

import json
import re
import shlex
from collections.abc import Sequence
from functools import partial
from hashlib import blake2b
from os.path import exists  # of a name that is none it says no, where Path raises
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloudchamber.cli import finding
from cloudchamber.errors import SpecificationError, nearest

if TYPE_CHECKING:
    from cloudchamber.experiment import Results
    from cloudchamber.microspec import Decider, Microspec
    from cloudchamber.study import Study

LONGEST_NAME = 60
"""Characters of a default folder's name, without its hex digits."""

__all__ = ["Options", "again", "build", "command", "folder_of", "options_of", "rules", "spec_of"]

Options = dict[str, Any]
"""study, quick, agents, model, items, field, set: as they were given."""


def options_of(
    study: str,
    quick: bool,
    agents: str | None,
    model: str | None,
    items: Path | None,
    field: Path | None,
    changes: tuple[str, ...],
) -> Options:
    """How a study is to be built, as its folder remembers it."""
    if agents and model:
        raise SpecificationError("--agents and --model both say who decides; give one of them.")
    return {
        "study": str(Path(study).resolve()) if study and exists(study) else study,
        "quick": quick,
        "agents": agents,
        "model": model,
        "items": _whole(items),
        "field": _whole(field),
        "set": list(changes),
    }


def build(options: Options) -> "Study":
    """The study, with every change made; what makes no sense is said before anything is grown."""
    agents, model = options.get("agents"), options.get("model")
    built = finding.load(
        options["study"],
        quick=options.get("quick", False),
        decides=None if agents is None and model is None else partial(_decider, agents, model),
        items=_path(options.get("items")),
        field=_path(options.get("field")),
    )
    changes: dict[str, object] = {}
    for change in options.get("set", ()):
        path, equals, text = change.partition("=")
        if not equals or not path.strip(" .[]"):
            raise SpecificationError(f"--set {change}: give PATH=VALUE, e.g. visibility.latency=3.")
        changes[path.strip()] = _value(text)
    built = built.set_all(changes) if changes else built
    built.design()
    return built


def _whole(path: Path | None) -> str | None:
    from cloudchamber.experiment.manifest import placed

    return str(placed(path).resolve()) if path else None


def _path(given: str | None) -> Path | None:
    return Path(given) if given else None


def _value(text: str) -> object:
    """JSON where it is JSON, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text
    except RecursionError:
        raise SpecificationError(
            f"--set ...={text[:20]}...: nested too deeply to be read; give plainer JSON."
        ) from None


def _decider(agents: str | None, model: str | None) -> "Decider | None":
    if agents is None and model is None:
        return None
    from cloudchamber.agents import LanguageModel

    if model is not None:
        return LanguageModel(model=model)
    there = rules()
    if agents not in there:
        raise SpecificationError(f"--agents {agents}: no such rule; {nearest(str(agents), there)}")
    rule: Decider = there[str(agents)]()
    return rule


def rules() -> dict[str, type[Any]]:
    """The rules that may decide, by name."""
    from cloudchamber.agents import Rule

    return {name: kind for name, kind in sorted(Rule.kinds.items()) if issubclass(kind, Rule)}


def folder_of(name: str, options: Options, seed: int = 0, level: str = "full") -> Path:
    """out/STUDY, with what makes it another study's output: quick, agents, items, changes, seed, level.

    Field data alone change nothing that is grown. Where options cannot be told from the name, some hex
    digits tell them apart.
    """
    told = [name, *(["quick"] if options["quick"] else [])]
    who = options["agents"] or options["model"]
    told += [who] if who else []
    told += [Path(options["items"]).stem] if options["items"] else []
    for change in options["set"]:
        path, _, value = change.partition("=")
        told += [path.rpartition(".")[2], value]
    told += [f"seed-{seed}"] if seed else []
    told += [level] if level != "full" else []
    plain = re.sub(r"[^\w-]+", "-", "-".join(told)).strip("-") or "study"
    if not options["items"] and not options["set"] and len(plain) <= LONGEST_NAME:
        return Path("out") / plain
    distinct = json.dumps([plain, options["items"], options["set"]]).encode()
    return Path("out") / f"{plain[:LONGEST_NAME]}-{blake2b(distinct, digest_size=3).hexdigest()}"


def spec_of(reference: str, quick: bool) -> "Microspec":
    """A specification from a file of JSON, a study, or STUDY:CELL."""
    from cloudchamber.microspec import Microspec

    path = Path(reference)
    if path.suffix == ".json":
        _register()
        try:
            return Microspec.from_json(path.read_bytes())
        except OSError as error:
            raise SpecificationError(f"cannot read {path}: {error.strerror}.") from None
        except RecursionError:
            raise SpecificationError(f"{path}: nested too deeply to be read.") from None
        except SpecificationError as error:
            raise SpecificationError(f"{path}: {error}") from None
    name, colon, cell = reference.partition(":")
    built = finding.load(name, quick=quick)
    return built.design()[cell].spec if colon else built.microspec


def _register() -> None:
    """Make the kinds that ship known before reading a specification."""
    import cloudchamber.agents
    import cloudchamber.worlds  # noqa: F401  # imported for the kinds they register


def again(options: Options, results: "Results", usual: int) -> str:
    """The command that makes all this again.

    Args:
        options: how the study was built, and what else was asked of it.
        results: what was grown.
        usual: the study's own number of replicates.
    """
    replicates = [] if results.replicates == usual else ["--replicates", str(results.replicates)]
    if "battery" not in options:
        return command("run", options, results.folder.parent, replicates)
    more = [word for name in options["battery"] for word in ("--only", name)]
    more += ["--margin", f"{options['margin']:g}"] if options.get("margin") is not None else []
    return command("battery", options, results.folder.parent, [*more, *replicates])


def command(verb: str, options: Options, folder: Path, more: Sequence[str] = ()) -> str:
    """A command that grows what a folder holds.

    Args:
        verb: of the command line, e.g. run.
        options: how the study was built.
        folder: what it was grown into.
        more: options of that command alone.
    """
    from cloudchamber.experiment import Manifest

    parts = ["cloudchamber", verb, finding.shortest(options["study"])]
    parts += ["--quick"] if options.get("quick") else []
    for name in ("agents", "model", "items", "field"):
        if options.get(name):
            parts += [f"--{name}", options[name]]
    for change in options.get("set", ()):
        parts += ["--set", change]
    parts += more
    there = Manifest.read(folder)
    for name, value, default in (("seed", there.seed, 0), ("level", there.level, "full")):
        parts += [f"--{name}", str(value)] if value != default else []
    # A refresh is not repeated: what it was answered is in the store.
    parts += ["--store", there.store] if there.store else []
    parts += ["--store-mode", there.store_mode] if there.store_mode in ("replay", "off") else []
    return shlex.join([*parts, "--out", str(folder)])
