"""Every failpoint is really there: see docs/decisions/0008-failpoints-outside.md."""

from contextlib import suppress
from pathlib import Path

import anyio
import httpx2
import pytest

from tests.crash.armed_server import FAILPOINTS
from tests.crash.invariants import check_database, check_server
from tests.crash.world import new_world
from tests.support.scripted_model.script import Call, turn


@pytest.mark.parametrize("name", FAILPOINTS)
async def test_a_server_dies_at_every_failpoint_and_the_next_one_is_sound(tmp_path: Path, name: str) -> None:
    async with new_world(tmp_path, name) as world:
        world.model.push(turn(Call("bash", {"command": "echo hello", "description": "x"})), "done")
        async with world.server(f"{name}:1") as server:
            if server.url is not None:
                with suppress(httpx2.TransportError):
                    async with server.client() as http:
                        await http.put("/auth/someone", json={"type": "api", "key": "k"})
                        session = (await http.post("/session", json={})).json()["id"]
                        body = {"parts": [{"type": "text", "text": "go"}]}
                        await http.post(f"/session/{session}/message", json=body)
                with anyio.fail_after(5):
                    await server.dead()
        async with world.server() as server, server.client() as http:
            await check_server(http, world)
        check_database(world)
