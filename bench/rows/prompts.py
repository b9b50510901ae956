"""Prompts to a model that answers at once."""

import asyncio
import json
import statistics
import time
from collections.abc import Sequence
from typing import Any

from bench.bench import Bench, Sample, World
from bench.client import Connection, RequestFailed, Target, ask_json, connected, listening
from bench.model import DELTAS, SHORT_DELTAS
from bench.rows.reads import new_session

DELTA = "message.part.delta"
IDLE = "session.idle"
TEXTS = 10
AT_ONCE = 20


async def prompt(connection: Connection, target: Target, session: str, lane: str) -> list[dict[str, Any]]:
    """Prompt and wait for the answer; its parts. Raises ``RequestFailed`` when the turn did not end well."""
    body = {"parts": [{"type": "text", "text": f"[lane:{lane}] go"}]}
    answer = json.loads(await connection.ask(target.request("POST", f"/session/{session}/message", body)))
    if answer["info"].get("finish") != "stop":
        raise RequestFailed(f"the turn did not end: {answer['info']}")
    parts: list[dict[str, Any]] = answer["parts"]
    return parts


async def keeps_snapshots(target: Target) -> bool:
    """Whether a step begins with a snapshot of the files."""
    session = await new_session(target)
    async with connected(target.port) as (connection,):
        parts = await prompt(connection, target, session, "text")
    return any("snapshot" in part for part in parts if part["type"] == "step-start")


async def one_by_one(world: World, target: Target, lane: str, count: int) -> Sample:
    """Prompts in sessions of their own, each after the other; making the sessions does not count."""
    sessions = [await new_session(target) for _ in range(count)]
    async with connected(target.port) as (connection,):
        cpu, began = world.server.cpu(), time.perf_counter()
        for session in sessions:
            await prompt(connection, target, session, lane)
        wall, cpu = time.perf_counter() - began, world.server.cpu() - cpu
    return Sample(wall / count, cpu / count)


async def at_once(world: World, target: Target, count: int) -> Sample:
    """Prompts with three model calls each, all at the same time; the cost of one."""
    sessions = [await new_session(target) for _ in range(count)]
    async with connected(target.port, count) as connections:
        cpu, began = world.server.cpu(), time.perf_counter()
        pairs = zip(connections, sessions, strict=True)
        await asyncio.gather(*(prompt(connection, target, session, "loop3") for connection, session in pairs))
        wall, cpu = time.perf_counter() - began, world.server.cpu() - cpu
    return Sample(wall / count, cpu / count)


async def streamed(world: World, target: Target) -> dict[str, Sample]:
    """One long streamed answer, watched on the event stream."""
    session = await new_session(target)
    async with listening(target, 1, DELTA, IDLE) as (stream,):
        cpu = world.server.cpu()
        body = {"parts": [{"type": "text", "text": "[lane:stream] go"}]}
        await ask_json(target, "POST", f"/session/{session}/prompt_async", body)
        await stream.reached(IDLE, 1)
        idle, cpu = time.monotonic(), world.server.cpu() - cpu
        if stream.counts[DELTA] != DELTAS:
            raise RequestFailed(f"{stream.counts[DELTA]} of {DELTAS} deltas came")
    began = (await first_bytes(world))[-1]
    return {
        "stream": Sample(idle - began, cpu),
        "delta": Sample((idle - began) / DELTAS, cpu / DELTAS),
        "first_delta": Sample(stream.first_at[DELTA] - began),
    }


async def streamed_at_once(world: World, target: Target, count: int) -> dict[str, Sample]:
    """Streamed answers in some sessions at the same time, all watched on one event stream; the cost of one delta."""
    sessions = [await new_session(target) for _ in range(count)]
    firsts = [delta_of(session) for session in sessions]
    async with listening(target, 1, DELTA, IDLE, *firsts) as (stream,):
        cpu = world.server.cpu()
        body = {"parts": [{"type": "text", "text": "[lane:short] go"}]}
        await asyncio.gather(
            *(ask_json(target, "POST", f"/session/{session}/prompt_async", body) for session in sessions)
        )
        await stream.reached(IDLE, count)
        idle, cpu, deltas = time.monotonic(), world.server.cpu() - cpu, count * SHORT_DELTAS
        if stream.counts[DELTA] != deltas:
            raise RequestFailed(f"{stream.counts[DELTA]} of {deltas} deltas came")
    began = (await first_bytes(world))[-count:]
    # Which answer was whose is not known, and does not matter to the mean.
    first = statistics.mean(stream.first_at[name] for name in firsts) - statistics.mean(began)
    return {
        "delta_20": Sample((idle - min(began)) / deltas, cpu / deltas),
        "first_delta_20": Sample(first),
    }


def delta_of(session: str) -> str:
    """The deltas of one session, as an event stream counts them: the type and what follows it."""
    return f'{DELTA}","properties":{{"sessionID":"{session}'


async def first_bytes(world: World) -> list[float]:
    """When the model's latest answers began."""
    began: list[float] = await ask_json(Target(world.model_port, "/"), "GET", "/first_bytes")
    return began


async def measure(bench: Bench, worlds: Sequence[World]) -> None:
    """Each kind of prompt; where a snapshot is taken of the files, once more without."""
    for world in worlds:
        bench.snapshots[world.server.peer.name] = await keeps_snapshots(world.target("work"))
    texts = 2 if bench.effort.scale > 1 else TEXTS
    for ending, settings in (("", {}), ("_plain", {"snapshot": False})):
        name = "work" + ending

        async def text(world: World, name: str = name, settings: dict[str, bool] = settings) -> Sample:
            return await one_by_one(world, world.target(name, **settings), "text", texts)

        async def loop10(world: World, name: str = name, settings: dict[str, bool] = settings) -> Sample:
            return await one_by_one(world, world.target(name, **settings), "loop10", 2)

        await bench.rounds("text" + ending, worlds, text)
        await bench.rounds("loop10" + ending, worlds, loop10)
    await bench.rounds("stream", worlds, lambda world: streamed(world, world.target("work")))
    bench.tell("delta")
    bench.tell("first_delta")
    await bench.rounds("delta_20", worlds, lambda world: streamed_at_once(world, world.target("work"), AT_ONCE))
    bench.tell("first_delta_20")
    await bench.rounds("concurrent", worlds, lambda world: at_once(world, world.target("work"), AT_ONCE))
