"""The guard of conftest.py guards."""

import asyncio
import socket

import pytest

REFUSED = pytest.fail.Exception


@pytest.mark.parametrize("host", ["203.0.113.7", "2001:db8::1"])
@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_no_socket_leaves_this_machine(host: str, method: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as one, pytest.raises(REFUSED, match="stay on this machine"):
        one.settimeout(0.01)
        getattr(one, method)((host, 80))


def test_no_name_is_looked_up() -> None:
    with pytest.raises(REFUSED, match="example.org"):
        socket.getaddrinfo("example.org", 80)


def test_asyncio_is_guarded_too() -> None:
    async def leave() -> None:
        await asyncio.open_connection("203.0.113.7", 80)

    with pytest.raises(REFUSED, match="stay on this machine"):
        asyncio.run(leave())


def test_this_machine_is_reachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()[:2], timeout=5).close()
