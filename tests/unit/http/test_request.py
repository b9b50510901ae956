"""Reading requests."""

from collections.abc import Iterable
from typing import Any

import pytest

from opencode.http.answer import Message
from opencode.http.request import BodyTooLarge, ClientGone, Request


def request(
    chunks: Iterable[bytes] = (), *, limit: int = 100, gone: bool = False, query: bytes = b"", **headers: str
) -> Request:
    waiting: list[Message] = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    waiting.append({"type": "http.disconnect"} if gone else {"type": "http.request", "body": b""})

    async def receive() -> Message:
        return waiting.pop(0)

    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/a b",
        "query_string": query,
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    return Request.of_scope(scope, receive, limit)


async def test_a_body_in_pieces_is_joined() -> None:
    assert await request([b"ab", b"cd"]).body() == b"abcd"


async def test_a_body_beyond_the_limit_is_refused() -> None:
    with pytest.raises(BodyTooLarge):
        await request([b"abc", b"def"], limit=5).body()
    with pytest.raises(BodyTooLarge):
        await request(limit=5, content_length="6").body()


async def test_a_client_that_leaves_while_it_sends_gets_no_answer() -> None:
    with pytest.raises(ClientGone):
        await request([b"abc"], gone=True).body()


def test_a_parameter_given_twice_counts_once() -> None:
    assert request(query=b"a=1&a=2&b=%2F+x").query == {"a": "1", "b": "/ x"}


def test_headers_may_hold_any_text() -> None:
    assert request(x_name="grün").header(b"x-name") == "grün"
    assert request().header(b"x-name") is None


def test_a_path_without_its_raw_form_is_encoded_again() -> None:
    assert request().raw_path == "/a%20b"
