"""Canaries in every source of credentials, and every read, event, line of the log and export searched for them."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio
import httpx2 as httpx
import pytest
from anyio.abc import TaskStatus

from opencode.cli.export import exported
from opencode.client.client import OpenCodeClient
from opencode.core.clock import SystemClock
from opencode.core.log_file import configure_logging
from opencode.http.app import Application
from opencode.http.operations import OPERATIONS
from opencode.http.server import serving
from opencode.http.table import OperationTable
from opencode.instance.assembly import open_shared
from tests.security.conftest import Server, World
from tests.support.oauth_server import OAuthServer, Reply, oauth_server
from tests.support.scripted_model.script import Fail, Turn, turn
from tests.support.scripted_model.server import RecordedRequest
from tests.wire.operations import SAMPLES

CANARY = "CANARY-7d21e8"
DEVICE, TOKEN = "/login/device/code", "/login/oauth/access_token"
PROVIDERS = ("scripted", "filed", "named", "corp", "github-copilot", "openai")


def secret(name: str) -> str:
    return f"{CANARY}-{name}"


@pytest.fixture
async def oauth() -> AsyncIterator[OAuthServer]:
    async with oauth_server() as server:
        yield server


def plant(world: World, oauth: OAuthServer) -> None:
    """A canary of its own in every place where a user may keep a credential."""
    world.write(
        world.paths.data / "auth.json",
        {
            "anthropic": {"type": "api", "key": secret("api"), "metadata": {"team": secret("metadata")}},
            "github-copilot": {"type": "oauth", "refresh": secret("refresh"), "access": secret("access"), "expires": 0},
            "openai": {"type": "oauth", "refresh": secret("old"), "access": secret("used"), "expires": 1},
            oauth.url: {"type": "wellknown", "key": "CORP_TOKEN", "token": secret("wellknown")},
        },
    )
    pointer = {"url": oauth.url + "/more", "headers": {"authorization": "Bearer {env:CORP_TOKEN}"}}
    corp = {
        "corp": {"type": "remote", "url": "https://x.example", "enabled": False, "headers": {"x": "{env:CORP_TOKEN}"}}
    }
    oauth.push("/.well-known/opencode", {"config": {"mcp": corp}, "remote_config": pointer})
    oauth.push("/more", {"provider": {"corp": entry(world.model.url, apiKey="{env:CORP_TOKEN}")}})
    said = {"error": "invalid_grant", "error_description": f"{secret('old')} is of no use"}
    oauth.push("/oauth/token", Reply(said, 400))
    oauth.push(DEVICE, {"device_code": secret("device"), "user_code": "AB", "verification_uri": "https://g.example"})
    oauth.push(TOKEN, {"error": "bad", "error_description": f"{secret('device')} is of no use"})
    world.write(world.home / "key.txt", secret("file"))
    world.variables |= {"GROQ_API_KEY": secret("variable"), "SUBSTITUTED": secret("substituted")}
    with_user = world.model.url.replace("://", f"://ann:{secret('user')}@")
    signing = {"oauth": {"url": oauth.url, "apiURL": world.model.url}}
    world.write(
        world.paths.config / "opencode.json",
        {
            "provider": {
                "scripted": entry(world.model.url, apiKey="{env:SUBSTITUTED}", headers={"x-key": secret("header")}),
                "filed": entry(world.model.url, apiKey="{file:~/key.txt}"),
                "named": entry(with_user, apiKey=secret("config")),
                "github-copilot": {**entry(world.model.url, **signing), "npm": "@ai-sdk/github-copilot"},
                "openai": {**entry(world.model.url, **signing), "npm": "@ai-sdk/openai"},
            },
            "model": "scripted/gpt-5.4",
        },
    )


def entry(url: str, **options: Any) -> dict[str, Any]:
    limit = {"context": 100_000, "output": 8_000}
    return {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": url, **options},
        "models": {"gpt-5.4": {"name": "M", "tool_call": True, "limit": limit}},
    }


def repeats(request: RecordedRequest) -> Turn:
    """A refusal with all that was sent."""
    said = {"error": {"message": json.dumps(request.headers)}}
    return turn(Fail(400, headers={"x-echo": request.headers.get("authorization", "")}, body=said))


async def prompts(world: World, server: Server) -> list[str]:
    """A prompt for each provider; each refuses and repeats all that it was sent."""
    said = []
    for provider in PROVIDERS:
        world.model.push(repeats)
        answer = await server.prompt(model={"providerID": provider, "modelID": "gpt-5.4"})
        assert "error" in answer["info"], provider
        said.append(json.dumps(answer))
    return said


async def reads(server: Server) -> list[str]:
    """Every operation that only reads."""
    session = (await server.get("/session"))[0]
    (message, *_) = await server.get(f"/session/{session['id']}/message")
    known = {
        "{session}": session["id"],
        "{message}": message["info"]["id"],
        "{part}": message["parts"][0]["id"],
        "{project}": session["projectID"],
        "{provider}": "scripted",
        "{model}": "gpt-5.4",
    }
    said = []
    for operation in OPERATIONS:
        if operation.method == "GET" and (sample := SAMPLES.get(operation.id)):
            parameters = {key: quote(known.get(value, value)) for key, value in sample.parameters.items()}
            query = {key: known.get(value, value) for key, value in sample.query.items()}
            answer = await server.client.get(operation.path.format(**parameters), params=query)
            said.append(f"{operation.id}: {answer.text} {answer.headers}")
    return said


async def sign_in(server: Server) -> list[str]:
    """One that fails: the provider repeats what it was sent."""
    place = "/provider/github-copilot/oauth"
    begun = await server.client.post(f"{place}/authorize", json={"method": 0})
    done = await server.client.post(f"{place}/callback", json={"method": 0, "code": secret("code")})
    assert "is of no use" in done.text
    return [begun.text, done.text]


async def exports(server: Server) -> list[str]:
    """What ``opencode export`` prints of each session."""
    said = []
    async with OpenCodeClient(str(server.client.base_url)) as client:
        for session in await server.get("/session"):
            said.append(json.dumps(await exported(client, session["id"])))
    return said


@asynccontextmanager
async def listening(world: World) -> AsyncIterator[Server]:
    """The world's server on a port of its own, so that events can be read as they come."""
    async with open_shared(world.environment, world.paths) as shared:
        application = Application(
            OperationTable(OPERATIONS),
            shared.registry,
            working_directory=str(world.project),
            directory_of_session=shared.directory_of_session,
            shared=shared,
        )
        async with serving(application) as served, httpx.AsyncClient(base_url=served.url, timeout=30) as client:
            yield Server(client)


async def collect(server: Server, into: list[str], *, task_status: TaskStatus[None]) -> None:
    """Every event of every directory. Runs until cancelled."""
    async with server.client.stream("GET", "/global/event") as stream:
        task_status.started()
        async for text in stream.aiter_text():
            into.append(text)


async def test_no_canary_comes_out_anywhere(world: World, oauth: OAuthServer, tmp_path: Path) -> None:
    plant(world, oauth)
    events: list[str] = []
    said: dict[str, list[str]] = {"event": events}
    with configure_logging("DEBUG", to_stderr=False, directory=tmp_path / "log", clock=SystemClock()) as log:
        with anyio.fail_after(120):
            async with listening(world) as server, anyio.create_task_group() as tasks:
                await tasks.start(partial(collect, server, events))
                said["prompt"] = await prompts(world, server)
                said["sign-in"] = await sign_in(server)
                said["read"] = await reads(server)
                said["export"] = await exports(server)
                tasks.cancel_scope.cancel()
    assert log is not None
    said["log"] = [log.read_text()]
    said["database"] = [world.paths.database.read_bytes().decode("latin-1")]
    for place, texts in said.items():
        assert texts, place
        for text in texts:
            at = text.find(CANARY)
            assert at < 0, f"{place}: {text[:40]} ... {text[max(0, at - 100) : at + 60]}"
    assert_all_were_used(world, oauth)


def assert_all_were_used(world: World, oauth: OAuthServer) -> None:
    """The canaries went where they belong, so that there was something to let out."""
    sent = json.dumps([request.headers for request in world.model.turns]) + json.dumps(
        [[asked.headers, asked.fields] for asked in oauth.asked]
    )
    for name in ("substituted", "header", "file", "wellknown", "refresh", "old", "device"):
        assert secret(name) in sent, name
