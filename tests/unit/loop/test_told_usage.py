"""What a step has cost is stored without an event of its own; however the turn ends, clients hear of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from opencode.core.ids import IdGenerator, ModelID, ProjectID, ProviderID, SessionID
from opencode.core.wire import UNSET
from opencode.loop.doom_loop import DoomLoopGuard
from opencode.loop.open_parts import OpenParts
from opencode.loop.processor import StepProcessor, StepServices
from opencode.loop.repair import repair_sessions
from opencode.loop.status import SessionStatuses
from opencode.loop.tool_calls import ToolCalls, ToolContexts
from opencode.provider.request import ModelRequest
from opencode.provider.schema import Capabilities, Modalities, Model, ModelApi
from opencode.provider.stream import StepFinish, StreamEvent, Usage
from opencode.session.changes import ChangeSession, CreateSessionRecord, PutMessage, StartRun
from opencode.session.schema import AssistantMessage, MessageUpdated, Session, SessionTime, SessionUpdated
from opencode.session.sqlite_store import SqliteSessionStore
from opencode.tool.tool import ToolContext
from tests.support.event_world import DIRECTORY, World, open_world
from tests.support.records import assistant_message
from tests.support.snapshots import without_snapshots

ID = SessionID("ses_1")
MODEL = Model(
    id=ModelID("m"),
    provider_id=ProviderID("p"),
    name="m",
    api=ModelApi(id="m", url="", npm=""),
    capabilities=Capabilities(
        temperature=True, reasoning=False, attachment=False, toolcall=True,
        input=Modalities(text=True), output=Modalities(text=True), interleaved=False,
    ),
)  # fmt: skip


class OneStep:
    """A model whose answer is its end."""

    @asynccontextmanager
    async def stream(self, request: ModelRequest) -> AsyncIterator[AsyncIterator[StreamEvent]]:
        async def events() -> AsyncIterator[StreamEvent]:
            yield StepFinish(reason="stop", usage=Usage(input=7, output=3))

        yield events()


class Place:
    """A session with an open answer, and the session as clients know it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.store = SqliteSessionStore(world.database, world.events, world.clock, DIRECTORY)
        self.told: list[Session] = []
        world.events.subscribe_function(SessionUpdated, lambda event: self.told.append(event.info))

    @property
    def stored(self) -> Session | None:
        return self.store.session(ID)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with open_world(tmp_path / "opencode-server.db") as world:
        place = Place(world)
        session = Session(
            id=ID, slug="x", project_id=ProjectID("p"), directory=DIRECTORY, title="x", version="1",
            time=SessionTime(created=1, updated=1),
        )  # fmt: skip
        answer = assistant_message(ID, "msg_2", "msg_1")
        await place.store.commit(CreateSessionRecord(session), PutMessage(answer), StartRun(ID, "loop"))
        yield place


async def test_a_turn_that_is_aborted_just_after_a_step_tells_the_cost_of_the_step(
    place: Place, tmp_path: Path
) -> None:
    world, store = place.world, place.store
    open_parts = OpenParts(store, world.events, world.clock)
    ids = IdGenerator(world.clock)
    services = StepServices(store, open_parts, SessionStatuses(), without_snapshots(tmp_path), ids, world.clock)
    answer = assistant_message(ID, "msg_2", "msg_1")
    context = ToolContext(
        session_id=ID, message_id=answer.id, call_id="", agent="build", directory=Path("/"), worktree=Path("/"),
        model=MODEL, history=[], ask=never, report=never,
    )  # fmt: skip
    calls = ToolCalls(answer, {}, ToolContexts(context, never), store, ids, world.clock, DoomLoopGuard([], never))
    processor = StepProcessor(services, answer, calls)
    with anyio.CancelScope() as scope:

        def stop(event: MessageUpdated) -> None:
            if isinstance(event.info, AssistantMessage) and event.info.finish is not UNSET:
                scope.cancel()

        world.events.subscribe_function(MessageUpdated, stop)
        request = ModelRequest(model=MODEL, session_id=ID, system=[], messages=[])
        with anyio.fail_after(5):
            await processor.run(OneStep(), request)
    assert scope.cancelled_caught
    assert place.stored is not None
    assert place.stored.tokens is not UNSET
    assert place.told[-1:] == [place.stored]


async def never(*_: object, **__: object) -> None:
    raise AssertionError("nothing is asked")


async def test_after_a_crash_just_after_a_step_the_session_is_told_again(place: Place) -> None:
    await place.store.commit(ChangeSession(ID, lambda session: session, silent=True))
    await repair_sessions(place.store, place.world.clock)
    assert place.told == [place.stored]
