"""Many streams at once: one that does not read costs the others nothing, and stopping does not wait for any.

Times leave room for a busy machine; ``tests/stream/many.py`` measures them tightly.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from tests.stream.many import (
    BULK,
    FILLING,
    TOO_MANY,
    allow_open_files,
    delays_of_changes,
    given_up,
    make_changes,
    memory_mib,
    p99,
    seconds_to_stop,
    stalled_streams,
    subscribers,
)
from tests.stream.run import make_project
from tests.support.server_process import Home, ServerProcess, server_process

SUBSCRIBERS = 1_000
CHANGES = 10
ATTEMPTS = 2
STOP_SECONDS = 1.0
SPARE_MIB = 20
"""What the server may need for all streams that do not read: their buffers are bounded, and shared."""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    async with server_process(Home(tmp_path / "home"), make_project(tmp_path / "project")) as server:
        yield server


async def test_a_stream_that_does_not_read_costs_a_thousand_others_nothing(
    server: ServerProcess, tmp_path: Path
) -> None:
    """Compared with the moment before."""
    allow_open_files(SUBSCRIBERS + 200)
    other = str(make_project(tmp_path / "other"))
    async with subscribers(server, SUBSCRIBERS) as readers, stalled_streams(server, 1) as (stalled,):
        with anyio.fail_after(120):
            before = [p99(await delays_of_changes(server, readers, CHANGES)) for _ in range(ATTEMPTS)]
            await make_changes(server, FILLING, BULK, directory=other)
            with_one_full = [p99(await delays_of_changes(server, readers, CHANGES)) for _ in range(ATTEMPTS)]
            await make_changes(server, TOO_MANY, BULK, directory=other)
            assert await given_up(stalled)
    assert min(with_one_full) < max(before) * 2 + 0.05


async def test_memory_for_streams_that_do_not_read_is_bounded(server: ServerProcess) -> None:
    """Eight of them, each given up once it has missed 4 MiB; what they miss is held once for all."""
    await make_changes(server, TOO_MANY, BULK)
    before = memory_mib(server)
    async with stalled_streams(server, 8) as stalled:
        await make_changes(server, TOO_MANY, BULK)
        assert memory_mib(server) - before < SPARE_MIB
        assert await given_up(stalled[0])


async def test_a_server_with_five_hundred_open_streams_stops_in_under_a_second(server: ServerProcess) -> None:
    allow_open_files(1_200)
    async with subscribers(server, 500):
        assert await seconds_to_stop(server) < STOP_SECONDS * busyness()


def busyness() -> float:
    """How many programs share a core, at least 1: where others run, everything takes so much longer."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
