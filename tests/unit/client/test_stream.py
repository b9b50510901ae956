"""The event stream against a server that is made of scripted connections."""

import json
from collections.abc import AsyncIterator, Callable

import anyio
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.client import stream as stream_module
from opencode.client.client import OpenCodeClient
from opencode.client.errors import RequestFailed, ServerUnreachable, StreamLost
from opencode.client.schema import OtherEvent, ServerConnected
from opencode.event.schema import Event
from opencode.session.schema import MessagePartDelta

CUT = "cut"
END = OtherEvent(kind="server.instance.disposed", properties={})
Connection = list[bytes | str]
UNAVAILABLE = httpx2.Response(503, json={"name": "ServerStopping", "data": {"message": "The server is stopping"}})
UNAUTHORIZED = httpx2.Response(401, json={"name": "UnauthorizedError", "data": {"message": "Authentication required"}})


def frame(kind: str, cursor: str | None = None, **properties: object) -> bytes:
    head = f"id: {cursor}\n" if cursor else ""
    return f"{head}data: {json.dumps({'type': kind, 'properties': properties})}\n\n".encode()


class Body(httpx2.AsyncByteStream):
    """Sends the chunks; ``CUT`` breaks the connection."""

    def __init__(self, chunks: Connection) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            if isinstance(chunk, str):
                raise httpx2.ReadError("connection reset")
            yield chunk


class Server:
    """Answers each connection with the next script, the last one to its end; afterwards nothing listens."""

    def __init__(self, *connections: Connection) -> None:
        self._connections = list(connections)
        if connections and CUT not in connections[-1]:
            connections[-1].append(frame("server.instance.disposed"))
        self.cursors: list[str | None] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if not self._connections:
            raise httpx2.ConnectError("refused")
        self.cursors.append(request.headers.get("last-event-id"))
        body = Body(self._connections.pop(0))
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=body)


def client(answer: Callable[[httpx2.Request], httpx2.Response]) -> OpenCodeClient:
    return OpenCodeClient("http://server", directory="/a b", transport=httpx2.MockTransport(answer))


async def events_of(server: Server, since: str | None = None) -> list[Event]:
    with anyio.fail_after(5):
        async with client(server) as opened, opened.events(since) as stream:
            return [event async for event in stream if event != END]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "_FIRST_PAUSE_SECONDS", 0.0)


async def test_events_come_typed_and_unknown_ones_as_they_are() -> None:
    delta = {"sessionID": "ses_1", "messageID": "msg_1", "partID": "prt_1", "field": "text", "delta": "hé"}
    server = Server([frame("server.connected"), frame("message.part.delta", **delta), frame("new.kind", x=1)])
    assert await events_of(server) == [
        ServerConnected(),
        MessagePartDelta(session_id="ses_1", message_id="msg_1", part_id="prt_1", field="text", delta="hé"),
        OtherEvent(kind="new.kind", properties={"x": 1}),
    ]


async def test_a_broken_stream_is_resumed_after_the_last_event_seen() -> None:
    server = Server([frame("a", "e.1"), frame("b", "e.2"), CUT], [frame("c", "e.3")])
    events = await events_of(server)
    assert [event.kind for event in events if isinstance(event, OtherEvent)] == ["a", "b", "c"]
    assert server.cursors == [None, "e.2"]


async def test_a_stream_that_the_server_ends_is_resumed_too() -> None:
    server = Server([frame("a", "e.1")], [frame("b", "e.2")])
    assert len(await events_of(server)) == 2
    assert server.cursors == [None, "e.1"]


async def test_a_stream_can_begin_at_an_old_cursor() -> None:
    server = Server([frame("a", "e.8")])
    await events_of(server, since="e.7")
    assert server.cursors == ["e.7"]


async def test_half_an_event_at_a_break_is_not_an_event() -> None:
    server = Server([frame("a", "e.1"), frame("b", "e.2")[:-1], CUT], [frame("b", "e.2")])
    assert len(await events_of(server)) == 2
    assert server.cursors == [None, "e.1"]


async def test_a_stream_that_cannot_be_resumed_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "RESUME_ATTEMPTS", 2)
    with pytest.raises(StreamLost, match=r"2 attempts.*refused"):
        await events_of(Server([frame("a"), CUT]))


async def test_a_server_that_is_not_there_is_told_at_once() -> None:
    with pytest.raises(ServerUnreachable, match="Cannot reach the server at http://server"):
        await events_of(Server())


async def test_a_refused_stream_says_why() -> None:
    with pytest.raises(RequestFailed, match="Authentication required"):
        async with client(lambda request: UNAUTHORIZED) as opened, opened.events():
            pass


@pytest.mark.parametrize(
    ("meanwhile", "outcome"),
    [([UNAVAILABLE] * 2, ["a", "b"]), ([UNAVAILABLE] * 9, StreamLost), ([UNAUTHORIZED], RequestFailed)],
    ids=["a restart", "too long a restart", "a refusal"],
)
async def test_a_stream_is_resumed_once_the_server_is_back(
    meanwhile: list[httpx2.Response], outcome: list[str] | type[Exception]
) -> None:
    before, after = Server([frame("a", "e.1"), CUT]), Server([frame("b", "e.2")])
    answers = iter([before, *(lambda _, answer=answer: answer for answer in meanwhile), after])
    async with client(lambda request: next(answers)(request)) as opened, opened.events() as stream:
        if isinstance(outcome, list):
            assert [event.kind async for event in stream if event != END] == outcome  # type: ignore[attr-defined]
        else:
            with pytest.raises(outcome):
                [event async for event in stream]


@given(
    texts=st.lists(st.text(max_size=20), max_size=8),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=8),
    crlf=st.booleans(),
)
def test_events_are_the_same_however_the_bytes_are_cut(texts: list[str], sizes: list[int], crlf: bool) -> None:
    sent = b": comment\n\n".join(frame("x", f"e.{n}", text=text) for n, text in enumerate(texts))
    data = sent.replace(b"\n", b"\r\n") if crlf else sent
    chunks: Connection = []
    while data:
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(data[:size])
        data = data[size:]
    expected = [OtherEvent(kind="x", properties={"text": text}) for text in texts]
    assert anyio.run(events_of, Server(chunks)) == expected
