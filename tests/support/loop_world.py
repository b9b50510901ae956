"""A session in a real database with what one step of the loop needs, and a model that answers from a script."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio

from opencode.core.ids import IdGenerator, ProjectID, SessionID
from opencode.core.wire import Wire
from opencode.event.schema import Event
from opencode.loop.doom_loop import DoomLoopGuard
from opencode.loop.open_parts import OpenParts
from opencode.loop.processor import StepServices
from opencode.loop.status import SessionStatuses
from opencode.loop.tool_calls import AskOfCall, ToolCalls, ToolContexts
from opencode.provider.request import ModelRequest
from opencode.provider.stream import StepFinish, StreamEvent, TextDelta, TextEnd, TextStart, Usage
from opencode.session.changes import CreateSessionRecord, PutMessage
from opencode.session.schema import (
    AssistantMessage,
    MessagePartDelta,
    MessagePartRemoved,
    MessagePartUpdated,
    MessageUpdated,
    MessageWithParts,
    Part,
    Session,
    SessionErrored,
    SessionIdle,
    SessionStatusChanged,
    SessionTime,
    SessionUpdated,
    ToolPart,
)
from opencode.session.sqlite_store import SqliteSessionStore
from opencode.tool.tool import Tool, ToolContext, ToolResult
from opencode.tool.truncate import OutputLimits, OutputTruncator
from opencode.tool.wrapper import WrappedTool
from tests.support.event_world import DIRECTORY, World
from tests.support.records import assistant_message, user_message
from tests.support.snapshots import without_snapshots
from tests.support.wires import CHAT, model_of

ID = SessionID("ses_1")
MODEL = model_of(CHAT)
TOLD = (
    SessionStatusChanged, SessionIdle, SessionErrored, SessionUpdated, MessageUpdated,
    MessagePartUpdated, MessagePartDelta, MessagePartRemoved,
)  # fmt: skip
"""The kinds of events that a step tells."""

Scripted = StreamEvent | Exception | anyio.Event


def words(text: str) -> list[Scripted]:
    """An answer of one text."""
    return [TextStart(id="t"), TextDelta(id="t", text=text), TextEnd(id="t"), finish()]


def finish(reason: str = "stop", **usage: int) -> StepFinish:
    """The end of an answer."""
    return StepFinish(reason=reason, usage=Usage(**usage))


class ScriptedLanguageModel:
    """Gives one scripted answer for each call: events, exceptions to raise, moments to wait for."""

    def __init__(self, *answers: list[Scripted]) -> None:
        self.answers = list(answers)
        self.requests: list[ModelRequest] = []

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncIterator[AsyncIterator[StreamEvent]]:
        self.requests.append(request)
        answer = self.answers.pop(0)

        async def events() -> AsyncIterator[StreamEvent]:
            for step in answer:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, anyio.Event):
                    await step.wait()
                else:
                    yield step

        yield events()


class Given(Wire):
    """Arguments of a scripted tool."""

    text: str = ""


class ScriptedTool(Tool[Given]):
    """A tool that does what a test says: ``act`` gives its result or raises."""

    id = "scripted"
    params = Given

    def __init__(self, act: Any, name: str = "scripted") -> None:
        self.id = name  # type: ignore[misc]
        self.description = "Does what the test says."
        self._act = act

    async def run(self, params: Given, context: ToolContext) -> ToolResult:
        result: ToolResult = await self._act(params, context)
        return result


class LoopWorld:
    """One session with a prompt and an open answer; the services of a step; the events it told."""

    def __init__(self, world: World, directory: Path) -> None:
        self.world = world
        self.clock = world.clock
        self.directory = directory
        self.ids = IdGenerator(world.clock)
        self.store = SqliteSessionStore(world.database, world.events, world.clock, DIRECTORY)
        self.statuses = SessionStatuses()
        self.open_parts = OpenParts(self.store, world.events, world.clock)
        self.services = StepServices(
            self.store, self.open_parts, self.statuses, without_snapshots(directory), self.ids, world.clock
        )
        self.answer = assistant_message(ID, "msg_2", "msg_1")
        self.told: list[Event] = []
        for kind in TOLD:
            world.events.subscribe_function(kind, self.told.append)

    async def begin(self) -> None:
        """Store the session, its prompt and its open answer."""
        session = Session(
            id=ID, slug="x", project_id=ProjectID("p"), directory=DIRECTORY, title="x", version="1",
            time=SessionTime(created=1, updated=1),
        )  # fmt: skip
        await self.store.commit(
            CreateSessionRecord(session), PutMessage(user_message(ID, "msg_1")), PutMessage(self.answer)
        )
        self.told.clear()

    @property
    def stored(self) -> MessageWithParts:
        """The answer as it is stored."""
        message = self.store.message(ID, self.answer.id)
        assert message is not None
        return message

    @property
    def message(self) -> AssistantMessage:
        info = self.stored.info
        assert isinstance(info, AssistantMessage)
        return info

    @property
    def parts(self) -> list[Part]:
        return list(self.stored.parts)

    @property
    def call_parts(self) -> list[ToolPart]:
        return [part for part in self.parts if isinstance(part, ToolPart)]

    @property
    def session(self) -> Session:
        session = self.store.session(ID)
        assert session is not None
        return session

    def heard(self, kind: type[Event]) -> list[Any]:
        """The events of one kind, in order."""
        return [event for event in self.told if type(event) is kind]

    def calls(
        self, tools: Mapping[str, Any] | None = None, *, ask: AskOfCall | None = None, ask_doom_loop: Any = None
    ) -> ToolCalls:
        """The calls of the answer; ``tools`` are functions by name. Nothing may be asked unless it is expected."""
        context = ToolContext(
            session_id=ID, message_id=self.answer.id, call_id="", agent="build", directory=self.directory,
            worktree=self.directory, model=MODEL, history=[], ask=_not_asked, report=_not_asked,
        )  # fmt: skip
        truncator = OutputTruncator(OutputLimits(), self.directory, self.ids.tool_output)
        wrapped = {
            name: WrappedTool(act if isinstance(act, Tool) else ScriptedTool(act, name), truncator)
            for name, act in (tools or {}).items()
        }
        contexts, guard = ToolContexts(context, ask or _not_asked), DoomLoopGuard([], ask_doom_loop or _not_asked)
        return ToolCalls(self.answer, wrapped, contexts, self.store, self.ids, self.clock, guard)


def request() -> ModelRequest:
    """A request; what it says does not matter to a scripted model."""
    return ModelRequest(model=MODEL, session_id=ID, system=[], messages=[])


async def _not_asked(*_: object, **__: object) -> None:
    raise AssertionError("nothing is asked")
