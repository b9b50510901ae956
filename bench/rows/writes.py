"""Sessions and messages without a model."""

import json
import time
from collections.abc import Sequence

from bench.bench import Bench, Sample, World, load
from bench.client import connected
from bench.projects import MODEL

NOTE = "note " + "x" * 200


async def measure(bench: Bench, worlds: Sequence[World]) -> None:
    """New sessions; new sessions with a message each, one after the other."""

    async def create(world: World) -> Sample:
        request = world.target("made").request("POST", "/session", {"title": "bench"})
        return (await load(world, request, bench.effort.seconds))[0]

    await bench.rounds("create", worlds, create)
    await bench.rounds("create_2000", worlds, lambda world: create_with_notes(bench, world), warm_up=False)


async def create_with_notes(bench: Bench, world: World) -> Sample:
    """A share of 2,000 sessions, so that the rounds together make all of them."""
    target = world.target("notes")
    count = bench.effort.of(2000) // bench.effort.rounds
    create = target.request("POST", "/session", {"title": "bench"})
    body = {"noReply": True, "model": MODEL, "parts": [{"type": "text", "text": NOTE}]}
    async with connected(target.port) as (connection,):
        cpu, began = world.server.cpu(), time.perf_counter()
        for _ in range(count):
            session = json.loads(await connection.ask(create))["id"]
            await connection.ask(target.request("POST", f"/session/{session}/message", body))
        wall, cpu = time.perf_counter() - began, world.server.cpu() - cpu
    return Sample(wall / count, cpu / count)
