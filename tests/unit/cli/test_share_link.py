"""Links of shared sessions."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio.abc import SocketStream

from opencode.cli import share_link
from opencode.cli.errors import CliError
from opencode.cli.share_link import data_urls, fetch, is_link


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        (
            "https://opncd.example/share/abc",
            ["https://opncd.example/share/abc/data", "https://opncd.example/api/share/abc/data"],
        ),
        ("https://opncd.example/s/abc/?x=1#y", ["https://opncd.example/api/share/abc/data"]),
        (
            "http://localhost:4096/some/path/share/abc",
            [
                "http://localhost:4096/some/path/share/abc/data",
                "http://localhost:4096/some/path/api/share/abc/data",
            ],
        ),
    ],
)
def test_the_data_is_beside_the_page(link: str, expected: list[str]) -> None:
    assert is_link(link)
    assert data_urls(link) == expected


@pytest.mark.parametrize("link", ["https://opncd.example/", "https://opncd.example/share/", "https://x/share/a/b"])
def test_other_addresses_are_refused(link: str) -> None:
    with pytest.raises(CliError, match="no link of a shared session"):
        data_urls(link)


@asynccontextmanager
async def page(status: str, body: str, *, path: str = "/api/share/abc/data") -> AsyncIterator[str]:
    """A share page with its data at the path; every other path is a page for browsers."""

    async def answer(stream: SocketStream) -> None:
        async with stream:
            request = b""
            while b"\r\n\r\n" not in request:
                request += await stream.receive()
            if f"GET {path} ".encode() in request:
                head, answered = f"HTTP/1.1 {status}\r\ncontent-type: application/json", body
            else:
                head, answered = "HTTP/1.1 200 OK\r\ncontent-type: text/html", "<html>"
            head += f"\r\ncontent-length: {len(answered)}\r\nconnection: close"
            await stream.send(f"{head}\r\n\r\n{answered}".encode())

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, answer)
        host, port = listener.extra(anyio.abc.SocketAttribute.local_address)
        yield f"http://{host}:{port}/share/abc"
        tasks.cancel_scope.cancel()


async def test_the_items_are_fetched() -> None:
    items = [{"type": "session", "data": {"id": "ses_1"}}]
    async with page("200 OK", json.dumps(items)) as link:
        assert await fetch(link) == items


async def test_a_session_shared_by_a_server_of_ours_is_fetched() -> None:
    history = {"session": {"title": "T"}, "messages": []}
    async with page("200 OK", json.dumps(history), path="/share/abc/data") as link:
        assert await fetch(link) == history


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        ("404 Not Found", "", "Nothing is shared at"),
        ("401 Unauthorized", "", "Nothing is shared at"),
        ("503 Sorry", "", "answered 503"),
        ("200 OK", "<html>", "did not answer with JSON"),
    ],
)
async def test_what_goes_wrong_is_said(status: str, body: str, message: str) -> None:
    async with page(status, body) as link:
        with pytest.raises(CliError, match=message):
            await fetch(link)


async def test_a_host_that_is_not_there_is_said() -> None:
    async with page("200 OK", "") as link:
        pass
    with pytest.raises(CliError, match="cannot be reached"):
        await fetch(link)


async def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share_link, "LIMIT_BYTES", 1000)
    async with page("200 OK", "[" + " " * 2000 + "]") as link:
        with pytest.raises(CliError, match="more than a session can have"):
            await fetch(link)
