"""From a model's name, as a user types it, to the model.

Servers, files and stores are imported only when they are asked for.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from cloudchamber.errors import ModelError
from cloudchamber.models.model import Model
from cloudchamber.models.remote.address import check_address
from cloudchamber.models.store.mode import Mode, check_mode

__all__ = ["NAMES", "check_name", "open_model"]

NAMES = (
    "embedded",
    "gguf:PATH",
    "openai:NAME@URL",
    "openai-text:NAME@URL",
    "inspect:PROVIDER/NAME",
    "llamacpp:PATH",
    "fake:KIND",
)
"""The forms a model's name may take."""

_SHORTEST_KEY = 8
"""Letters; what is shorter stands where a server wants no key, and may be a part of any name."""


def open_model(
    name: str,
    *,
    processes: int | None = None,
    store: Path | None = None,
    mode: Mode = "read-write",
    refresh: str = "a refresh",
    concurrency: int = 64,
    timeout: float = 120.0,
    beneath: Callable[[Model], Model] | None = None,
) -> Model:
    """Open a language model.

    Args:
        name: "embedded" (SmolLM2-135M-Instruct, fetched once), "gguf:PATH" (a file of your
            own; by llama.cpp where the small engine cannot read it), "llamacpp:PATH" (always by llama.cpp),
            "openai:NAME@URL" (any OpenAI-compatible server; its key is read from CLOUDCHAMBER_API_KEY,
            from the file that CLOUDCHAMBER_API_KEY_FILE names, or from OPENAI_API_KEY),
            "openai-text:NAME@URL" (the same, asked to go on with a text, for base models),
            "inspect:PROVIDER/NAME" (whatever Inspect reaches, with the extra `inspect`), or
            "fake:KIND" (see `FAKES`).
        processes: workers of an embedded model; the machine's cores if None.
        store: SQLite file that answers are kept in and taken from; none if None.
        mode: how the store is used: "read-write", "replay" (no model is opened; what is not kept is an
            error), "refresh" (asked again, and replaced) or "off".
        refresh: a name for it in the mode "refresh": under the same name, what was asked again is not asked
            once more.
        concurrency: requests a server is sent at once.
        timeout: seconds that one attempt at a server may take.
        beneath: put around the model beneath the store, e.g. what counts and caps the questions sent.

    Raises:
        ModelError: a name of another form, a file that cannot be had, a store that is damaged.
    """
    check_mode(mode)
    if store is not None and mode == "replay":
        from cloudchamber.models.store.stored import ReplayedModel  # sqlite3 only where it is used

        return ReplayedModel(name, store)
    model = _open(name, processes, concurrency, timeout)
    if beneath is not None:
        model = beneath(model)
    if store is None or mode == "off":
        return model
    from cloudchamber.models.store.stored import StoredModel

    return StoredModel(model, store, called=name, refresh=refresh if mode == "refresh" else "")


def check_name(name: str) -> None:
    """Refuse a model's name that holds a secret, before it is written anywhere.

    Raises:
        ModelError: the key is in it, or a server's address has a user, a query or another form.
    """
    key = ""
    with suppress(ModelError):  # a replay needs no key
        key = _key()
    if len(key) >= _SHORTEST_KEY and (key in name or key in unquote(name)):
        raise ModelError(
            "the name of a model holds the key; leave it out, it is read from CLOUDCHAMBER_API_KEY, "
            "OPENAI_API_KEY or the file named by CLOUDCHAMBER_API_KEY_FILE."
        )
    kind, _, rest = name.partition(":")
    if kind in ("openai", "openai-text") and "@http" in rest:
        check_address(f"http{rest.partition('@http')[2]}", key)


def _open(name: str, processes: int | None, concurrency: int, timeout: float) -> Model:
    kind, _, rest = name.partition(":")
    if name == "embedded":
        return _embedded(processes)
    if kind in ("gguf", "llamacpp") and rest:
        return _gguf(name, _placed(rest), processes)
    if kind in ("openai", "openai-text") and "@http" in rest:
        from cloudchamber.models.remote.server import RemoteModel  # aiohttp costs 150 ms

        model, _, address = rest.partition("@http")
        form: Literal["completions"] | None = "completions" if kind == "openai-text" else None
        return RemoteModel(
            model, f"http{address}", _key(), concurrency=concurrency, timeout=timeout, form=form
        )
    if kind == "inspect" and rest:
        from cloudchamber.models.inspected import inspect_model

        return inspect_model(rest, concurrency=concurrency)
    if kind == "fake" and rest:
        from cloudchamber.models.fake import fake

        return fake(rest)
    raise ModelError(f"model {name!r} was given; allowed: {', '.join(NAMES)}.")


def _key() -> str:
    """The key for a server: never a part of a study, and shown nowhere."""
    named = os.environ.get("CLOUDCHAMBER_API_KEY_FILE")
    if named and not os.environ.get("CLOUDCHAMBER_API_KEY"):
        try:
            return Path(named).expanduser().read_text().strip()
        except (OSError, RuntimeError, UnicodeDecodeError):
            raise ModelError(
                "CLOUDCHAMBER_API_KEY_FILE names a file that cannot be read; name one that holds "
                "the key and nothing else, outside the study."
            ) from None
    given = os.environ.get("CLOUDCHAMBER_API_KEY") or os.environ.get("OPENAI_API_KEY") or ""
    return given.strip()


def _placed(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ModelError(f"{path}: {error} Give the file's whole path.") from None


def _workers(processes: int | None) -> int:
    return processes if processes is not None else max(1, os.cpu_count() or 1)


def _embedded(processes: int | None) -> Model:
    from cloudchamber.models.embedded.fetch import DIGEST, embedded_file
    from cloudchamber.models.embedded.workers import EmbeddedModel

    path = embedded_file()
    return EmbeddedModel("embedded", path, _mapped(DIGEST), DIGEST, _workers(processes))


def _gguf(name: str, path: Path, processes: int | None) -> Model:
    from cloudchamber.models.embedded.fetch import digest_of
    from cloudchamber.models.embedded.gguf import read_gguf
    from cloudchamber.models.embedded.readout import check_readable
    from cloudchamber.models.embedded.workers import EmbeddedModel
    from cloudchamber.models.llamacpp import INSTALL, LlamaCppModel, installed

    gguf = read_gguf(path)  # a wrong path is said at once, not by a worker
    if name.startswith("llamacpp:"):
        return LlamaCppModel(name, gguf, digest_of(path), processes)
    try:
        check_readable(gguf)
    except ModelError as error:
        if installed():
            return LlamaCppModel(name, gguf, digest_of(path), processes)
        raise ModelError(f"{error} Or let llama.cpp read it: {INSTALL}.") from None
    digest = digest_of(path)
    return EmbeddedModel(name, path, _mapped(digest), digest, _workers(processes))


def _mapped(digest: str) -> Path:
    from cloudchamber.models.embedded.fetch import cache_folder
    from cloudchamber.models.embedded.weights import LAYOUT

    return cache_folder() / f"{digest[:16]}.float32-{LAYOUT}"
