"""Requests on a connection: answered at once, or in a task of their own; and heads and bodies on their way out."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from anyio.abc import SocketStream

from opencode.http.answer import Raw, Receive, Scope, Send, Stream
from opencode.http.app import Application
from opencode.http.connection import _HeadJoiner
from opencode.http.operation import operation
from opencode.http.server import serving
from opencode.http.table import OperationTable

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"
LARGE = 32_000_000


class TasksSeen(list[str | None]):
    """In which task each handler ran; ``None`` outside of any. ``left``: the client of a stream has gone."""

    def __init__(self) -> None:
        super().__init__()
        self.left = anyio.Event()

    def note(self) -> None:
        task = asyncio.current_task()
        self.append(task.get_name() if task else None)


@operation("quick.get", "GET", "/quick")
def quick(shared: TasksSeen) -> Raw[str]:
    """Waits for nothing."""
    shared.note()
    return Raw(b'"quick"', ((b"x-note", b"1"),))


@operation("slow.get", "GET", "/slow")
async def slow(shared: TasksSeen) -> str:
    """Waits."""
    shared.note()
    await anyio.lowlevel.checkpoint()
    return "slow"


@operation("quick.large", "GET", "/large")
def large() -> Raw[str]:
    """More than a socket takes."""
    return Raw(b'"' + b"x" * LARGE + b'"')


async def _beat(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
    await send({"type": "http.response.body", "body": b""})


@operation("quick.stream", "GET", "/stream")
def stream() -> Stream[str]:
    """A stream."""
    return Stream(_beat)


@operation("quick.listening", "GET", "/listening")
def listen(shared: TasksSeen) -> Stream[str]:
    """A stream that ends when its client leaves."""

    async def until_left(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        shared.left.set()

    return Stream(until_left)


@pytest.fixture
def seen() -> TasksSeen:
    return TasksSeen()


@pytest.fixture
async def client(seen: TasksSeen, registry: Any) -> AsyncIterator[SocketStream]:
    table = OperationTable([quick, slow, large, stream, listen])
    application = Application(table, registry, working_directory="/", shared=seen)
    with anyio.fail_after(60):
        async with serving(application) as server, await anyio.connect_tcp(server.host, server.port) as connection:
            yield connection


def get(path: str, *headers: str, version: str = "1.1", method: str = "GET") -> bytes:
    lines = (f"{method} {path} HTTP/{version}", "host: localhost", *headers, "", "")
    return "\r\n".join(lines).encode()


async def answers(client: SocketStream, request: bytes, end: bytes) -> bytes:
    """Everything that comes back up to and with ``end``."""
    await client.send(request)
    data = b""
    while not data.endswith(end):
        data += await client.receive()
    return data


QUICK = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-note: 1\r\nvary: Origin\r\ncontent-length: 7\r\n\r\n"
    b'"quick"'
)
SLOW = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nvary: Origin\r\ncontent-length: 6\r\n\r\n"slow"'


async def test_a_read_that_waits_for_nothing_is_answered_without_a_task(client: SocketStream, seen: TasksSeen) -> None:
    assert await answers(client, get("/quick"), b'"quick"') == QUICK
    assert await answers(client, get("/quick", "content-length: 0"), b'"quick"') == QUICK
    assert seen == [None, None]


@pytest.mark.parametrize(
    "headers",
    [["content-length: 2", "", "{}"], ["transfer-encoding: chunked", "", "0", "", ""], ["connection: close", "", ""]],
)
async def test_reads_with_a_body_or_for_the_last_time_are_answered_in_a_task(
    client: SocketStream, seen: TasksSeen, headers: list[str]
) -> None:
    request = "\r\n".join(["GET /quick HTTP/1.1", "host: localhost", *headers]).encode()
    assert (await answers(client, request, b'"quick"')).startswith(b"HTTP/1.1 200 OK\r\n")
    assert None not in seen


async def test_requests_sent_in_one_go_are_answered_in_order_and_one_at_a_time(
    client: SocketStream, seen: TasksSeen
) -> None:
    requests = get("/quick") + get("/slow") + get("/quick") + get("/quick")
    assert await answers(client, requests, QUICK + QUICK) == QUICK + SLOW + QUICK + QUICK
    assert [task is None for task in seen] == [True, False, False, False]


async def test_a_read_that_comes_while_another_is_waited_for_is_answered_after_it(client: SocketStream) -> None:
    await client.send(get("/slow"))
    assert await answers(client, get("/quick"), b'"quick"') == SLOW + QUICK


async def test_errors_need_no_task_either(client: SocketStream) -> None:
    data = await answers(client, get("/nothing"), b"}")
    assert data.startswith(b"HTTP/1.1 404 Not Found\r\n")


async def test_head_is_answered_like_get_without_the_body(client: SocketStream) -> None:
    data = await answers(client, get("/quick", method="HEAD"), b"\r\n\r\n")
    assert b"content-length: 7\r\n" in data
    assert await answers(client, get("/quick"), b'"quick"') == QUICK


async def test_streams_begin_at_once_and_go_on_in_a_task(client: SocketStream) -> None:
    data = await answers(client, get("/stream"), b"0\r\n\r\n")
    assert data.startswith(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nvary: Origin\r\n")
    assert b"data: 1\n\n" in data


async def test_clients_that_offer_another_protocol_are_answered_in_this_one(
    client: SocketStream, caplog: pytest.LogCaptureFixture
) -> None:
    """As some do with every request; nothing is said about it in the log."""
    offer = ("upgrade: h2c", "connection: upgrade")
    assert (await answers(client, get("/quick", *offer), b'"quick"')).endswith(QUICK[-7:])
    assert await answers(client, get("/quick"), b'"quick"') == QUICK
    assert [record for record in caplog.records if record.levelname == "WARNING"] == []


async def test_a_stream_whose_client_leaves_ends_though_another_request_waits_behind_it(
    client: SocketStream, seen: TasksSeen
) -> None:
    await answers(client, get("/listening") + get("/quick"), b"data: 1\n\n\r\n")
    await client.aclose()
    await seen.left.wait()


async def test_an_old_client_is_answered_and_let_go(client: SocketStream) -> None:
    assert b"connection: close\r\n" in await answers(client, get("/quick", version="1.0"), b'"quick"')
    with pytest.raises(anyio.EndOfStream):
        await client.receive()


async def test_a_client_that_does_not_read_is_waited_for(client: SocketStream, seen: TasksSeen) -> None:
    """Its answers would pile up here."""
    await client.send(get("/large"))
    await client.send(get("/quick"))
    data = bytearray()
    while not data.endswith(b'"quick"'):
        data += await client.receive()
    assert data.endswith(b'x"' + QUICK)
    assert None not in seen


class Wire:
    """Where a transport leads: remembers each system call."""

    def __init__(self) -> None:
        self.calls: list[list[bytes] | str] = []

    def write(self, data: bytes) -> None:
        self.calls.append([data])

    def writelines(self, data: Iterable[bytes]) -> None:
        self.calls.append(list(data))

    def close(self) -> None:
        self.calls.append("close")

    def get_extra_info(self, name: str) -> str:
        return f"the {name}"


def joiner(wire: Any) -> _HeadJoiner:
    return _HeadJoiner(wire, asyncio.get_running_loop())


async def test_a_head_goes_out_together_with_its_body() -> None:
    wire = Wire()
    transport = joiner(wire)
    transport.write(HEAD)
    transport.write(b"body")
    transport.write(b"more")
    assert wire.calls == [[HEAD, b"body"], [b"more"]]


async def test_a_head_without_a_body_goes_out_in_the_next_turn_of_the_loop() -> None:
    wire = Wire()
    joiner(wire).write(HEAD)
    assert wire.calls == []
    await anyio.lowlevel.checkpoint()
    assert wire.calls == [[HEAD]]


async def test_a_head_without_a_body_goes_out_before_the_next_answer() -> None:
    wire = Wire()
    transport = joiner(wire)
    transport.write(HEAD)
    transport.writelines((HEAD, b"body"))
    assert wire.calls == [[HEAD], [HEAD, b"body"]]


async def test_closing_sends_what_is_held_back_first() -> None:
    wire = Wire()
    transport = joiner(wire)
    transport.write(HEAD)
    transport.close()
    await anyio.lowlevel.checkpoint()
    assert wire.calls == [[HEAD], "close"]


async def test_everything_else_is_the_transport_s() -> None:
    assert joiner(Wire()).get_extra_info("peername") == "the peername"
