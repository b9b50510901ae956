import logging

import anyio
import pytest
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from opencode.cli import mdns
from opencode.cli.mdns import SERVICE_TYPE, addresses_of, announced, service_info
from opencode.http.server import Listening


def on_loopback() -> AsyncZeroconf:
    return AsyncZeroconf(interfaces=["127.0.0.1"])


def test_the_service_is_named_after_its_port_at_the_domain() -> None:
    info = service_info(Listening("0.0.0.0", 4097), "opencode.local", ["10.0.0.7"])
    assert (info.name, info.port, info.server) == (f"opencode-4097.{SERVICE_TYPE}", 4097, "opencode.local.")
    assert (info.parsed_addresses(), info.properties) == (["10.0.0.7"], {b"path": b"/"})


def test_an_address_is_announced_itself_and_every_interface_by_its_own_addresses() -> None:
    assert addresses_of("10.0.0.7") == ["10.0.0.7"]
    assert addresses_of("localhost") == ["127.0.0.1"]
    assert addresses_of("0.0.0.0")


async def test_a_server_on_the_loopback_is_not_announced(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="opencode"):
        async with announced(Listening("127.0.0.1", 1), "opencode.local"):
            pass
    assert "only this machine" in caplog.text


async def test_others_find_the_announced_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mdns, "addresses_of", lambda host: ["127.0.0.1"])
    monkeypatch.setattr("zeroconf.asyncio.AsyncZeroconf", on_loopback)
    seeker = on_loopback()
    try:
        with anyio.fail_after(10):
            async with announced(Listening("0.0.0.0", 4098), "opencode.local"):
                info = AsyncServiceInfo(SERVICE_TYPE, f"opencode-4098.{SERVICE_TYPE}")
                while not await info.async_request(seeker.zeroconf, 3_000):
                    pass
    finally:
        await seeker.async_close()
    assert (info.port, info.server) == (4098, "opencode.local.")
