"""Many streams of one server, and how they are measured: tightly by ``python -m tests.stream.long --form many``."""

import asyncio
import os
import resource
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

import anyio
import httpx2
import psutil

from tests.stream.connection import Connection, StreamEnded
from tests.stream.run import make_project
from tests.support.server_process import Home, ServerProcess, server_process

BULK = "x" * 200_000
FILLING, TOO_MANY = 15, 50
"""Bulky changes that fill the buffer of a stream nobody reads; and more than it and the system may hold."""
ROUNDS = 9
"""How often each situation is measured, one after the other in turn."""
STALLED = 8
STOPS = 5


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


async def delays_of_changes(server: ServerProcess, readers: list[Subscriber], changes: int) -> list[float]:
    """How long each delivery of some changes took, from the request on, in seconds and in order."""
    for one in readers:
        one.delays.clear()
    async with asyncio.TaskGroup() as tasks:
        for one in readers:
            tasks.create_task(one.read(changes))
        tasks.create_task(make_changes(server, changes))
    return sorted(delay for one in readers for delay in one.delays)


def p99(delays: list[float]) -> float:
    """What the last percent exceeds."""
    return delays[int(len(delays) * 0.99)]


def memory_mib(server: ServerProcess) -> float:
    return psutil.Process(server.pid).memory_info().rss / 2**20


async def given_up(connection: Connection) -> bool:
    """Whether the server ends a stream that did not read; after what was on its way."""
    with anyio.move_on_after(20):
        try:
            while True:
                await connection.read()
        except StreamEnded:
            return True
    return False


def allow_open_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))


async def seconds_to_stop(server: ServerProcess) -> float:
    """From SIGTERM to the end of the process, which must be a good one."""
    began = time.monotonic()
    os.kill(server.pid, signal.SIGTERM)
    assert await server.stop() == 0
    return time.monotonic() - began


# --- the tight form -------------------------------------------------------------------------------------------------


async def measure(root: Path, readers: int, changes: int, stopping: int) -> dict[str, object]:
    """Figures for ``docs/reliability.md``. They say something on a quiet machine only."""
    allow_open_files(readers + 200)
    project, other = make_project(root / "project"), str(make_project(root / "other"))
    figures: dict[str, object] = {"load": round(os.getloadavg()[0], 2)}
    async with server_process(Home(root / "home"), project) as server, subscribers(server, readers) as opened:
        alone: list[float] = []
        beside: list[float] = []
        await delays_of_changes(server, opened, changes)  # a first time, which does not count
        for _ in range(ROUNDS):
            alone.append(p99(await delays_of_changes(server, opened, changes)))
            async with stalled_streams(server, 1):
                await make_changes(server, FILLING, BULK, directory=other)
                beside.append(p99(await delays_of_changes(server, opened, changes)))
        figures["p99 of the others, ms"] = {"alone": _ms(alone), "one full": _ms(beside)}
        figures["memory for stalled streams, MiB"] = await _memory_of_stalled(server, other)
    stops = []
    for number in range(STOPS):
        async with server_process(Home(root / f"home{number}"), project) as server, subscribers(server, stopping):
            stops.append(await seconds_to_stop(server))
    figures[f"stop with {stopping} streams, s"] = {"median": round(median(stops), 2), "worst": round(max(stops), 2)}
    return figures


async def _memory_of_stalled(server: ServerProcess, directory: str) -> dict[str, float]:
    await make_changes(server, TOO_MANY, BULK, directory=directory)
    before = memory_mib(server)
    async with stalled_streams(server, STALLED) as stalled:
        await make_changes(server, TOO_MANY, BULK, directory=directory)
        after = memory_mib(server)
        assert all([await given_up(one) for one in stalled])
    return {"before": round(before, 1), f"with {STALLED}": round(after, 1)}


def _ms(seconds: list[float]) -> dict[str, float]:
    named = {"median": median(seconds), "best": min(seconds), "worst": max(seconds)}
    return {name: round(value * 1000, 1) for name, value in named.items()}
