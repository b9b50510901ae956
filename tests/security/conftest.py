"""A whole server in process, in a project that its user did not write, with a model on a loopback port."""

import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx2 as httpx
import pytest

from opencode.config.environment import Environment
from opencode.core.paths import Paths
from opencode.http.app import Application
from opencode.http.auth import Gate
from opencode.http.cors import CorsPolicy
from opencode.http.operations import OPERATIONS
from opencode.http.origin import OriginGuard
from opencode.http.table import OperationTable
from opencode.instance.assembly import open_shared
from tests.support.scripted_model.server import ScriptedModel, scripted_model

Json = dict[str, Any]


@dataclass
class World:
    """``project`` is a repository; ``home`` the user's. ``open`` starts the server, as late as a test likes."""

    root: Path
    model: ScriptedModel
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def project(self) -> Path:
        return self.root / "project"

    @property
    def environment(self) -> Environment:
        quiet = {"OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_LOCAL_MODELS": "1"}
        return Environment({"HOME": str(self.home), "PATH": "/usr/bin:/bin", **quiet, **self.variables})

    @property
    def paths(self) -> Paths:
        return Paths.from_environ(self.environment.values)

    def write(self, path: Path, content: Json | str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    def provider(self, url: str | None = None, **options: Any) -> Json:
        """A configuration whose only provider is the scripted model, or another address."""
        limit = {"context": 100_000, "output": 8_000}
        entry = {
            "npm": "@ai-sdk/openai-compatible",
            "options": {"baseURL": url or self.model.url, **options},
            "models": {"m1": {"name": "M1", "tool_call": True, "limit": limit}},
        }
        return {"provider": {"scripted": entry}, "model": "scripted/m1"}

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Server"]:
        async with open_shared(self.environment, self.paths) as shared:
            cors = CorsPolicy()
            application = Application(
                OperationTable(OPERATIONS),
                shared.registry,
                working_directory=str(self.project),
                directory_of_session=shared.directory_of_session,
                shared=shared,
                cors=cors,
                gate=Gate(None),
                guard=OriginGuard(cors, hosts=[]),
            )
            transport = httpx.ASGITransport(app=application)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:4096", timeout=20) as client:
                yield Server(client)


@dataclass
class Server:
    """Requests to it."""

    client: httpx.AsyncClient

    async def get(self, path: str) -> Any:
        answer = await self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def prompt(self, text: str = "Hello", **more: Any) -> Json:
        """The answer to a prompt in a new session."""
        session = (await self.client.post("/session", json={})).json()["id"]
        body = {"parts": [{"type": "text", "text": text}], **more}
        with anyio.fail_after(20):
            answer = await self.client.post(f"/session/{session}/message", json=body)
        found: Json = answer.json()
        return found


def make_repository(directory: Path) -> None:
    """A new repository with one commit."""
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    directory.mkdir()
    for arguments in (("init", "--quiet"), (*identity, "commit", "--quiet", "--allow-empty", "--message=start")):
        subprocess.run(["git", *arguments], cwd=directory, check=True, capture_output=True)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with scripted_model() as model:
        made = World(tmp_path, model)
        made.home.mkdir()
        make_repository(made.project)
        yield made
