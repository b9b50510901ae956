"""A project whose model is scripted, for what one session makes others do."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import anyio
import httpx2 as httpx

from opencode.event.schema import Event
from opencode.http.components import EVENTS
from opencode.instance.shared import Shared
from tests.support.scripted_config import scripted_config, write_config
from tests.support.scripted_model.script import Call, Turn, turn
from tests.support.scripted_model.server import Predicate, RecordedRequest, ScriptedModel, scripted_model

Json = dict[str, Any]
E = TypeVar("E", bound=Event)

PATIENCE_SECONDS = 20


class Script:
    """Sessions of one project, the model that answers in them, and the events they cause."""

    def __init__(self, client: httpx.AsyncClient, model: ScriptedModel) -> None:
        self.client = client
        self.model = model
        self.events: list[Event] = []
        self._moved = anyio.Event()

    def hear(self, event: Event) -> None:
        self.events.append(event)
        self._moved.set()
        self._moved = anyio.Event()

    async def until(self, kind: type[E], count: int = 1) -> list[E]:
        """All events of a kind, as soon as there are that many."""
        with anyio.fail_after(PATIENCE_SECONDS):
            while len(found := self.heard(kind)) < count:
                await self._moved.wait()
        return found

    def heard(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    async def session(self, **fields: Any) -> str:
        return str((await self.client.post("/session", json={"title": "Delegation", **fields})).json()["id"])

    async def post(self, session: str, action: str, body: Json | None = None, *, status: int = 200) -> Any:
        answer = await self.client.post(f"/session/{session}/{action}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def prompt(self, session: str, *parts: Json | str, **fields: Any) -> Json:
        body = {
            "parts": [{"type": "text", "text": part} if isinstance(part, str) else part for part in parts],
            **fields,
        }
        return await self.post(session, "message", body)  # type: ignore[no-any-return]

    async def get(self, path: str) -> Any:
        return (await self.client.get(path)).json()

    async def messages(self, session: str) -> list[Json]:
        return await self.get(f"/session/{session}/message")  # type: ignore[no-any-return]

    async def child(self, session: str) -> Json:
        """The only child of a session."""
        [child] = await self.get(f"/session/{session}/children")
        return child  # type: ignore[no-any-return]

    async def calls(self, session: str) -> list[Json]:
        """The states of the tool calls of a session, in order."""
        parts = [part for message in await self.messages(session) for part in message["parts"]]
        return [part["state"] for part in parts if part["type"] == "tool"]

    def sent(self, place: str) -> list[list[Any]]:
        """What the model was sent in sessions that begin with that: the contents of each request."""
        return [_contents(request) for request in self.model.turns if begins(place)(request)]


def begins(text: str) -> Predicate:
    """Accepts requests of sessions whose first message holds the text; not those for titles."""

    def accepts(request: RecordedRequest) -> bool:
        return not request.is_title and text in json.dumps(_contents(request)[0])

    return accepts


def delegates(prompt: str, agent: str = "general", *, id: str = "call_1", **more: Any) -> Turn:
    """A turn that calls the ``task`` tool."""
    given = {"description": "Look around", "prompt": prompt, "subagent_type": agent, **more}
    return turn(Call("task", given, id=id))


@asynccontextmanager
async def scripted(client: httpx.AsyncClient, shared: Shared, project: Path, **config: Any) -> AsyncIterator[Script]:
    """The project with the scripted models ``m1`` and ``m2``; its events are kept from now on."""
    async with scripted_model() as model:
        settings = scripted_config(model.url, **config)
        models = settings["provider"]["scripted"]["models"]
        models["m2"] = {**models["m1"], "name": "M2"}
        write_config(project, settings)
        script = Script(client, model)
        instance = await shared.registry.open(str(project))
        for kind in EVENTS:
            instance.events.subscribe_function(kind, script.hear)
        yield script
        await shared.registry.dispose(str(project))


def _contents(request: RecordedRequest) -> list[Any]:
    return [message.get("content") for message in request.body["messages"] if message["role"] != "system"]
