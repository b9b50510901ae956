"""The stream as an ASGI answer: headers, first message, heartbeat, cursor, and every way it ends."""

from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from opencode.http.sse import EventStream, requested_cursor
from tests.support.event_world import DIRECTORY, Message, World, open_world, parse, shown


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path / "opencode-server.db") as opened:
        yield opened


class Client:
    """The other end of one ASGI request. ``stall`` makes its writes wait for ever."""

    def __init__(self) -> None:
        self.sent: list[MutableMapping[str, Any]] = []
        self.gone = anyio.Event()
        self.stalled = False
        self._news = anyio.Event()

    async def receive(self) -> MutableMapping[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        self.sent.append(message)
        self._news.set()
        if self.stalled:
            await anyio.sleep_forever()
        await anyio.lowlevel.checkpoint()

    @property
    def messages(self) -> list[Message]:
        return [message for body in self.sent[1:] for message in parse(body["body"])]

    async def until(self, count: int) -> list[Message]:
        """The messages, once there are so many."""
        with anyio.fail_after(5):
            while len(self.messages) < count:
                self._news = anyio.Event()
                await self._news.wait()
        return self.messages


@asynccontextmanager
async def streaming(
    world: World, directory: str | None = DIRECTORY, *, headers: dict[bytes, bytes] | None = None, query: bytes = b"",
    heartbeat_seconds: float = 10,
) -> AsyncIterator[Client]:  # fmt: skip
    """A stream whose answer has begun; on leaving it must have ended."""
    client = Client()
    scope = {"type": "http", "headers": list((headers or {}).items()), "query_string": query}
    stream = EventStream(world.bus, directory, heartbeat_seconds=heartbeat_seconds)
    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stream, scope, client.receive, client.send)
            await client.until(1)
            yield client


async def test_the_answer_begins_at_once_with_the_official_headers_and_server_connected(world: World) -> None:
    async with streaming(world) as client:
        start, body = client.sent
        client.gone.set()
    assert start == {
        "type": "http.response.start",
        "status": 200,
        "headers": [
            (b"content-type", b"text/event-stream"),
            (b"cache-control", b"no-cache, no-transform"),
            (b"x-accel-buffering", b"no"),
            (b"x-content-type-options", b"nosniff"),
        ],
    }
    (connected,) = parse(body["body"])
    assert body["more_body"]
    assert {**connected.data, "id": None} == {"id": None, "type": "server.connected", "properties": {}}
    assert connected.id == f"{world.log.epoch}.0"


async def test_the_global_stream_greets_without_a_directory(world: World) -> None:
    async with streaming(world, None) as client:
        world.tick(1)
        connected, ticked = await client.until(2)
        client.gone.set()
    assert list(connected.data) == ["payload"]
    assert list(ticked.data) == ["directory", "project", "payload"]


async def test_heartbeats_keep_coming_and_carry_the_cursor_of_the_moment(world: World) -> None:
    async with streaming(world, heartbeat_seconds=0.02) as client:
        world.publisher("/elsewhere").dispose()
        messages = await client.until(3)
        client.gone.set()
    assert shown(messages)[:3] == [("server.connected",), ("server.heartbeat",), ("server.heartbeat",)]
    assert messages[1].id == f"{world.log.epoch}.1"
    assert messages[1].data["id"] != messages[2].data["id"]


async def test_a_client_continues_after_its_last_event_id(world: World) -> None:
    world.tick(1, 2, 3)
    async with streaming(world, headers={b"last-event-id": f"{world.log.epoch}.1".encode()}) as client:
        messages = await client.until(3)
        client.gone.set()
    assert shown(messages) == [("server.connected",), ("test.ticked", 2), ("test.ticked", 3)]


@pytest.mark.parametrize(
    ("headers", "query", "expected"),
    [
        ([], b"", None),
        ([(b"last-event-id", b"")], b"", None),
        ([(b"last-event-id", b"ab.1")], b"since=ab.2", "ab.1"),
        ([], b"directory=%2Fp&since=ab.2", "ab.2"),
        ([], b"since=", None),
    ],
)
def test_the_cursor_is_taken_from_the_header_before_the_query(
    headers: list[tuple[bytes, bytes]], query: bytes, expected: str | None
) -> None:
    assert requested_cursor({"headers": headers, "query_string": query}) == expected


async def test_the_stream_ends_when_the_client_leaves_and_takes_no_more_events(world: World) -> None:
    async with streaming(world) as client:
        client.gone.set()
    world.tick(1)
    assert shown(client.messages) == [("server.connected",)]


async def test_the_stream_ends_after_the_disposal_of_its_instance(world: World) -> None:
    async with streaming(world) as client:
        world.events.dispose()
    assert shown(client.messages) == [("server.connected",), ("server.instance.disposed", DIRECTORY)]
    assert client.sent[-1] == {"type": "http.response.body", "body": b""}


async def test_the_global_stream_goes_on_after_a_disposal_and_ends_at_shutdown(world: World) -> None:
    async with streaming(world, None) as client:
        world.events.dispose()
        world.tick(1)
        await client.until(3)
        world.bus.close()
    assert shown(client.messages)[1:] == [("server.instance.disposed", DIRECTORY), ("test.ticked", 1)]
    assert client.sent[-1] == {"type": "http.response.body", "body": b""}


async def test_a_client_that_does_not_read_is_cut_off_although_its_write_hangs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opencode.http.sse.GOODBYE_SECONDS", 0.01)
    async with streaming(world) as slow, streaming(world) as quick:
        slow.stalled = True
        for number in range(40_000):
            world.tick(number)
            if number % 100 == 0:
                await anyio.lowlevel.checkpoint()
            if slow.sent[-1] == {"type": "http.response.body", "body": b""}:
                break
        assert len(await quick.until(number + 2)) == number + 2
        quick.gone.set()
    assert number < 39_999
    assert len(slow.messages) < 40_000
