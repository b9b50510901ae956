"""A server that hands out access tokens, as those of clouds do."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass
class TokenServer:
    """``asked``: how often a token was wanted."""

    url: str = ""
    asked: int = 0


@asynccontextmanager
async def token_server(token: str | None) -> AsyncIterator[TokenServer]:
    """Gives ``token`` to everybody; refuses when there is none."""
    state = TokenServer()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next((line.split(":")[1] for line in head.split("\r\n") if line.startswith("content-length:")), "0")
        await reader.readexactly(int(length))
        state.asked += 1
        body = json.dumps({"access_token": token, "expires_in": 3600, "token_type": "Bearer"} if token else {})
        status = "200 OK" if token else "403 Forbidden"
        writer.write(f"HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    state.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/token"
    async with server:
        yield state
