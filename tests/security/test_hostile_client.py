"""Whatever is sent to the port: it is refused with words, and costs little."""

import logging
import os
import socket

import anyio
import pytest

from opencode.core.log import LineFormatter
from opencode.http.server import serving
from tests.security.conftest import World


@pytest.mark.parametrize(
    "body", [b"[" * 200_000, b'{"a":' * 200_000, b'{"title": "\xff"}', b'{"title": "\\ud800"}', b"\0"]
)
async def test_bodies_that_are_no_json_are_bad_requests(world: World, body: bytes) -> None:
    async with world.open() as server:
        answer = await server.client.post("/session", content=body)
    assert answer.status_code == 400


@pytest.mark.parametrize("directory", ["%00", "a%00b", "x" * 20_000])
async def test_directories_that_no_path_can_name_are_bad_requests(world: World, directory: str) -> None:
    async with world.open() as server:
        answer = await server.client.get(f"/path?directory={directory}")
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "session", ["ses_../../etc", "ses_%00", "ses_'%20or%201=1--", "ses_%F0%9F%92%A9", "..%2Fx", "ses_" + "x" * 9000]
)
async def test_odd_ids_are_unknown_or_bad(world: World, session: str) -> None:
    async with world.open() as server:
        answer = await server.client.get(f"/session/{session}")
    assert answer.status_code in (400, 404)
    assert "err_" not in answer.text


@pytest.mark.parametrize("path", ["%00", "a%00b", "loop", "x" * 300, "x/" * 3000, "..", "/etc/passwd", "fifo"])
@pytest.mark.parametrize("operation", ["/file", "/file/content", "/find/file?query=x&", "/find?pattern=%00&"])
async def test_odd_paths_and_patterns_are_no_defects(world: World, operation: str, path: str) -> None:
    (world.project / "loop").symlink_to("loop")
    os.mkfifo(world.project / "fifo")
    async with world.open() as server:
        separator = "" if operation.endswith("&") else "?"
        with anyio.fail_after(10):
            answer = await server.client.get(f"{operation}{separator}path={path}")
    assert answer.status_code in (200, 400)
    assert "root:" not in answer.text


async def _exchange(world: World, *pieces: bytes, until_closed: bool = False) -> bytes:
    """What the real server answers to bytes on a socket of its own."""
    received = b""
    async with world.open() as server:
        application = server.client._transport.app  # type: ignore[attr-defined]
        async with serving(application, port=_free_port()) as listening:
            stream = await anyio.connect_tcp("127.0.0.1", listening.port)
            async with stream:
                with anyio.fail_after(10):
                    try:
                        for piece in pieces:
                            await stream.send(piece)
                        while until_closed or b"\r\n\r\n" not in received:
                            received += await stream.receive()
                    except (anyio.EndOfStream, anyio.BrokenResourceError):
                        pass
    return received


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: -1\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"X: a\rY: b\r\n",
    ],
)
async def test_ambiguous_requests_are_refused(world: World, head: bytes) -> None:
    answer = await _exchange(world, b"POST /session HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n0\r\n\r\nGET /x")
    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_a_head_without_end_is_refused(world: World) -> None:
    pieces = [b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", *[b"x" * 32_000] * 20]
    answer = await _exchange(world, *pieces)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")


CHUNKED = b"POST /session HTTP/1.1\r\nHost: %b\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"


async def test_a_trailer_without_end_is_refused(world: World) -> None:
    """Short fields, of which each takes many times its size in memory, and one long field."""
    for field in (b"a: b\r\n" * 6_000, b"x" * 32_000):
        pieces = [CHUNKED % b"localhost" + b"a: ", *[field] * 20]
        answer = await _exchange(world, *pieces, until_closed=True)
        assert answer == b"" or b"Request head too large." in answer


async def test_what_a_trailer_says_is_no_header(world: World) -> None:
    answer = await _exchange(world, CHUNKED % b"evil.example" + b"Host: localhost\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 403 ")
    answer = await _exchange(world, CHUNKED % b"localhost" + b"Host: evil.example\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_a_large_body_in_large_chunks_is_no_head(world: World) -> None:
    """Wherever the pieces of it begin and end."""
    chunk = b"40000\r\n" + b" " * 0x40000 + b"\r\n"
    head, end = CHUNKED.split(b"2\r\n{}\r\n")
    pieces = [head % b"localhost" + chunk[:7], *[chunk[7:] + chunk[:7]] * 4, chunk[7:] + b"2\r\n{}\r\n" + end + b"\r\n"]
    answer = await _exchange(world, *pieces)
    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_lines_of_clients_stay_one_line_and_say_nothing_to_a_terminal(world: World) -> None:
    lines: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(LineFormatter().format(record))

    handler, logger = Collect(), logging.getLogger("opencode")
    logger.addHandler(handler)
    logger.setLevel("INFO")
    try:
        entry = {
            "service": "x\nERROR forged",
            "level": "info",
            "message": "a\r\nERROR\x1b[2J\u2028b",
            "extra": {"k\nERROR forged": "\x1b]0;title\x07", "token": "CANARY", "service": "server"},
        }
        async with world.open() as server:
            await server.client.post("/log", json=entry)
    finally:
        logger.removeHandler(handler)
    (line,) = [line for line in lines if "client." in line]
    assert line.isprintable()
    assert "CANARY" not in line


async def test_clients_cannot_fill_the_table_of_loggers(world: World) -> None:
    async with world.open() as server:
        before = len(logging.Logger.manager.loggerDict)
        for number in range(20):
            await server.client.post("/log", json={"service": f"s{number}", "level": "info", "message": "x"})
    assert len(logging.Logger.manager.loggerDict) <= before + 1
