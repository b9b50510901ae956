"""A disk that fills up or fails while the server works on it. See docs/reliability.md."""

import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from tests.crash.world import Life, World, new_world
from tests.support.scripted_model.script import Call, Text, Wait, turn
from tests.support.server_process import run_opencode

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or shutil.which("cc") is None, reason="needs Linux and a C compiler"
)
SOURCE = Path(__file__).with_name("broken_disk.c")


class Disk:
    """What is below ``root``, as the server sees it."""

    def __init__(self, library: Path, control: Path, root: Path) -> None:
        self._control = control
        self.variables = {"LD_PRELOAD": str(library), "BROKEN_DISK": str(control), "BROKEN_DISK_ROOT": str(root)}

    def breaks(self, how: str) -> None:
        """``full``, ``write``, ``sync`` or ``read``: see broken_disk.c."""
        self._control.write_text(how)

    def works_again(self) -> None:
        self._control.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("disk") / "broken_disk.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", made, SOURCE, "-ldl"], check=True)
    return made


@pytest.fixture
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with new_world(tmp_path / "user", request.node.name) as world:
        yield world


@pytest.fixture
def disk(world: World, library: Path, tmp_path: Path) -> Disk:
    """The disk of the user's home; the project is on another one."""
    disk = Disk(library, tmp_path / "control", world.home.root)
    world.home.variables.update(disk.variables)
    return disk


@pytest.fixture
async def server(world: World, disk: Disk) -> AsyncIterator[Life]:
    async with world.server() as life:
        yield life


@pytest.fixture
async def http(server: Life) -> AsyncIterator[httpx2.AsyncClient]:
    async with server.client() as http:
        yield http


async def new_session(http: httpx2.AsyncClient, **fields: Any) -> httpx2.Response:
    return await http.post("/session", json={"title": "x", **fields})


async def say(http: httpx2.AsyncClient, session: str, text: str, message: str) -> httpx2.Response:
    body = {"messageID": message, "parts": [{"type": "text", "text": text}]}
    return await http.post(f"/session/{session}/message", json=body)


@pytest.mark.parametrize(
    ("how", "name", "words"),
    [("full", "StorageFullError", "The disk is full"), ("write", "StorageIOError", "failed (disk I/O error)")],
)
async def test_a_server_whose_disk_breaks_answers_what_it_knows_refuses_the_rest_and_recovers(
    http: httpx2.AsyncClient, disk: Disk, how: str, name: str, words: str
) -> None:
    session = (await new_session(http)).json()["id"]
    disk.breaks(how)
    refused = await new_session(http, metadata={"bulk": "x" * 100_000})
    assert (refused.status_code, refused.json()["name"]) == (503, name)
    assert words in refused.json()["message"]
    assert (await say(http, session, "prompt-1", "msg_1")).status_code == 503
    assert [found["id"] for found in (await http.get("/session")).json()] == [session]
    assert (await http.get(f"/session/{session}/message")).json() == []
    assert (await http.get("/session/status")).json() == {}
    disk.works_again()
    assert (await new_session(http)).status_code == 200
    assert (await say(http, session, "prompt-1", "msg_1")).status_code == 200


async def test_a_turn_that_the_disk_stops_is_completed_when_there_is_space_again(
    http: httpx2.AsyncClient, disk: Disk, world: World
) -> None:
    reached, go_on = anyio.Event(), anyio.Event()
    world.model.push_for(lambda request: not request.is_title, turn(Text("half "), Wait(go_on, reached), Text("whole")))
    session = (await new_session(http)).json()["id"]
    await http.post(f"/session/{session}/prompt_async", json={"parts": [{"type": "text", "text": "prompt-1"}]})
    with anyio.fail_after(20):
        await reached.wait()
        disk.breaks("write")
        go_on.set()
        await until(http, "/session/status", lambda statuses: statuses == {})
        unfinished = (await http.get(f"/session/{session}/message")).json()[-1]
        assert "completed" not in unfinished["info"]["time"]
        disk.works_again()
        path = f"/session/{session}/message/{unfinished['info']['id']}"
        ended = await until(http, path, lambda message: "completed" in message["info"]["time"])
    assert ended["info"]["error"]["data"]["message"] == "The end of this could not be stored when it came"
    assert all(part["time"]["end"] for part in ended["parts"] if part["type"] == "text")


async def test_a_prompt_that_follows_at_once_completes_what_the_disk_refused(
    http: httpx2.AsyncClient, disk: Disk, world: World
) -> None:
    reached, go_on = anyio.Event(), anyio.Event()
    world.model.push_for(lambda request: not request.is_title, turn(Text("half "), Wait(go_on, reached), Text("whole")))
    session = (await new_session(http)).json()["id"]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(say, http, session, "prompt-1", "msg_1")
        await reached.wait()
        disk.breaks("write")
        go_on.set()
    disk.works_again()
    assert (await say(http, session, "prompt-2", "msg_2")).json()["info"]["finish"]
    messages = (await http.get(f"/session/{session}/message")).json()
    assert all("completed" in found["info"]["time"] for found in messages if found["info"]["role"] == "assistant")


async def test_settings_and_credentials_that_do_not_fit_are_refused_and_stay_as_they_were(
    http: httpx2.AsyncClient, disk: Disk, world: World
) -> None:
    await http.patch("/global/config", json={"username": "before"})
    await http.put("/auth/someone", json={"type": "api", "key": "before"})
    disk.breaks("full")
    for answer in (
        await http.patch("/global/config", json={"username": "after"}),
        await http.put("/auth/someone", json={"type": "api", "key": "after"}),
    ):
        assert (answer.status_code, answer.json()["name"]) == (503, "FileNotStoredError")
        assert "No space left on device. It was left as it was." in answer.json()["message"]
    assert (await http.get("/global/config")).json()["username"] == "before"
    assert json.loads((world.home.data / "auth.json").read_text())["someone"]["key"] == "before"
    assert not list(world.home.root.rglob("*.tmp"))


async def test_a_tool_that_cannot_write_says_so_to_the_model_and_leaves_the_file_whole(
    world: World, library: Path, tmp_path: Path
) -> None:
    disk = Disk(library, tmp_path / "control", world.project)
    world.home.variables.update(disk.variables)
    call = Call("write", {"filePath": "new.txt", "content": "text"})
    world.model.push_for(lambda request: not request.is_title, turn(call), turn("I see."))
    async with world.server() as server, server.client() as http:
        session = (await new_session(http)).json()["id"]
        disk.breaks("full")
        assert (await say(http, session, "prompt-1", "msg_1")).json()["info"]["finish"] == "stop"
        messages = (await http.get(f"/session/{session}/message")).json()
    (state,) = [part["state"] for found in messages for part in found["parts"] if part["type"] == "tool"]
    assert state["status"] == "error"
    assert "No space left on device" in state["error"]
    assert sorted(path.name for path in world.project.iterdir()) == [".git", "app.py", "opencode.json"]


async def test_a_disk_that_cannot_sync_stops_nobody(http: httpx2.AsyncClient, disk: Disk, world: World) -> None:
    disk.breaks("sync")
    made = [(await new_session(http)).json()["id"] for _ in range(3)]
    await until_logged(world, "checkpoint failed")
    made.append((await new_session(http)).json()["id"])
    disk.works_again()
    made.append((await new_session(http)).json()["id"])
    assert [found["id"] for found in (await http.get("/session")).json()] == made[::-1]


async def test_a_disk_that_cannot_be_read_is_a_clear_answer(http: httpx2.AsyncClient, disk: Disk) -> None:
    session = (await new_session(http)).json()["id"]
    for _ in range(20):
        await new_session(http, metadata={"bulk": "x" * 400_000})
    disk.breaks("read")
    answers = [await http.get(path) for path in ("/session?limit=100", f"/session/{session}", "/global/health")]
    assert answers[0].status_code == 503
    assert answers[0].json()["name"] == "DatabaseCorruptError"  # what SQLite makes of a disk that cannot be read
    assert answers[2].status_code == 200
    disk.works_again()
    assert len((await http.get("/session?limit=100")).json()) == 21


@pytest.mark.parametrize("how", ["full", "write"])
async def test_a_server_does_not_start_on_a_broken_disk_and_says_why(world: World, disk: Disk, how: str) -> None:
    disk.breaks(how)
    ended = await run_opencode(world.home, world.project, "serve", "--port", "0")
    assert ended.returncode == 1
    assert b"disk" in ended.stderr
    assert b"Traceback" not in ended.stderr
    disk.works_again()
    async with world.server() as server:
        assert server.url is not None


async def until(http: httpx2.AsyncClient, path: str, holds: Callable[[Any], bool]) -> Any:
    """What the server answers once that holds."""
    while not holds(answer := (await http.get(path)).json()):  # noqa: ASYNC110 (another process)
        await anyio.sleep(0.02)
    return answer


async def until_logged(world: World, words: str) -> None:
    with anyio.fail_after(10):
        while not any(words in log.read_text() for log in (world.home.data / "log").iterdir()):  # noqa: ASYNC110
            await anyio.sleep(0.02)
