"""Logging in at a provider's site, and at an organisation."""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2
import pytest

from opencode.auth.schema import WellKnownAuth
from opencode.cli import auth_login
from opencode.cli.auth_login import LoginOptions
from opencode.cli.auth_organisation import login_at_organisation
from opencode.cli.errors import CliError
from opencode.client.client import OpenCodeClient

METHODS = {
    "acme": [
        {"type": "oauth", "label": "Account", "prompts": [{"type": "text", "key": "team", "message": "Team"}]},
        {"type": "api", "label": "Key", "prompts": [{"type": "text", "key": "region", "message": "Region"}]},
    ]
}


class Server:
    """Answers as the server does, and keeps what it was sent."""

    def __init__(self, method: str = "auto", accepts: bool = True) -> None:
        self.sent: list[tuple[str, str, Any]] = []
        self._method = method
        self._accepts = accepts

    def client(self) -> OpenCodeClient:
        return OpenCodeClient("http://server", transport=httpx2.MockTransport(self._answer))

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        if path == "/provider/auth":
            return httpx2.Response(200, json=METHODS)
        self.sent.append((request.method, path, json.loads(request.content)))
        if path.endswith("/authorize"):
            begun = {"url": "https://acme.example/go", "method": self._method, "instructions": "Enter ABC"}
            return httpx2.Response(200, json=begun)
        return httpx2.Response(200, json=self._accepts)


async def login(server: Server, provider: str, **options: Any) -> int:
    async with server.client() as client:
        return await auth_login.login_with(client, provider, LoginOptions(**options))


async def test_the_person_is_sent_to_the_provider_and_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    server = Server()
    assert await login(server, "acme", method="account", inputs={"team": "t1"}) == 0
    assert server.sent == [
        ("POST", "/provider/acme/oauth/authorize", {"method": 0, "inputs": {"team": "t1"}}),
        ("POST", "/provider/acme/oauth/callback", {"method": 0}),
    ]
    printed = capsys.readouterr()
    assert "https://acme.example/go" in printed.err and "Enter ABC" in printed.err
    assert printed.out == "Login successful\n"


async def test_a_code_that_comes_back_is_sent_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth_login, "secret", lambda _: "the-code")
    server = Server("code")
    assert await login(server, "acme", method="account", inputs={"team": "t1"}) == 0
    assert server.sent[-1] == ("POST", "/provider/acme/oauth/callback", {"method": 0, "code": "the-code"})


async def test_a_login_that_was_refused_is_an_error() -> None:
    with pytest.raises(CliError, match="did not accept"):
        await login(Server(accepts=False), "acme", method="account", inputs={"team": "t1"})


async def test_what_a_key_needs_beside_it_is_stored_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth_login, "secret", lambda _: "k1")
    server = Server()
    await login(server, "acme", method="key", inputs={"region": "eu"})
    await login(server, "other")
    assert server.sent == [
        ("PUT", "/auth/acme", {"type": "api", "key": "k1", "metadata": {"region": "eu"}}),
        ("PUT", "/auth/other", {"type": "api", "key": "k1"}),
    ]


@asynccontextmanager
async def organisation(said: Any) -> AsyncIterator[str]:
    """A web server that says at its well-known address how to log in."""
    body = said if isinstance(said, bytes) else json.dumps(said).encode()

    async def serve(client: anyio.abc.SocketStream) -> None:
        async with client:
            asked = await client.receive(65536)
            assert asked.startswith(b"GET /.well-known/opencode ")
            await client.send(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body) + body)

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        yield f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}"
        tasks.cancel_scope.cancel()


def printing(code: str) -> dict[str, Any]:
    return {"auth": {"command": [sys.executable, "-c", code], "env": "CORP_TOKEN"}}


async def test_an_organisation_s_command_gives_the_token(capsys: pytest.CaptureFixture[str]) -> None:
    async with organisation(printing("print(' tok ')")) as url:
        found = await login_at_organisation(url + "/", agreed=True)
    assert found == WellKnownAuth(key="CORP_TOKEN", token="tok")
    assert "wants to run on this machine" in capsys.readouterr().err


async def test_nothing_runs_that_nobody_agreed_to(tmp_path: Any) -> None:
    made = tmp_path / "made"
    async with organisation(printing(f"open({str(made)!r}, 'w')")) as url:
        with pytest.raises(CliError, match="--yes"):
            await login_at_organisation(url, agreed=False)
    assert not made.exists()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"<html>", "is not understood"),
        ({"auth": {"command": [], "env": "X"}}, "names no login command"),
        ({"auth": {"command": ["/no/such/program"], "env": "X"}}, "cannot be run"),
        (printing("pass"), "printed no token"),
        (printing("print('x'); raise SystemExit(3)"), "status 3"),
    ],
)
async def test_an_organisation_that_is_of_no_use_is_an_error(said: Any, expected: str) -> None:
    async with organisation(said) as url:
        with pytest.raises(CliError, match=expected):
            await login_at_organisation(url, agreed=True)
