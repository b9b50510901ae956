"""One running server with a scripted model, driven over HTTP, and a record of everything it says."""

import json
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx2 as httpx
from anyio.abc import TaskGroup

from opencode.config.environment import Environment
from opencode.core.paths import Paths
from opencode.http.app import Application
from opencode.http.operations import OPERATIONS
from opencode.http.server import serving
from opencode.http.table import OperationTable
from opencode.instance.assembly import open_shared
from opencode.provider.options import deep_merge
from tests.support.scripted_config import scripted_config, write_config
from tests.support.scripted_model.server import ScriptedModel, scripted_model
from tests.trace.normal import Normaliser

Json = dict[str, Any]

PATIENCE_SECONDS = 20
FILES = {"a.txt": "alpha\nbeta\ngamma\n", "src/main.py": "def main():\n    print('hi')\n"}
TITLE = "Trace"


@dataclass
class Exchange:
    """A request, and its answer once there is one."""

    method: str
    path: str
    body: Any = None
    status: int | None = None
    answer: Any = None
    answered: anyio.Event = field(default_factory=anyio.Event)

    @property
    def record(self) -> Json:
        sent = {} if self.body is None else {"body": self.body}
        return {"request": f"{self.method} {self.path}", **sent, "status": self.status, "answer": self.answer}


class World:
    """Sends requests and keeps, in order, the exchanges and the events of the project's stream."""

    def __init__(self, client: httpx.AsyncClient, model: ScriptedModel, directory: Path, tasks: TaskGroup) -> None:
        self._client = client
        self._tasks = tasks
        self._moved = anyio.Event()
        self.model = model
        self.directory = directory
        self.exchanges: list[Exchange] = []
        self.events: list[Json] = []

    # --- requests -------------------------------------------------------------------------------------------------

    async def send(self, method: str, path: str, body: Any = None) -> Any:
        """Make a request and give the body of its answer."""
        exchange = self.start(method, path, body)
        await exchange.answered.wait()
        return exchange.answer

    def start(self, method: str, path: str, body: Any = None) -> Exchange:
        """Make a request beside what follows."""
        exchange = Exchange(method, path, body)
        self.exchanges.append(exchange)
        self._tasks.start_soon(self._exchange, exchange)
        return exchange

    async def get(self, path: str) -> Any:
        return await self.send("GET", path)

    async def session(self, **fields: Any) -> str:
        """A new session. It has a title, so that none is asked of the model."""
        return str((await self.send("POST", "/session", {"title": TITLE, **fields}))["id"])

    async def prompt(self, session: str, text: str, **fields: Any) -> Any:
        """Prompt and wait for the answer."""
        return await self.send("POST", f"/session/{session}/message", said(text, **fields))

    def prompting(self, session: str, text: str, **fields: Any) -> Exchange:
        """Prompt beside what follows."""
        return self.start("POST", f"/session/{session}/message", said(text, **fields))

    async def abort(self, session: str) -> None:
        await self.send("POST", f"/session/{session}/abort")

    async def reply(self, request: str, reply: str, message: str | None = None) -> None:
        """Settle a permission request."""
        words = {} if message is None else {"message": message}
        await self.send("POST", f"/permission/{request}/reply", {"reply": reply, **words})

    async def _exchange(self, exchange: Exchange) -> None:
        answer = await self._client.request(exchange.method, exchange.path, json=exchange.body)
        exchange.status = answer.status_code
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        exchange.answer = answer.json() if is_json else answer.text
        exchange.answered.set()

    # --- events ---------------------------------------------------------------------------------------------------

    async def until(self, accepts: Callable[[Json], bool], *, count: int = 1) -> Json:
        """Wait for an event, the ``count``-th that is accepted since the beginning."""
        while len(found := [event for event in self.events if accepts(event)]) < count:
            await self._moved.wait()
        return found[count - 1]

    async def asked(self, kind: str = "permission", *, count: int = 1) -> str:
        """Wait until something is asked; the id of the request."""
        event = await self.until(lambda event: event["type"] == f"{kind}.asked", count=count)
        return str(event["properties"]["id"])

    async def stored_prompts(self, session: str, count: int) -> None:
        """Wait until that many prompts of a session are stored."""
        await self.until(
            lambda event: (
                event["type"] == "message.updated"
                and event["properties"]["info"]["role"] == "user"
                and event["properties"]["sessionID"] == session
                and "summary" not in event["properties"]["info"]
            ),
            count=count,
        )

    async def tool_runs(self) -> None:
        """Wait until a tool is at work."""
        await self.until(lambda event: tool_state(event).get("status") == "running")

    async def shows_output(self, output: str) -> None:
        """Wait until a running command has shown that."""
        await self.until(lambda event: tool_state(event).get("metadata", {}).get("output") == output)

    async def listen(self, lines: AsyncIterator[str]) -> None:
        """Collect the stream until it ends."""
        async for line in lines:
            if line.startswith("data: "):
                self.events.append(json.loads(line[6:]))
                self._moved.set()
                self._moved = anyio.Event()

    # --- the end --------------------------------------------------------------------------------------------------

    async def rest(self) -> None:
        """Wait until all requests are answered, here and by the model, all sessions rest, and all events are here."""
        for exchange in self.exchanges:
            await exchange.answered.wait()
        for request in self.model.requests:
            await request.ended.wait()
        while (await self._client.get("/session/status")).json():
            await self._moved.wait()
        last = (await self._client.post("/session", json={"title": "The end"})).json()["id"]
        end = await self.until(lambda event: _names_session(event, last))
        del self.events[self.events.index(end) :]
        await self._client.delete(f"/session/{last}")

    async def stored(self) -> list[Json]:
        """What is stored of every session, oldest first: the session, then its messages."""
        records: list[Json] = []
        for session in reversed((await self._client.get("/session")).json()):
            records.append(session)
            records += (await self._client.get(f"/session/{session['id']}/message")).json()
        return records


def said(text: str, **fields: Any) -> Json:
    """The body of a prompt with one text part."""
    return {"parts": [{"type": "text", "text": text}], **fields}


def is_retry(event: Json) -> bool:
    """Whether a session waits to call its model again."""
    return bool(event["type"] == "session.status" and event["properties"]["status"]["type"] == "retry")


def is_delta(event: Json) -> bool:
    """Whether the model said something."""
    return bool(event["type"] == "message.part.delta")


def tool_state(event: Json) -> Json:
    """The state of the tool part an event tells of."""
    state: Json = event["properties"].get("part", {}).get("state", {})
    return state


def _names_session(event: Json, session: str) -> bool:
    return bool(event["type"] == "session.created" and event["properties"]["info"]["id"] == session)


@asynccontextmanager
async def open_world(
    root: Path,
    config: Mapping[str, Any],
    files: Mapping[str, str],
    environ: Mapping[str, str],
    *,
    patience_seconds: float = PATIENCE_SECONDS,
) -> AsyncIterator[World]:
    """A server on a loopback port, a model beside it, and a repository with ``FILES`` and ``files``."""
    directory = _project(root / "project", {**FILES, **files})
    variables = {"HOME": str(root / "home"), "PATH": "/usr/bin:/bin", "OPENCODE_DISABLE_MODELS_FETCH": "1", **environ}
    with anyio.fail_after(patience_seconds):
        async with (
            scripted_model() as model,
            open_shared(Environment(variables), Paths.from_environ(variables)) as shared,
        ):
            write_config(directory, deep_merge(scripted_config(model.url), _resolved(config, model.url)))
            application = Application(
                OperationTable(OPERATIONS),
                shared.registry,
                working_directory=str(directory),
                directory_of_session=shared.directory_of_session,
                shared=shared,
            )
            async with (
                serving(application) as server,
                httpx.AsyncClient(base_url=server.url, timeout=patience_seconds) as client,
                client.stream("GET", "/event") as stream,
                anyio.create_task_group() as tasks,
            ):
                world = World(client, model, directory, tasks)
                tasks.start_soon(world.listen, stream.aiter_lines())
                await world.until(lambda event: event["type"] == "server.connected")
                yield world
                tasks.cancel_scope.cancel()


def normaliser(world: World, root: Path) -> Normaliser:
    """Placeholders for what is particular to this run."""
    return Normaliser({str(world.directory): "<dir>", str(root): "<root>", world.model.url: "<model>"})


def _project(directory: Path, files: Mapping[str, str]) -> Path:
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    for arguments in (("init", "--quiet", "--initial-branch=main"), ("add", "."), ("commit", "--quiet", "-m", "start")):
        subprocess.run(["git", *identity, *arguments], cwd=directory, check=True, capture_output=True)
    return directory


def _resolved(config: Mapping[str, Any], url: str) -> Json:
    """The configuration with the model's address for ``@MODEL@``."""
    resolved: Json = json.loads(json.dumps(config).replace("@MODEL@", url))
    return resolved
