"""Sign-ins against a scripted server, with pauses that are counted instead of waited for."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from opencode.provider.sign_in.method import SignInContext, SignInSettings
from opencode.provider.sign_in.token_server import TokenServer, open_token_server
from tests.support.oauth_server import OAuthServer, oauth_server

NOW_MS = 1_700_000_000_000


class FixedClock:
    """Stands still."""

    def now_ms(self) -> int:
        return NOW_MS


@dataclass
class Place:
    """A context whose server is the scripted one. ``pauses``: how long was waited between two questions."""

    server: OAuthServer
    client: TokenServer
    pauses: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def context(self, redirect_port: int | None = 0, client_id: str | None = None) -> SignInContext:
        settings = SignInSettings(client_id, self.server.url, redirect_port)
        return SignInContext(settings, self.client, FixedClock(), self.sleep)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async with oauth_server() as server, open_token_server() as client:
        yield Place(server, client)
