"""A server that hands out access tokens, as those of clouds do."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.loopback import listening, read_request


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
        await read_request(reader)
        state.asked += 1
        body = json.dumps({"access_token": token, "expires_in": 3600, "token_type": "Bearer"} if token else {})
        status = "200 OK" if token else "403 Forbidden"
        writer.write(f"HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode())
        await writer.drain()

    async with listening(serve) as port:
        state.url = f"http://127.0.0.1:{port}/token"
        yield state


def service_account(token_uri: str) -> dict[str, str]:
    """A key file with a key of its own."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {
        "type": "service_account",
        "client_email": "test@example.iam.gserviceaccount.com",
        "private_key": pem.decode(),
        "token_uri": token_uri,
    }
