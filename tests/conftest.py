"""What holds for every test: no network beyond this machine, and the same examples each time."""

import os
import socket
from collections.abc import Callable, Iterator
from importlib import import_module
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import settings

from cloudchamber.microspec.value import Family

settings.register_profile("ci", deadline=None, derandomize=True, max_examples=40)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def _on_this_machine(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode()
    if host is None or host == "localhost":
        return True
    try:
        return ip_address(str(host)).is_loopback
    except ValueError:
        return False


def _guarded(connect: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family != socket.AF_UNIX and not _on_this_machine(address[0]):
            pytest.fail(f"a test tried to reach {address}; tests stay on this machine")
        return connect(self, address)

    return guarded


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """No test connects to another machine, nor asks for its address."""
    resolve = socket.getaddrinfo

    def guarded(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not _on_this_machine(host):
            pytest.fail(f"a test tried to look up {host!r}; tests stay on this machine")
        return resolve(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _guarded(socket.socket.connect))
        patch.setattr(socket.socket, "connect_ex", _guarded(socket.socket.connect_ex))
        patch.setattr(socket, "getaddrinfo", guarded)
        yield


@pytest.fixture
def own_kinds() -> Iterator[None]:
    """Kinds of rules, worlds and regimes that a test or a page defines are forgotten after it.

    Those that ship are known before, or the first page to need them would take them with it.
    """
    for name in ("agents", "mechanism", "worlds"):
        import_module(f"cloudchamber.{name}")
    known = {family: set(family.kinds) for family in Family.__subclasses__()}
    yield
    for family, kinds in known.items():
        for kind in family.kinds.keys() - kinds:
            del family.kinds[kind]
