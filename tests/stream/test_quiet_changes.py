"""Changes that nobody asked for in so many words are told like all others."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx2

from tests.stream.client_state import differences, load
from tests.stream.faulty_client import Client, Where, get
from tests.stream.run import make_project
from tests.support.server_process import Home, server_process


@asynccontextmanager
async def followed(where: Where) -> AsyncIterator[Client]:
    """A client without faults that follows everything."""
    client = Client("client", where, None, "1", faulty=False)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client.run)
        yield client
        tasks.cancel_scope.cancel()


async def check(client: Client, http: httpx2.AsyncClient, where: Where) -> None:
    """Once a further change is seen, the client knows what the server answers."""
    mark = (await http.post("/session", json={"title": "mark"})).json()["id"]
    with anyio.fail_after(10):
        await client.until(lambda state: mark in state.sessions)
    server = await load(lambda path: get(http, path), where.directories)
    assert differences(client.state.shown(), server.shown()) == []


async def test_sessions_that_come_to_a_project_with_their_directory_are_told(tmp_path: Path) -> None:
    """They were made before it was a repository."""
    plain = tmp_path / "plain"
    plain.mkdir()
    where = Where(directories=[str(plain)])
    async with server_process(Home(tmp_path / "home"), plain) as server:
        where.url = server.url
        async with httpx2.AsyncClient(base_url=server.url, timeout=30) as http, followed(where) as client:
            session = (await http.post("/session", json={"title": "early"})).json()
            assert session["projectID"] == "global"
            make_project(plain, exist_ok=True)
            await commit(plain)
            (await http.post("/instance/dispose")).raise_for_status()
            moved = (await http.get(f"/session/{session['id']}")).json()
            assert moved["projectID"] != "global"
            await check(client, http, where)


async def commit(directory: Path) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@localhost")
    await anyio.run_process(["git", *identity, "commit", "--allow-empty", "-qm", "start"], cwd=directory)
