"""A server that is killed again and again while clients use it. See docs/reliability.md."""

from contextlib import suppress
from pathlib import Path
from random import Random

import anyio
import httpx2

from tests.crash.armed_server import FAILPOINTS
from tests.crash.invariants import caught_up, check_database, check_server
from tests.crash.ledger import DIED
from tests.crash.scripted_turns import answer_by_seed
from tests.crash.users import use
from tests.crash.watcher import follow
from tests.crash.world import Life, World, new_world

PASSED = {"commit": 80, "event": 150, "spawn": 10, "file": 8}
"""About how often a long life passes a failpoint."""
LONGEST_LIFE_SECONDS = 0.6


async def test_nothing_acknowledged_is_lost_by_kills(tmp_path: Path, seed: str, kills: int) -> None:
    async with new_world(tmp_path, seed) as world:
        answer_by_seed(world.model, seed)
        print(f"to play this world again: make crash SEED={seed}")
        for life in range(kills):
            random = Random(f"{seed}/{life}")
            crash_at, seconds = failpoint(random), random.uniform(0.05, LONGEST_LIFE_SECONDS)
            print(f"life {life}:", f"killed at {crash_at}" if crash_at else f"killed after {seconds:.2f} s")
            await one_life(world, life, crash_at, LONGEST_LIFE_SECONDS if crash_at else seconds)
        async with world.server() as server, server.client() as http, anyio.create_task_group() as tasks:
            tasks.start_soon(follow, http, world.ledger)
            await verified(http, world)
            await server.kill()
        check_database(world)


def failpoint(random: Random) -> str:
    """One of them, and when: more often early than late. Empty for a kill from outside."""
    name = random.choice([*FAILPOINTS, "", "", ""])
    return f"{name}:{round(PASSED[name.partition('.')[0]] ** random.random())}" if name else ""


async def one_life(world: World, life: int, crash_at: str, seconds: float) -> None:
    """Start, check what the life before left, work, and die."""
    async with world.server(crash_at) as server:
        if server.url is not None:
            async with server.client() as http, anyio.create_task_group() as tasks:
                tasks.start_soon(follow, http, world.ledger)
                await greeted(world, server)
                with suppress(*DIED):  # it may die of its failpoint before it works
                    await verified(http, world)
                tasks.start_soon(use, http, world.ledger, f"{world.seed}/{life}")
                with anyio.move_on_after(seconds):
                    await server.dead()
                await server.kill()
    check_database(world)


async def greeted(world: World, server: Life) -> None:
    """The follower of the stream has a cursor: without one it may miss what comes before its request is served."""
    while world.ledger.cursor is None and server.alive:  # noqa: ASYNC110 (another process)
        await anyio.sleep(0.005)


async def verified(http: httpx2.AsyncClient, world: World) -> None:
    """The server kept everything, and the follower of its events has missed none."""
    await check_server(http, world)
    if world.last_logged:
        await caught_up(world)
