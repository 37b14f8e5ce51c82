"""Archives of a study: made, and replayed elsewhere.

An archive is made by replaying the study from what is to be in it, so it holds the replies that were used,
no others, and is known to lead to the same trace.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from cloudchamber.cli.enclosing import below, collected, read_me
from cloudchamber.cli.options import Options, build
from cloudchamber.errors import ArchiveError
from cloudchamber.experiment import Manifest, Results, cell_archive
from cloudchamber.experiment.archive import ANSWERS, Archive, unpack
from cloudchamber.experiment.packing import (
    differs,
    finished,
    led,
    refuse_taken,
    replayed,
    sealed,
    whole,
)
from cloudchamber.trace import Level

if TYPE_CHECKING:
    from cloudchamber.study import Study

__all__ = ["export", "replay", "replay_cells"]


def export(folder: Path, file: Path, store: Path | None = None) -> tuple[Archive, list[str]]:
    """Make an archive of what a folder holds; what it is, and the names of its files.

    Args:
        folder: what `cloudchamber run` wrote.
        file: the archive.
        store: what the study was grown with, if not what the folder says.

    Raises:
        ArchiveError: the study is not finished, does not replay to its trace, or a key is in it; or it was
            grown by a program of one's own and its cells have parts that only that knows. Or it is of a
            search, whose runs follow from one another.
    """
    there = Manifest.read(folder)
    given = dict(there.options)
    if "over" in given:
        raise ArchiveError(
            f"{folder} holds a search along {given['over']}, in which what is grown next follows from what "
            "was grown; hand on the folder itself: the same command finds every run in it."
        )
    if not isinstance(given.get("study"), str) or "battery" in given:
        # Grown by a program of one's own; or a battery: its cells are not the study's.
        return cell_archive.export_cells(folder, file, store)
    refuse_taken(file)
    digest = finished(build(given).results(folder), folder)
    with TemporaryDirectory(prefix="cloudchamber-") as temporary:
        stage = Path(temporary) / "archive"
        options = collected(given, stage)
        study = build(below(options, stage))
        answers = store or there.answers(folder)
        with replayed(study.design(), answers, stage / ANSWERS) as models:
            results = study.run(
                Path(temporary) / "out",
                seed=there.seed,
                replicates=there.replicates,
                level=Level(there.level),  # type: ignore[arg-type]  # a manifest's word
                models=models,
            )
        if results.trace.digest() != digest:
            raise ArchiveError(differs(folder))
        about = Archive.of(there, options, digest, sealed(stage / ANSWERS))
        names = whole(about, read_me(about), stage, file)
    return about, names


def replay_cells(file: Path, out: Path, watch: Callable[[Any], None]) -> None:
    """Unpack an archive of cells into a folder and grow them there, below `out`, from its answers alone.

    Raises:
        ArchiveError, NotStored: as `replay`.
    """
    cell_archive.replay_cells(unpack(file, out), file, out, watch)


def replay(
    file: Path, out: Path, watch: Callable[[Any], None]
) -> tuple[Archive, "Study", Results, Options]:
    """Unpack an archive into a folder and grow its study there, below `out`, from its answers alone.

    Its program is run: whoever calls this trusts it.

    Raises:
        ArchiveError: it is none, is damaged, or leads to another trace.
        NotStored: an answer is missing.
    """
    about = unpack(file, out)
    options = below(about.options, out)
    study = build(options)
    results = study.run(
        out / "out",
        seed=about.seed,
        replicates=about.replicates,
        level=Level(about.level),  # type: ignore[arg-type]  # refused there if it is none
        store=out / ANSWERS,
        store_mode="replay",
        options=options,
        watch=watch,
    )
    led(about, results, file)
    return about, study, results, options
