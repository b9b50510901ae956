"""Reads that clients make all the time."""

import asyncio
from collections.abc import Sequence
from typing import Any

from bench.bench import Bench, Sample, World, load
from bench.client import Target, ask_json, connected
from bench.projects import MODEL

PARTS = 3
TEXT = "A line of text in a message, as people and models write them. " * 10


async def new_session(target: Target, title: str = "bench") -> str:
    """A new session's id. A title of its own keeps the model out of naming it."""
    made: dict[str, Any] = await ask_json(target, "POST", "/session", {"title": title})
    return str(made["id"])


async def add_sessions(target: Target, count: int) -> None:
    """Some more sessions, made eight at a time."""
    request = target.request("POST", "/session", {"title": "bench"})
    left = iter(range(count))
    async with connected(target.port, 8) as connections:

        async def make(number: int) -> None:
            for _ in left:
                await connections[number].ask(request)

        await asyncio.gather(*map(make, range(len(connections))))


async def session_with_messages(target: Target, count: int) -> str:
    """A session with so many messages of three text parts."""
    session = await new_session(target)
    parts = [{"type": "text", "text": TEXT}] * PARTS
    body = {"noReply": True, "model": MODEL, "parts": parts}
    request = target.request("POST", f"/session/{session}/message", body)
    async with connected(target.port) as (connection,):
        for _ in range(count):
            await connection.ask(request)
    return session


async def measure(bench: Bench, worlds: Sequence[World]) -> None:
    """Lists, one session, and its messages."""
    effort = bench.effort
    paths: dict[str, dict[str, str]] = {}
    for world in worlds:
        target = world.target()
        small = await session_with_messages(target, effort.of(50))
        large = await session_with_messages(target, effort.of(1000))
        await add_sessions(target, effort.of(100) - 2)
        paths[world.server.peer.name] = {
            "list_100": "/session",
            "get_session": f"/session/{small}",
            "messages_50": f"/session/{small}/message",
            "messages_1000": f"/session/{large}/message",
        }

    for row in ("list_100", "get_session", "messages_50", "messages_1000"):

        async def read(world: World, row: str = row) -> Sample:
            request = world.target().request("GET", paths[world.server.peer.name][row])
            return (await load(world, request, effort.seconds, 4 if row == "messages_1000" else 8))[0]

        await bench.rounds(row, worlds, read)


async def measure_large(bench: Bench, worlds: Sequence[World]) -> None:
    """A page of a long list."""
    for world in worlds:
        await add_sessions(world.target("large"), bench.effort.of(10_000))

    async def read(world: World) -> Sample:
        return (await load(world, world.target("large").request("GET", "/session"), bench.effort.seconds))[0]

    await bench.rounds("list_10000", worlds, read)
