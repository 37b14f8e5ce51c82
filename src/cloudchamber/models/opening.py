"""From a model's name, as a user types it, to the model.

Servers, files and stores are imported only when they are asked for.
"""

import os
from collections.abc import Callable
from pathlib import Path

from cloudchamber.errors import ModelError
from cloudchamber.models.mode import Mode, check_mode
from cloudchamber.models.model import Model

__all__ = ["NAMES", "open_model"]

NAMES = ("embedded", "gguf:PATH", "openai:NAME@URL", "inspect:PROVIDER/NAME", "fake:KIND")
"""The forms a model's name may take."""


def open_model(
    name: str,
    *,
    processes: int | None = None,
    store: Path | None = None,
    mode: Mode = "read-write",
    concurrency: int = 64,
    beneath: Callable[[Model], Model] | None = None,
) -> Model:
    """Open a language model.

    Args:
        name: "embedded" (SmolLM2-135M-Instruct, fetched once), "gguf:PATH" (a llama-architecture file),
            "openai:NAME@URL" (any OpenAI-compatible server; its key is read from CLOUDCHAMBER_API_KEY or
            OPENAI_API_KEY), "inspect:PROVIDER/NAME" (whatever Inspect reaches, with the extra `inspect`), or
            "fake:KIND" (see `FAKES`).
        processes: workers of an embedded model; the machine's cores if None.
        store: SQLite file that answers are kept in and taken from; none if None.
        mode: how the store is used: "read-write", "replay" (no model is opened; what is not kept is an
            error), "refresh" (asked again, and replaced) or "off".
        concurrency: requests a server is sent at once.
        beneath: put around the model beneath the store, e.g. what counts and caps the questions sent.

    Raises:
        ModelError: a name of another form, a file that cannot be had, a store that is damaged.
    """
    check_mode(mode)
    if store is not None and mode == "replay":
        from cloudchamber.models.store import ReplayedModel  # sqlite3 only where it is used

        return ReplayedModel(name, store)
    model = _open(name, processes, concurrency)
    if beneath is not None:
        model = beneath(model)
    if store is None or mode == "off":
        return model
    from cloudchamber.models.store import StoredModel

    return StoredModel(model, store, called=name, refresh=mode == "refresh")


def _open(name: str, processes: int | None, concurrency: int) -> Model:
    kind, _, rest = name.partition(":")
    if name == "embedded":
        return _embedded(processes)
    if kind == "gguf" and rest:
        return _gguf(name, _placed(rest), processes)
    if kind == "openai" and "@http" in rest:
        from cloudchamber.models.remote import RemoteModel  # aiohttp costs 150 ms

        model, _, address = rest.partition("@http")
        key = os.environ.get("CLOUDCHAMBER_API_KEY") or os.environ.get("OPENAI_API_KEY") or ""
        return RemoteModel(model, f"http{address}", key, concurrency=concurrency)
    if kind == "inspect" and rest:
        from cloudchamber.models.inspected import inspect_model

        return inspect_model(rest, concurrency=concurrency)
    if kind == "fake" and rest:
        from cloudchamber.models.fake import fake

        return fake(rest)
    raise ModelError(f"model {name!r} was given; allowed: {', '.join(NAMES)}.")


def _placed(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ModelError(f"gguf:{path}: {error} Give the file's whole path.") from None


def _workers(processes: int | None) -> int:
    return processes if processes is not None else max(1, os.cpu_count() or 1)


def _embedded(processes: int | None) -> Model:
    from cloudchamber.models.embedded import EmbeddedModel
    from cloudchamber.models.fetch import DIGEST, embedded_file

    path = embedded_file()
    return EmbeddedModel("embedded", path, _mapped(DIGEST), DIGEST, _workers(processes))


def _gguf(name: str, path: Path, processes: int | None) -> Model:
    from cloudchamber.models.embedded import EmbeddedModel
    from cloudchamber.models.fetch import digest_of
    from cloudchamber.models.gguf import read_gguf

    read_gguf(path)  # a wrong path is said at once, not by a worker
    digest = digest_of(path)
    return EmbeddedModel(name, path, _mapped(digest), digest, _workers(processes))


def _mapped(digest: str) -> Path:
    from cloudchamber.models.fetch import cache_folder
    from cloudchamber.models.weights import LAYOUT

    return cache_folder() / f"{digest[:16]}.float32-{LAYOUT}"
