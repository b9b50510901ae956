"""Coming back while an answer is being written: the text so far is whole, whatever was missed of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import anyio
import httpx2
import pytest

from tests.stream.connection import Connection, Message
from tests.stream.run import make_project
from tests.support.scripted_config import scripted_config, write_config
from tests.support.scripted_model.script import Repeat, Text, Wait, turn
from tests.support.scripted_model.server import ScriptedModel, scripted_model
from tests.support.server_process import Home, server_process

PIECE = "x" * 20_000
BEYOND_MEMORY = 230
"""So many pieces are more than the server keeps of what was published."""


@dataclass
class Stage:
    """A server with one session, and the model that answers there."""

    url: str
    session_id: str
    model: ScriptedModel
    http: httpx2.AsyncClient
    paused: anyio.Event
    go_on: anyio.Event
    readers: list["Reader"]

    async def reader(self, cursor: str | None = None, path: str = "/event") -> "Reader":
        """One more that follows the answer, from here on or after a cursor."""
        self.readers.append(Reader(await Connection.open(self.url, path, cursor)))
        return self.readers[-1]

    async def ask(self) -> None:
        body = {"parts": [{"type": "text", "text": "go"}]}
        (await self.http.post(f"/session/{self.session_id}/prompt_async", json=body)).raise_for_status()


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """The model writes a little, waits to be told, writes more than memory holds, and waits again before its end."""
    project = make_project(tmp_path / "project")
    async with scripted_model() as model:
        write_config(project, scripted_config(model.url))
        paused, go_on = anyio.Event(), anyio.Event()
        async with (
            server_process(Home(tmp_path / "home"), project) as server,
            httpx2.AsyncClient(base_url=server.url, timeout=30) as http,
        ):
            session_id = (await http.post("/session", json={"title": "x"})).json()["id"]
            stage = Stage(server.url, session_id, model, http, paused, go_on, [])
            yield stage
            for reader in stage.readers:
                reader.leave()


class Reader:
    """Follows the one text of the answer."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.seen: list[Message] = []
        self.text = ""
        self.is_complete = False
        self.cursor: str | None = None

    async def until_text(self, length: int) -> None:
        with anyio.fail_after(20):
            while len(self.text) < length:
                await self._read()

    async def until_complete(self) -> None:
        with anyio.fail_after(20):
            while not self.is_complete:
                await self._read()

    async def _read(self) -> None:
        for message in await self._connection.read():
            self.seen.append(message)
            self.cursor = message.id or self.cursor
            properties = message.payload["properties"]
            if message.payload["type"] == "message.part.delta":
                self.text += properties["delta"]
            elif message.payload["type"] == "message.part.updated" and is_answer(properties["part"]):
                self.text = properties["part"]["text"]
                self.is_complete = "end" in properties["part"]["time"]

    def leave(self) -> None:
        self._connection.cut()


def is_answer(part: dict[str, object]) -> bool:
    return part["type"] == "text" and "time" in part


@pytest.mark.parametrize("path", ["/event", "/global/event"])
async def test_who_was_away_for_more_than_memory_holds_gets_the_text_so_far(stage: Stage, path: str) -> None:
    stage.model.push(
        turn(Text("begin "), Wait(stage.paused), Repeat(PIECE, BEYOND_MEMORY), Wait(stage.go_on), Text(" end"))
    )
    witness, absent = await stage.reader(None, path), await stage.reader(None, path)
    await stage.ask()
    await absent.until_text(len("begin "))
    absent.leave()
    stage.paused.set()
    so_far = len("begin ") + BEYOND_MEMORY * len(PIECE)
    await witness.until_text(so_far)

    late = await stage.reader(absent.cursor, path)
    await late.until_text(so_far)
    assert late.text == witness.text
    kinds = [message.payload["type"] for message in late.seen]
    assert "message.part.delta" not in kinds
    assert "server.resync" not in kinds

    # Its cursor is still that of the log: whoever breaks off here starts there again and gets the whole text again.
    late.leave()
    again = await stage.reader(late.cursor, path)
    await again.until_text(so_far)
    assert again.text == witness.text

    stage.go_on.set()
    for reader in (witness, again):
        await reader.until_complete()
    assert witness.text == again.text == "begin " + PIECE * BEYOND_MEMORY + " end"


async def test_who_was_away_for_a_moment_gets_exactly_the_deltas_that_were_missed(stage: Stage) -> None:
    stage.model.push(turn(Text("a b c ", 3), Wait(stage.paused), Text("d e f ", 3), Wait(stage.go_on), Text("g")))
    witness, absent = await stage.reader(), await stage.reader()
    await stage.ask()
    await absent.until_text(len("a b c "))
    absent.leave()
    stage.paused.set()
    await witness.until_text(len("a b c d e f "))

    late = await stage.reader(absent.cursor)
    late.text = absent.text
    await late.until_text(len("a b c d e f "))
    assert [m.payload["type"] for m in late.seen] == ["server.connected", *["message.part.delta"] * 3]
    stage.go_on.set()
    await late.until_complete()
    assert late.text == "a b c d e f g"
