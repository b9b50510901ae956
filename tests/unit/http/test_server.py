"""The server on a real socket: ports, streams that end, refusals to start."""

import io
import socket
import time

import anyio
import httpx2 as httpx
import pytest

from opencode.http.answer import Receive, Scope, Send, Stream
from opencode.http.app import Application
from opencode.http.listening import Exposed, PortUnavailable, announce, bind, check_exposure, url_of
from opencode.http.operation import operation
from opencode.http.server import serving
from opencode.http.table import OperationTable


async def _forever(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
    await anyio.sleep_forever()


@operation("stream.endless", "GET", "/endless")
async def endless() -> Stream[str]:
    """A stream without end."""
    return Stream(_forever)


@operation("hello.get", "GET", "/hello")
async def hello() -> str:
    """A greeting."""
    return "hello"


@pytest.fixture
def application(registry: object) -> Application:
    return Application(OperationTable([endless, hello]), registry, working_directory="/")  # type: ignore[arg-type]


@pytest.fixture
def port() -> int:
    """A free one that no other test takes: not 4096, which port 0 means first."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


async def test_a_server_answers_and_frees_its_port(application: Application, port: int) -> None:
    with anyio.fail_after(10):
        async with serving(application, "127.0.0.1", port) as server, httpx.AsyncClient() as client:
            assert (await client.get(f"{server.url}/hello")).json() == "hello"
        bind("127.0.0.1", port).close()


async def test_a_server_frees_its_port_when_its_block_fails(application: Application, port: int) -> None:
    with anyio.fail_after(10):
        with pytest.raises(ValueError, match="broken"):
            async with serving(application, "127.0.0.1", port):
                raise ValueError("broken")
        bind("127.0.0.1", port).close()


async def test_stopping_ends_200_open_streams_cleanly_within_a_second(application: Application) -> None:
    ended: list[bytes] = []

    async def read(address: tuple[str, int], opened: anyio.Semaphore) -> None:
        async with await anyio.connect_tcp(*address) as stream:
            await stream.send(b"GET /endless HTTP/1.1\r\nhost: localhost\r\n\r\n")
            data = await stream.receive()
            while b"data: 1" not in data:
                data += await stream.receive()
            opened.release()
            try:
                while True:
                    data += await stream.receive()
            except anyio.EndOfStream:
                ended.append(data[-5:])

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            opened = anyio.Semaphore(0)
            async with serving(application) as server:
                for _ in range(200):
                    tasks.start_soon(read, (server.host, server.port), opened)
                for _ in range(200):
                    await opened.acquire()
                started = time.monotonic()
            took_seconds = time.monotonic() - started
    assert ended == [b"0\r\n\r\n"] * 200
    assert took_seconds < 1


async def test_a_stream_asked_for_while_the_server_stops_is_refused(application: Application) -> None:
    with anyio.fail_after(10):
        async with serving(application) as server, httpx.AsyncClient() as client:
            application.end_streams()
            response = await client.get(f"{server.url}/endless")
    assert (response.status_code, response.json()["data"]["message"]) == (503, "The server is stopping")


def test_port_0_means_4096_or_any_free_one() -> None:
    with bind("127.0.0.1", 0) as first, bind("127.0.0.1", 0) as second:
        ports = [first.getsockname()[1], second.getsockname()[1]]
        assert ports[0] != ports[1]


def test_a_port_that_was_asked_for_is_tried_once_and_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortUnavailable, match=f"port {port}"):
            bind("127.0.0.1", port)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_loopback_needs_no_credentials(host: str) -> None:
    check_exposure(host, has_credentials=False, allowed=False)


def test_other_machines_are_served_with_credentials_or_by_express_wish_only() -> None:
    check_exposure("0.0.0.0", has_credentials=True, allowed=False)
    check_exposure("0.0.0.0", has_credentials=False, allowed=True)
    with pytest.raises(Exposed):
        check_exposure("0.0.0.0", has_credentials=False, allowed=False)


def test_the_line_that_clients_wait_for_is_exact() -> None:
    out = io.StringIO()
    announce("http://127.0.0.1:4096", out, has_credentials=False)
    warning, line, rest = out.getvalue().split("\n")
    assert warning.startswith("Warning: OPENCODE_SERVER_PASSWORD is not set; ")
    assert (line, rest) == ("opencode server listening on http://127.0.0.1:4096", "")
    out = io.StringIO()
    announce(url_of("::1", 1), out, has_credentials=True)
    assert out.getvalue() == "opencode server listening on http://[::1]:1\n"
