"""What ours costs as it fills up: with ever more sessions, and in ever longer ones.

The sizes are reached by copying rows of the stopped server's database.
"""

import time

from bench.bench import Bench, Sample, World, load
from bench.client import ask_json, connected
from bench.copies import database_of, multiply_messages, multiply_session
from bench.projects import MODEL
from bench.rows.prompts import one_by_one, prompt
from bench.rows.reads import PARTS, new_session

SIZES = (100, 10_000, 100_000)
TITLES = {
    "start": "start",
    "list": "list 100 sessions",
    "prompt": "prompt in a new session",
    "page": "page of 50 messages",
    "note": "add a message",
    "long_prompt": "prompt in the long session",
}
"""The lines of the plot. Against the number of stored sessions, the last three against the parts of one session."""


async def measure(bench: Bench) -> None:
    """Every line at every size."""
    ours = next(peer for peer in bench.peers if peer.is_ours)
    for size in SIZES:
        size = bench.effort.of(size)
        name = f"growth{size}"
        async with bench.world(ours, name) as world:
            session = await new_session(world.target())
            parts = [{"type": "text", "text": "a short part"}] * PARTS
            body = {"noReply": True, "model": MODEL, "parts": parts}
            await ask_json(world.target(), "POST", f"/session/{session}/message", body)
        database = database_of(ours, world.folder)
        multiply_session(database, session, size)
        multiply_messages(database, session, size // PARTS)
        starts = []
        for _ in range(bench.effort.rounds):
            async with bench.world(ours, name) as world:
                starts.append(Sample(world.server.started_seconds, world.server.cpu()))
        keep(bench, "start", size, starts)
        async with bench.world(ours, name) as world:
            await _measure_lines(bench, world, session, size)


async def _measure_lines(bench: Bench, world: World, session: str, size: int) -> None:
    target, seconds = world.target(), bench.effort.seconds
    long = f"/session/{session}/message"
    note = target.request("POST", long, {"noReply": True, "model": MODEL, "parts": [{"type": "text", "text": "note"}]})
    reads = {"list": target.request("GET", "/session"), "page": target.request("GET", f"{long}?limit=50"), "note": note}
    await one_by_one(world, target, "text", 3)  # the first prompt imports what prompts need
    for line, request in reads.items():
        found = [(await load(world, request, seconds, 1))[0] for _ in range(bench.effort.rounds)]
        keep(bench, line, size, found)
    found = [
        await one_by_one(world, target, "text", 10 // min(bench.effort.scale, 10)) for _ in range(bench.effort.rounds)
    ]
    keep(bench, "prompt", size, found)
    async with connected(target.port) as (connection,):
        cpu, began = world.server.cpu(), time.perf_counter()
        await prompt(connection, target, session, "text")
        wall = time.perf_counter() - began
    keep(bench, "long_prompt", size, [Sample(wall, world.server.cpu() - cpu)])


def keep(bench: Bench, line: str, size: int, samples: list[Sample]) -> None:
    """The median sample of a line at a size."""
    middle = sorted(samples, key=lambda sample: sample.cpu or 0)[len(samples) // 2]
    bench.growth.setdefault(line, {})[size] = middle
    print(f"growth {size:7} {line:12} {middle.value:.6f} cpu {middle.cpu:.6f}", flush=True)
