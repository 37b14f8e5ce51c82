"""The tree of errors. Every message says what was given, what is allowed, and what to do.

CloudchamberError
├── SpecificationError   a microspecification, design or study that makes no sense; names the field
├── FieldDataError       a file of items or of field data that cannot be read as such
├── TraceError           a trace or output folder that is foreign, damaged or cannot be written
├── ModelError           a language model that cannot be had or does not answer
│   ├── ModelUnreachable     nothing answers at its address
│   └── StoreError           the store of its answers is damaged, foreign or locked
│       └── NotStored            a replay needs an answer that the store does not hold
├── ArchiveError         a study's archive that cannot be made, is foreign or damaged, or is not trusted
├── RunFailed            a run that cannot go on; becomes a row of the trace
├── AnswerError          an agent broke its contract: wrong shape, unknown option, not a distribution
└── Unfinished           stopped before the end (interrupt, spent budget); what was answered is kept
"""

__all__ = [
    "AnswerError",
    "ArchiveError",
    "CloudchamberError",
    "FieldDataError",
    "ModelError",
    "ModelUnreachable",
    "NotStored",
    "RunFailed",
    "SpecificationError",
    "StoreError",
    "TraceError",
    "Unfinished",
    "nearest",
]

from collections.abc import Iterable
from difflib import get_close_matches

MOST_NAMES = 16
"""That a message lists."""


class CloudchamberError(Exception):
    """Anything cloudchamber refuses; the command line prints its message and exits with 2."""


class SpecificationError(CloudchamberError):
    """A value that names a field, what was given and what is allowed."""


class FieldDataError(CloudchamberError):
    """A user's file that lacks a column, has no rows, or cannot be parsed."""


class TraceError(CloudchamberError):
    """A trace folder that is foreign, damaged, or cannot be written."""


class ModelError(CloudchamberError):
    """A language model that cannot be loaded, fetched, or does not answer as it must."""


class ModelUnreachable(ModelError):
    """Nothing answers at the model's address."""


class ArchiveError(CloudchamberError):
    """An archive that cannot be made, is foreign, damaged or not trusted, or replays to something else."""


class StoreError(ModelError):
    """A store of answers that cannot be used; no run is to blame, so all end."""


class NotStored(StoreError):
    """A question that a replay finds no answer to: what was asked, by whom, and of which store."""

    def __init__(self, store: str, asked: str, by: tuple[str, ...] = ()) -> None:
        of = f" of {', '.join(by)}" if by else ""
        super().__init__(
            f"{store} holds no answer to the question{of} that begins {asked!r}; a replay asks no model: "
            "give the store that the study was grown with, or let a model be asked with "
            "--store-mode read-write."
        )
        self.store, self.asked, self.by = store, asked, by

    def told(self, by: str) -> "NotStored":
        """The same, and whose question it is."""
        return NotStored(self.store, self.asked, (by, *self.by))


class AnswerError(CloudchamberError):
    """An agent's answer breaks its contract."""


class RunFailed(CloudchamberError):
    """A run that cannot go on: which of the pool, at which stage, and why."""

    def __init__(self, run: int, stage: str, reason: str) -> None:
        super().__init__(f"run {run} failed at {stage}: {reason}")
        self.run, self.stage, self.reason = run, stage, reason


class Unfinished(CloudchamberError):
    """The work stopped early; the same command goes on where it stopped."""


def nearest(given: str, allowed: Iterable[str], *, as_given: bool = False) -> str:
    """Say which names are allowed, for the end of an error message; of many, the near ones first.

    Args:
        given: the name that is none.
        allowed: those that are; sorted, unless they are to be told `as_given`.
        as_given: in the order in which they are given.
    """
    names = list(allowed) if as_given else sorted(allowed)
    close = get_close_matches(given, names, n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(repr(c) for c in close)}?" if close else ""
    if not names:
        return "allowed: nothing."
    if len(names) <= MOST_NAMES:
        return f"allowed: {', '.join(names)}.{hint}"
    within = [name for name in names if given and given.casefold() in name.casefold()]
    shown = list(dict.fromkeys([*close, *within, *names]))[:MOST_NAMES]
    return f"allowed: {', '.join(shown)} and {len(names) - len(shown):,} more.{hint}"
