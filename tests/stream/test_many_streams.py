"""Many streams at once: one that does not read costs the others nothing, and stopping does not wait for any."""

import asyncio
import os
import resource
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx2
import psutil
import pytest

from tests.stream.connection import Connection, StreamEnded
from tests.stream.run import make_project
from tests.support.server_process import Home, ServerProcess, server_process

SUBSCRIBERS = 1_000
CHANGES = 10
BULK = "x" * 200_000
FILLING, TOO_MANY = 15, 50
"""Bulky changes that fill the buffer of a stream nobody reads; and more than it and the system may hold."""
ATTEMPTS = 2
STOP_SECONDS = 1.0
SPARE_MIB = 20
"""What the server may need for all streams that do not read: their buffers are bounded, and shared."""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    async with server_process(Home(tmp_path / "home"), make_project(tmp_path / "project")) as server:
        yield server


class Subscriber:
    """Reads a stream and keeps when each change came."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.delays: list[float] = []

    async def read(self, changes: int) -> None:
        """Until so many changes have come. Their titles say when they were asked for."""
        while len(self.delays) < changes:
            for message in await self.connection.read():
                if message.payload["type"] == "session.updated":
                    asked_at = float(message.payload["properties"]["info"]["title"].split()[0])
                    self.delays.append(time.monotonic() - asked_at)


@asynccontextmanager
async def subscribers(server: ServerProcess, count: int) -> AsyncIterator[list[Subscriber]]:
    """Open streams, each past its greeting."""
    opened: list[Subscriber] = []
    try:
        for _ in range(count):
            opened.append(Subscriber(await Connection.open(server.url, "/event")))
        for one in opened:
            while not await one.connection.read():
                pass
        yield opened
    finally:
        for one in opened:
            one.connection.cut()


@asynccontextmanager
async def stalled_streams(server: ServerProcess, count: int) -> AsyncIterator[list[Connection]]:
    """Streams of all directories that nobody reads."""
    opened = [await Connection.open(server.url, "/global/event", small=True) for _ in range(count)]
    try:
        yield opened
    finally:
        for one in opened:
            one.cut()


async def make_changes(server: ServerProcess, count: int, ballast: str = "", **where: str) -> None:
    async with httpx2.AsyncClient(base_url=server.url, timeout=30, params=where) as http:
        session_id = (await http.post("/session", json={"title": "x"})).json()["id"]
        for _ in range(count):
            body = {"title": f"{time.monotonic()} {ballast}"}
            (await http.patch(f"/session/{session_id}", json=body)).raise_for_status()
            await anyio.sleep(0.005)


async def p99_of_changes(server: ServerProcess, readers: list[Subscriber]) -> float:
    """How late the last percent of all deliveries is, in seconds."""
    for one in readers:
        one.delays.clear()
    async with asyncio.TaskGroup() as tasks:
        for one in readers:
            tasks.create_task(one.read(CHANGES))
        tasks.create_task(make_changes(server, CHANGES))
    delays = sorted(delay for one in readers for delay in one.delays)
    return delays[int(len(delays) * 0.99)]


def memory_mib(server: ServerProcess) -> float:
    return psutil.Process(server.pid).memory_info().rss / 2**20


async def test_a_stream_that_does_not_read_costs_a_thousand_others_nothing(
    server: ServerProcess, tmp_path: Path
) -> None:
    """Timings are compared with those a moment before, and leave room for a busy machine."""
    allow_open_files(SUBSCRIBERS + 200)
    other = str(make_project(tmp_path / "other"))
    async with subscribers(server, SUBSCRIBERS) as readers, stalled_streams(server, 1) as (stalled,):
        with anyio.fail_after(120):
            before = [await p99_of_changes(server, readers) for _ in range(ATTEMPTS)]
            await make_changes(server, FILLING, BULK, directory=other)
            with_one_full = [await p99_of_changes(server, readers) for _ in range(ATTEMPTS)]
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


async def given_up(connection: Connection) -> bool:
    """Whether the server ends a stream that did not read; after what was on its way."""
    with anyio.move_on_after(20):
        try:
            while True:
                await connection.read()
        except StreamEnded:
            return True
    return False


async def test_a_server_with_five_hundred_open_streams_stops_in_under_a_second(server: ServerProcess) -> None:
    allow_open_files(1_200)
    async with subscribers(server, 500):
        began = time.monotonic()
        os.kill(server.pid, signal.SIGTERM)
        assert await server.stop() == 0
        assert time.monotonic() - began < STOP_SECONDS * busyness()


def busyness() -> float:
    """How many programs share a core, at least 1: where others run, everything takes so much longer."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def allow_open_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))
