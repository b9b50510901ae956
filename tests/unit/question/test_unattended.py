"""Questions that nobody is there to answer."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from opencode.core.ids import IdGenerator, QuestionID, SessionID
from opencode.core.rejection import Rejected, UnansweredFailure
from opencode.event.unattended import Unattended
from opencode.question.errors import QuestionRejected, QuestionRequestNotFound
from opencode.question.schema import QuestionInfo
from opencode.question.schema import QuestionRejected as QuestionRejectedEvent
from opencode.question.service import QuestionService
from tests.support.event_world import DIRECTORY, World, open_world

S, OTHER = SessionID("ses_1"), SessionID("ses_2")
WHY = QuestionInfo(question="Why?", header="Why", options=[])
REFUSAL = "No user dismissed or answered this question: nobody was connected who could answer, for 0.01 seconds."


class Place:
    """A process that asks, and fails the turn when nobody listens."""

    def __init__(self, world: World) -> None:
        self.dismissed: list[QuestionRejectedEvent] = []
        self.failed: list[tuple[str, str]] = []
        self.ends: list[Rejected] = []
        world.events.subscribe_function(QuestionRejectedEvent, self.dismissed.append)
        self.service = QuestionService(
            world.database, world.events, IdGenerator(world.clock), world.clock, DIRECTORY,
            lambda tx, request, answers: pytest.fail("nobody answered"), self._answered,
            unattended=Unattended("fail", 0.01), on_orphan_failed=self._failed,
        )  # fmt: skip

    async def ask(self, session: SessionID = S) -> None:
        try:
            await self.service.ask(session, [WHY])
        except Rejected as refusal:
            self.ends.append(refusal)

    async def waits_for(self, count: int) -> None:
        with anyio.fail_after(10):
            while len(self.service.pending()) != count:
                await anyio.lowlevel.checkpoint()

    async def _answered(self, *_: object) -> None:
        pytest.fail("nobody answered")

    async def _failed(self, session_id: SessionID, refusal: Rejected) -> None:
        self.failed.append((session_id, str(refusal)))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path / "opencode-server.db") as world:
        yield world


async def test_questions_that_nobody_could_answer_are_dismissed_by_the_server_and_told(world: World) -> None:
    place = Place(world)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(place.service.expire)
        tasks.start_soon(place.ask)
        await place.waits_for(1)
        [waiting] = place.service.waits()
        world.clock.now += 10
        with anyio.fail_after(10):
            while not place.ends:
                await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    [refusal] = place.ends
    assert (type(refusal), str(refusal)) == (UnansweredFailure, REFUSAL)
    assert place.dismissed == [QuestionRejectedEvent(session_id=S, request_id=waiting.request.id)]
    assert place.failed == []


async def test_questions_of_an_earlier_process_fail_their_session(world: World) -> None:
    before = Place(world)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(before.ask, OTHER)
        await before.waits_for(1)
        place = Place(world)
        await place.service.restore()
        tasks.start_soon(place.service.expire)
        world.clock.now += 10
        with anyio.fail_after(10):
            while not place.failed:
                await anyio.lowlevel.checkpoint()
        assert (place.failed, place.service.pending()) == ([(OTHER, REFUSAL)], [])
        tasks.cancel_scope.cancel()


async def test_dropping_a_session_dismisses_its_questions_only(world: World) -> None:
    place = Place(world)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(place.ask)
        tasks.start_soon(place.ask, OTHER)
        await place.waits_for(2)
        await place.service.drop_session(S)
        assert [ask.request.session_id for ask in place.service.waits()] == [OTHER]
        assert [ask.request.session_id for ask in place.service.waits(OTHER)] == [OTHER]
        with anyio.fail_after(10):
            while not place.ends:
                await anyio.lowlevel.checkpoint()
        assert (type(place.ends[0]), place.ends[0].stops_turn) == (QuestionRejected, True)
        tasks.cancel_scope.cancel()


def test_the_words_of_a_dismissal_and_of_an_unknown_request() -> None:
    assert str(QuestionRejected()) == "The user dismissed this question"
    missing = QuestionRequestNotFound(QuestionID("que_1"))
    assert missing.data == {"message": "Question request not found: que_1", "requestID": "que_1"}
