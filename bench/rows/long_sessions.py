"""Sessions with very many messages: a copy of one, and pages of one while others use the server."""

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bench.bench import Bench, Sample, World
from bench.client import Connection, RequestFailed, Target, ask_json, connected
from bench.copies import database_of, multiply_messages
from bench.peers import Peer
from bench.projects import MODEL
from bench.rows.reads import PARTS, TEXT, new_session

FORKED_MESSAGES = 2_000
PARTS_IN_ALL = 100_000
PARTS_EACH = 50
PAGE = 50
PAGES = 40
ROOT = Path(__file__).parents[2]


async def measure(bench: Bench) -> None:
    """Each server in turn, once: to fill its database it has to be stopped."""
    for peer in bench.peers:
        async with filled(bench, peer, "forked", FORKED_MESSAGES, PARTS) as (world, session):
            bench.add("fork_2000", peer.name, await forked(world, session))
        async with filled(bench, peer, "paged", PARTS_IN_ALL // PARTS_EACH, PARTS_EACH) as (world, session):
            for row, sample in (await read_while_watched(world, session)).items():
                bench.add(row, peer.name, sample)
    for row in ("fork_2000", "page_100000", "all_100000", "health_100000"):
        bench.tell(row)


@asynccontextmanager
async def filled(bench: Bench, peer: Peer, name: str, messages: int, parts: int) -> AsyncIterator[tuple[World, str]]:
    """A server with a session of so many messages with so many parts each."""
    async with bench.world(peer, name) as world:
        session = await new_session(world.target())
        body = {"noReply": True, "model": MODEL, "parts": [{"type": "text", "text": TEXT}] * parts}
        await ask_json(world.target(), "POST", f"/session/{session}/message", body)
    multiply_messages(database_of(peer, world.folder), session, bench.effort.of(messages))
    async with bench.world(peer, name) as world:
        await ask_json(world.target(), "GET", f"/session/{session}")
        yield world, session


async def forked(world: World, session: str) -> Sample:
    """A copy of the whole session."""
    target = world.target()
    cpu, began = world.server.cpu(), time.perf_counter()
    copy = await ask_json(target, "POST", f"/session/{session}/fork", {})
    sample = Sample(time.perf_counter() - began, world.server.cpu() - cpu)
    originals, copies = [len(await ask_json(target, "GET", f"/session/{id}/message")) for id in (session, copy["id"])]
    if originals != copies:
        raise RequestFailed(f"{copies} of {originals} messages were copied")
    return sample


async def read_while_watched(world: World, session: str) -> dict[str, Sample]:
    """The latest pages, then everything; and meanwhile the server's health."""
    target, path = world.target(), f"/session/{session}/message"
    async with watched(target) as answers, connected(target.port) as (reader,):
        cpu = world.server.cpu()
        pages = [await timed(reader, target.request("GET", f"{path}?limit={PAGE}")) for _ in range(PAGES)]
        cpu_of_pages = (world.server.cpu() - cpu) / PAGES
        cpu = world.server.cpu()
        everything = await timed(reader, target.request("GET", path))
        cpu_of_all = world.server.cpu() - cpu
    return {
        "page_100000": Sample(percentile(pages, 0.95), cpu_of_pages),
        "all_100000": Sample(everything, cpu_of_all),
        "health_100000": Sample(percentile(answers, 0.99)),
    }


async def timed(connection: Connection, request: bytes) -> float:
    """How long one answer took."""
    began = time.perf_counter()
    await connection.drain(request)
    return time.perf_counter() - began


@asynccontextmanager
async def watched(target: Target) -> AsyncIterator[list[float]]:
    """How long the server's health took to learn while the block lasted; filled when it is left."""
    answers: list[float] = []
    command = (sys.executable, "-m", "bench.watch", str(target.port), target.directory)
    watcher = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=PIPE, stdout=PIPE)
    try:
        assert watcher.stdout is not None
        await watcher.stdout.readline()
        yield answers
    finally:
        said, _ = await watcher.communicate(b"")  # without input it would not be told of the end
        answers += json.loads(said)


def percentile(values: Sequence[float], part: float) -> float:
    """The value that so large a part of all does not pass."""
    return sorted(values)[min(int(len(values) * part), len(values) - 1)]
