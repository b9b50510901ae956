"""An open directory with a scripted model: what a server has of it, without HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel

from opencode.config.environment import Environment
from opencode.core.ids import ModelID, ProviderID, SessionID
from opencode.core.paths import Paths
from opencode.core.wire import decode
from opencode.event.schema import Event
from opencode.instance.assembly import open_shared
from opencode.instance.instance import Instance
from opencode.provider.schema import ModelRef
from opencode.session.inputs import CreateSession, PromptInput
from opencode.session.schema import (
    MessageUpdated,
    MessageWithParts,
    PartInput,
    SessionErrored,
    SessionIdle,
    SessionStatusChanged,
    SessionUpdated,
    TextPart,
    TextPartInput,
)
from tests.support.scripted_config import scripted_config, write_config
from tests.support.scripted_model.server import ScriptedModel, scripted_model

Json = dict[str, Any]
M1 = ModelRef(provider_id=ProviderID("scripted"), model_id=ModelID("m1"))
TOLD = (SessionStatusChanged, SessionIdle, SessionErrored, SessionUpdated, MessageUpdated)


class Opened:
    """The instance, its model, and what it told."""

    def __init__(self, instance: Instance, model: ScriptedModel) -> None:
        self.instance = instance
        self.model = model
        self.prompts = instance.prompts
        self.sessions = instance.sessions
        self.told: list[Event] = []
        for kind in TOLD:
            instance.events.subscribe_function(kind, self.told.append)

    async def session(self, **fields: Any) -> SessionID:
        """A new session. It has a title, so that none is asked of the model."""
        session = await self.sessions.create(CreateSession(**{"title": "Test", **fields}))
        self.told.clear()
        return session.id

    async def messages(self, session_id: SessionID) -> list[MessageWithParts]:
        """What is stored, oldest first."""
        page = await self.prompts.messages(session_id, None, None)
        return decode(page.body, list[MessageWithParts])

    async def texts(self, session_id: SessionID) -> list[list[str]]:
        """The texts of each message."""
        return [
            [part.text for part in message.parts if isinstance(part, TextPart)]
            for message in await self.messages(session_id)
        ]

    async def rests(self) -> None:
        """Wait until a session is told to be at rest, since the last session was made."""
        while not self.heard(SessionIdle):
            await anyio.lowlevel.checkpoint()

    def heard(self, kind: type[Event]) -> list[Any]:
        """The events of one kind, in order."""
        return [event for event in self.told if type(event) is kind]


def said(text: str, *more: PartInput, **fields: Any) -> PromptInput:
    """A prompt of one text."""
    return PromptInput(parts=[TextPartInput(text=text), *more], **fields)


@asynccontextmanager
async def open_instance_in(root: Path, *, models: Json | None = None, **config: Any) -> AsyncIterator[Opened]:
    """Open a directory that is no repository, with a model beside it. ``models``: more than the one."""
    directory = root / "project"
    directory.mkdir()
    variables = {"HOME": str(root / "home"), "PATH": "/usr/bin:/bin", "OPENCODE_DISABLE_MODELS_FETCH": "1"}
    async with (
        scripted_model() as model,
        open_shared(Environment(variables), Paths.from_environ(variables)) as shared,
    ):
        settings = scripted_config(model.url, **config)
        settings["provider"]["scripted"]["models"] |= models or {}
        write_config(directory, settings)
        yield Opened(await shared.registry.open(str(directory)), model)
