"""How much may work in the background."""

import dataclasses
from pathlib import Path
from typing import Any, cast

import anyio
import anyio.lowlevel
import pytest

from opencode.agent.schema import Agent
from opencode.agent.service import AgentService
from opencode.core.ids import MessageID, ProjectID, SessionID
from opencode.core.wire import encode
from opencode.loop.background_tasks import BackgroundSubagents
from opencode.loop.references import References
from opencode.loop.subagent import Subagents
from opencode.session.inputs import PromptInput
from opencode.session.schema import MessageWithParts, TextPartInput
from opencode.session.service import SessionPlace, SessionService
from opencode.tool.builtin.task import Delegation
from opencode.tool.tool import ToolContext, ToolError
from tests.support.event_world import DIRECTORY
from tests.support.loop_world import ID, LoopWorld
from tests.support.records import assistant_message, text_part

ANYTHING = cast(Any, None)


async def notify(session: SessionID, prompt: PromptInput) -> None:
    raise AssertionError("nothing was started")


async def test_a_task_too_many_is_refused_before_it_begins() -> None:
    background = BackgroundSubagents(cast(Subagents, None), limit=0)
    async with background.served(notify):
        with pytest.raises(ToolError, match="No more than 0 tasks may work in the background"):
            await background.start(ANYTHING, ANYTHING)


async def test_nothing_begins_while_the_directory_closes() -> None:
    background = BackgroundSubagents(cast(Subagents, None))
    async with background.served(notify):
        pass
    with pytest.raises(ToolError):
        await background.start(ANYTHING, ANYTHING)
    await background.cancel(SessionID("ses_1"))


class Place:
    """Subagents over a real store, whose work lasts until ``gate`` is set; the ends that callers are told."""

    def __init__(self, place: LoopWorld) -> None:
        where = SessionPlace(ProjectID("p"), Path(DIRECTORY), Path(DIRECTORY), "1")
        sessions = SessionService(place.store, place.ids, place.clock, where)
        references = References(cast(AgentService, None), place.directory, place.directory, place.directory)
        self.subagents = Subagents(sessions, place.store, references, depth=1, primary_tools=[])
        self.subagents.prompt, self.subagents.stop = self._works, self._stops
        self.gate = anyio.Event()
        self.told: list[tuple[SessionID, PromptInput]] = []
        self.context = ToolContext(
            session_id=ID, message_id=place.answer.id, call_id="call_1", agent="plan", directory=place.directory,
            worktree=place.directory, model=None, history=[], ask=self._shows, report=self._shows,
        )  # fmt: skip

    async def _works(self, session: SessionID, prompt: PromptInput) -> bytes:
        await self.gate.wait()
        info = assistant_message(session, "msg_5", "msg_4")
        return encode(MessageWithParts(info=info, parts=[text_part(session, "msg_5", "prt_1", "Done.")]))

    async def _stops(self, session: SessionID) -> None:
        """What works here ends when it is cancelled."""

    async def _shows(self, *_: object, **__: object) -> None:
        """Clients are of no interest here."""

    async def notify(self, session: SessionID, prompt: PromptInput) -> None:
        self.told.append((session, prompt))

    async def hears(self, count: int) -> None:
        """Wait until so many ends were told, and what told them is over."""
        while len(self.told) < count:
            await anyio.lowlevel.checkpoint()
        await anyio.wait_all_tasks_blocked()


async def test_who_has_ended_makes_room_for_another_and_its_caller_hears_of_it(place: LoopWorld) -> None:
    works = Place(place)
    background = BackgroundSubagents(works.subagents, limit=2)
    agent = Agent(name="helper", mode="subagent", permission=[], options={})
    work = Delegation(agent, "Looks", "Look around.")
    with anyio.fail_after(20):
        async with background.served(works.notify):
            for ends in (0, 2, 4):
                first, second = [await background.start(work, works.context) for _ in range(2)]
                with pytest.raises(ToolError, match="No more than 2 tasks"):
                    await background.start(work, works.context)
                assert len(works.told) == ends
                assert (first.text, first.metadata["jobId"], first.metadata["background"]) == (
                    "", first.session_id, True,
                )  # fmt: skip
                works.gate.set()
                await works.hears(ends + 2)
                works.gate = anyio.Event()
                for caller, prompt in works.told[ends:]:
                    [part] = prompt.parts
                    assert isinstance(part, TextPartInput)
                    assert (caller, prompt.agent, part.synthetic) == (ID, "plan", True)
                    assert "Background task completed: Looks" in part.text
                assert first.session_id != second.session_id


async def test_a_task_that_cannot_begin_takes_no_place(place: LoopWorld) -> None:
    works = Place(place)
    background = BackgroundSubagents(works.subagents, limit=1)
    agent = Agent(name="helper", mode="subagent", permission=[], options={})
    stranger = dataclasses.replace(works.context, message_id=MessageID("msg_gone"))
    with anyio.fail_after(20):
        async with background.served(works.notify):
            for _ in range(2):
                with pytest.raises(ToolError, match="belongs to no message"):
                    await background.start(Delegation(agent, "Looks", "Look."), stranger)
            await background.start(Delegation(agent, "Looks", "Look."), works.context)
            works.gate.set()
            await works.hears(1)
