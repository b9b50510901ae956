"""Commands of a server that was killed: the next one ends them before it answers, and nobody else's."""

import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio
import httpx2
import psutil
import pytest

from tests.crash.world import World, new_world
from tests.support.scripted_model.script import Call, turn

COMMAND = "setsid sleep 300 & echo $! > far; sleep 300 & echo $! > near; wait"
"""One process in a session of its own, one in the group of its shell, which waits for both."""


@pytest.fixture
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with new_world(tmp_path, request.node.name) as world:
        yield world


@asynccontextmanager
async def running_command(http: httpx2.AsyncClient, world: World) -> AsyncIterator[list[psutil.Process]]:
    """The processes of the command, once the model has run it; none outlives the block."""
    world.model.push(turn(Call("bash", {"command": COMMAND, "description": "sleep"})))
    session = (await http.post("/session", json={"title": "x"})).json()["id"]
    await http.post(f"/session/{session}/prompt_async", json={"parts": [{"type": "text", "text": "go"}]})
    started = []
    for name in ("far", "near"):
        with anyio.fail_after(20):
            while not (path := world.project / name).exists() or not path.read_text():  # noqa: ASYNC110
                await anyio.sleep(0.01)
        started.append(psutil.Process(int(path.read_text())))
    started += started[1].parents()[:1]
    try:
        yield started
    finally:
        for process in living(started):
            process.kill()


def living(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


async def test_the_next_server_ends_the_commands_of_a_killed_one(world: World) -> None:
    async with AsyncExitStack() as stack:
        async with world.server() as first, first.client() as http:
            commands = await stack.enter_async_context(running_command(http, world))
            await first.kill()
            assert living(commands) == commands
        async with world.server():
            assert living(commands) == []


@pytest.fixture
def bystander() -> Iterator["subprocess.Popen[bytes]"]:
    """A program of this user that has nothing to do with any server."""
    process = subprocess.Popen(["sleep", "300"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


async def test_commands_of_living_servers_and_other_programs_go_on(
    world: World, tmp_path: Path, bystander: "subprocess.Popen[bytes]"
) -> None:
    async with (
        new_world(tmp_path / "other", "other") as other,
        other.server() as neighbour,
        neighbour.client() as their_http,
        running_command(their_http, other) as theirs,
    ):
        async with world.server() as first:
            await first.kill()
        async with world.server():
            assert living(theirs) == theirs
            assert bystander.poll() is None
