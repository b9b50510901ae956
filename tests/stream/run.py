"""Servers that come and go, clients with faults, and at the end one question: do they all know the same?"""

import os
import random
import signal
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx2

from opencode.core.tasks import task_group
from tests.stream.client_state import differences, load
from tests.stream.driver import Driver
from tests.stream.faulty_client import Client, Where, get
from tests.support.scripted_config import scripted_config, write_config
from tests.support.scripted_model.server import scripted_model
from tests.support.server_process import Home, ServerProcess, server_process

SYNC_SECONDS = 60


@dataclass
class Outcome:
    """What happened."""

    events: int = 0
    connections: int = 0
    resyncs: dict[str, int] = field(default_factory=dict)
    lives: list[str] = field(default_factory=list)
    checks: int = 0


async def run(
    directory: Path, seed: int, *, events: int, actions_per_life: int, tell: Callable[[str], None] = lambda line: None
) -> Outcome:
    """Let clients follow a server through several lives, until ``events`` have been published.

    Now and then, and at the end, each client must know exactly what the server answers. Raises ``AssertionError``
    with the seed otherwise.
    """
    world = random.Random(seed)
    outcome, where = Outcome(), Where(directories=[str(make_project(directory / name)) for name in ("one", "two")])
    clients, home = make_clients(where, seed), Home(directory / "home")
    try:
        async with scripted_model() as model, task_group() as following:
            for name in where.directories:
                write_config(
                    Path(name), scripted_config(model.url, permission={"bash": world.choice(("allow", "ask"))})
                )
            driver = Driver(where, model, random.Random(f"driver {seed}"))
            while outcome.events < events or len(outcome.lives) < 2:
                end = world.choice(("SIGKILL", "SIGTERM"))
                async with one_life(home, where, end):
                    if not outcome.lives:
                        for client in clients:
                            following.start_soon(client.run, name=client.name)
                    await driver.drive(actions_per_life)
                    if world.random() < 0.5:
                        await compare(driver, clients, outcome)
                    await driver.drive(actions_per_life // 4)
                outcome.lives.append(end)
                outcome.events = clients[0].events
                tell(f"seed {seed}: {outcome.events} events, {len(outcome.lives)} lives, last ended by {end}")
            async with one_life(home, where, "SIGTERM"):
                await compare(driver, clients, outcome)
                following.cancel_scope.cancel()
    except BaseException as error:
        error.add_note(f"seed {seed}, after lives {outcome.lives}")
        raise
    outcome.connections = sum(client.connections for client in clients)
    outcome.resyncs = dict(Counter(reason for client in clients for reason in client.resyncs))
    return outcome


async def compare(driver: Driver, clients: list[Client], outcome: Outcome) -> None:
    """Once the server is at rest and nothing disturbs the clients any more, they know what it knows."""
    driver.where.calm = True
    await driver.settle()
    await check(clients, driver.where)
    outcome.checks += 1
    driver.where.calm = False


def make_clients(where: Where, seed: int) -> list[Client]:
    """The first is without faults and sees everything; the others have them."""
    targets = [None, None, *where.directories, *where.directories]
    return [
        Client(f"client {number} of {target or 'all'}", where, target, f"{seed} {number}", faulty=number > 0)
        for number, target in enumerate(targets)
    ]


@asynccontextmanager
async def one_life(home: Home, where: Where, end: str) -> AsyncIterator[ServerProcess]:
    """A server that ends as it is said."""
    async with server_process(home, Path(where.directories[0])) as server:
        where.url = server.url
        yield server
        if end == "SIGKILL":
            await server.kill()
        else:
            os.kill(server.pid, signal.SIGTERM)
            assert await server.stop() == 0


async def check(clients: list[Client], where: Where) -> None:
    """Every client, once it has seen everything, knows what the server answers. The server must be at rest."""
    async with httpx2.AsyncClient(base_url=where.url, timeout=SYNC_SECONDS) as http:
        marks = []
        for directory in where.directories:
            created = await http.post("/session", params={"directory": directory}, json={"title": "mark"})
            marks.append((directory, created.json()["id"]))
        for client in clients:
            expected = {id for directory, id in marks if client.follows(directory)}
            with anyio.move_on_after(SYNC_SECONDS) as waiting:
                await client.until(lambda state, expected=expected: expected <= state.sessions.keys())
            assert not waiting.cancelled_caught, f"{client.name} does not hear any more"
        for client in clients:
            mine = [directory for directory in where.directories if client.follows(directory)]
            server = await load(lambda path: get(http, path), mine)
            found = differences(client.state.shown(), server.shown())
            assert not found, f"{client.name}:\n" + "\n".join(found[:20])


def make_project(path: Path, *, exist_ok: bool = False) -> Path:
    """An empty repository."""
    path.mkdir(parents=True, exist_ok=exist_ok)
    subprocess.run(["git", "init", "-q"], cwd=path, check=True)
    return path


def report(outcome: Outcome) -> dict[str, Any]:
    """The outcome, for people."""
    ended = {kind: outcome.lives.count(kind) for kind in sorted(set(outcome.lives))}
    return {"events": outcome.events, "connections": outcome.connections, "resyncs": outcome.resyncs, "servers": ended,
            "comparisons": outcome.checks}  # fmt: skip
