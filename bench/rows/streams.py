"""Many clients on the event stream."""

import asyncio
import time
from collections.abc import Sequence

from bench.bench import Bench, Sample, World, load
from bench.client import ask_json, connected, listening
from bench.model import SHORT_DELTAS
from bench.rows.prompts import DELTA, prompt
from bench.rows.reads import new_session

CLIENTS = 50
CROWD = 200
EVENTS_PER_SECOND = 20
CHANGES = 200
WRITERS = 4
UPDATED = "session.updated"


async def title_changes(bench: Bench, world: World) -> Sample:
    """Changes of a title by four clients; the cost of one delivery, the change itself included."""
    target, clients, changes = world.target("streams"), bench.effort.of(CLIENTS), bench.effort.of(CHANGES) // WRITERS
    session = await new_session(target)
    request = target.request("PATCH", f"/session/{session}", {"title": "another title"})
    async with listening(target, clients, UPDATED) as streams, connected(target.port, WRITERS) as connections:
        cpu, began = world.server.cpu(), time.perf_counter()

        async def change(number: int) -> None:
            for _ in range(changes):
                await connections[number].ask(request)

        await asyncio.gather(*map(change, range(WRITERS)))
        await asyncio.gather(*(stream.reached(UPDATED, changes * WRITERS) for stream in streams))
        wall, cpu = time.perf_counter() - began, world.server.cpu() - cpu
    deliveries = changes * WRITERS * clients
    return Sample(wall / deliveries, cpu / deliveries)


async def model_deltas(bench: Bench, world: World) -> Sample:
    """A streamed answer with many clients watching; the cost of one delivery, the whole turn included."""
    target, clients = world.target("streams"), bench.effort.of(CLIENTS)
    session = await new_session(target)
    async with listening(target, clients, DELTA) as streams, connected(target.port) as (connection,):
        cpu, began = world.server.cpu(), time.perf_counter()
        await prompt(connection, target, session, "short")
        await asyncio.gather(*(stream.reached(DELTA, SHORT_DELTAS) for stream in streams))
        wall, cpu = time.perf_counter() - began, world.server.cpu() - cpu
    deliveries = SHORT_DELTAS * clients
    return Sample(wall / deliveries, cpu / deliveries)


async def reads_in_a_crowd(bench: Bench, world: World) -> Sample:
    """Reads while many clients get a steady trickle of events: the latency that one in a hundred passes."""
    target = world.target("streams")
    session = await new_session(target)
    request = target.request("GET", f"/session/{session}")
    async with listening(target, bench.effort.of(CROWD), UPDATED):
        trickle = asyncio.create_task(_trickle(world, session))
        try:
            sample, latencies = await load(world, request, 3 * bench.effort.seconds)
        finally:
            trickle.cancel()
    return Sample(sorted(latencies)[int(len(latencies) * 0.99)], sample.cpu)


async def _trickle(world: World, session: str) -> None:
    """One change after the other, at most so many a second."""
    while True:
        pause = asyncio.create_task(asyncio.sleep(1 / EVENTS_PER_SECOND))
        await ask_json(world.target("streams"), "PATCH", f"/session/{session}", {"title": "another title"})
        await pause


async def measure(bench: Bench, worlds: Sequence[World]) -> None:
    """Deliveries to fifty clients, and reads beside two hundred."""
    await bench.rounds("fan_out", worlds, lambda world: title_changes(bench, world))
    await bench.rounds("fan_out_deltas", worlds, lambda world: model_deltas(bench, world))
    await bench.rounds("crowd_p99", worlds, lambda world: reads_in_a_crowd(bench, world))
