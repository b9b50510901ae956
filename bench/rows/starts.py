"""Starting, and memory."""

import asyncio
from collections.abc import Sequence

from bench.bench import Bench, Sample, World
from bench.client import ask_json

SETTLE_SECONDS = 1.0


async def measure(bench: Bench) -> None:
    """Start on an empty home, and memory once a directory is open and nothing happens.

    A first start of each is not counted: it writes compiled files, and warms the page cache.
    """
    for number in range(-1 if bench.effort.warm_up else 0, bench.effort.rounds):
        for peer in bench.peers:
            async with bench.world(peer, f"start{number}") as world:
                started = Sample(world.server.started_seconds, world.server.cpu())
                await ask_json(world.target(), "GET", "/session")
                if number >= 0:
                    await asyncio.sleep(SETTLE_SECONDS)
                    bench.add("start", peer.name, started)
                    add_memory(bench, world, "idle")
    for row in ("start", "idle_rss", "idle_pss"):
        bench.tell(row)


async def measure_stored(bench: Bench, name: str) -> None:
    """Start on a home with what the other rows have stored."""
    for _ in range(bench.effort.rounds):
        for peer in bench.peers:
            async with bench.world(peer, name) as world:
                bench.add("start_2000", peer.name, Sample(world.server.started_seconds, world.server.cpu()))
    bench.tell("start_2000")


def add_memory(bench: Bench, world: World, when: str) -> None:
    """Resident and proportional memory of a server, now."""
    for kind, size in zip(("rss", "pss"), world.server.memory(), strict=True):
        bench.add(f"{when}_{kind}", world.server.peer.name, Sample(size))


def measure_memory(bench: Bench, worlds: Sequence[World]) -> None:
    """Memory after the load."""
    for world in worlds:
        add_memory(bench, world, "loaded")
    bench.tell("loaded_rss")
    bench.tell("loaded_pss")
