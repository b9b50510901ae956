"""A server that gives out tokens, on a loopback port, answering from a script over real sockets."""

import asyncio
import base64
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import anyio

from tests.support.loopback import HttpRequest, listening, read_request

Json = dict[str, Any]


@dataclass
class Asked:
    """One request; ``fields`` is its form or JSON object."""

    method: str
    path: str
    headers: dict[str, str]
    fields: Json


@dataclass
class Reply:
    """One answer. ``after``: only once this is set."""

    body: Any = field(default_factory=dict)
    status: int = 200
    content_type: str = "application/json"
    after: anyio.Event | None = None


class OAuthServer:
    """``push`` answers for a path: they are given in turn, the last one again and again."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.came: defaultdict[str, anyio.Event] = defaultdict(anyio.Event)
        self._replies: dict[str, list[Reply]] = {}

    def push(self, path: str, *replies: Reply | Json) -> None:
        """Append answers."""
        made = [reply if isinstance(reply, Reply) else Reply(reply) for reply in replies]
        self._replies.setdefault(path, []).extend(made)

    def fields(self, path: str) -> list[Json]:
        """What was sent to a path."""
        return [asked.fields for asked in self.asked if asked.path == path]

    async def answer(self, asked: Asked) -> Reply:
        """The next answer for a request."""
        self.asked.append(asked)
        self.came[asked.path].set()
        replies = self._replies.get(asked.path) or [Reply({"error": "not_scripted"}, 404)]
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if reply.after is not None:
            await reply.after.wait()
        return reply


@asynccontextmanager
async def oauth_server() -> AsyncIterator[OAuthServer]:
    """A scripted server that listens until the context is left."""
    server = OAuthServer()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_written(await server.answer(_asked(await read_request(reader)))))
        await writer.drain()

    async with listening(serve) as port:
        server.url = f"http://127.0.0.1:{port}"
        yield server


def _asked(request: HttpRequest) -> Asked:
    is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    fields = dict(parse_qsl(request.body.decode())) if is_form else json.loads(request.body or b"{}")
    return Asked(request.method, request.path, request.headers, fields)


def _written(reply: Reply) -> bytes:
    body = reply.body.encode() if isinstance(reply.body, str) else json.dumps(reply.body).encode()
    head = (
        f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}\r\ncontent-type: {reply.content_type}\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


def token_of(account: str) -> str:
    """An unsigned token that names an account as OpenAI's do."""
    claims = json.dumps({"https://api.openai.com/auth": {"chatgpt_account_id": account}}).encode()
    return f"head.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.signature"
