"""A server that is killed just before a file gets its name leaves no litter once the next one has started."""

from pathlib import Path

import anyio
import httpx2
import pytest

from tests.crash.world import new_world
from tests.support.scripted_model.script import Call, turn


async def test_the_half_of_a_file_is_gone_after_the_next_start(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    async with new_world(tmp_path, request.node.name) as world:
        path = world.project / "notes" / "a.txt"
        world.model.push(turn(Call("write", {"filePath": str(path), "content": "hello"})))
        async with world.server() as server, server.client() as http:
            session = (await http.post("/session", json={"title": "x"})).json()["id"]
            await server.stop()
        async with world.server("file.before:1") as server, server.client() as http:
            with pytest.raises(httpx2.TransportError):
                await http.post(f"/session/{session}/message", json={"parts": [{"type": "text", "text": "go"}]})
            with anyio.fail_after(20):
                await server.dead()
        assert len(list(path.parent.iterdir())) == 1
        async with world.server():
            assert list(path.parent.iterdir()) == []
