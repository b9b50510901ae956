from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import pytest

from opencode.core.clock import SystemClock
from opencode.core.ids import IdGenerator, MessageID, QuestionID, SessionID
from opencode.event.bus import EventBus
from opencode.event.log import open_event_log
from opencode.event.schema import Event, EventScope
from opencode.question.errors import QuestionRejected, QuestionRequestNotFound
from opencode.question.schema import (
    QuestionAnswers,
    QuestionAsked,
    QuestionInfo,
    QuestionOption,
    QuestionReplied,
    QuestionRequest,
    QuestionTool,
)
from opencode.question.schema import QuestionRejected as QuestionRejectedEvent
from opencode.question.service import QuestionService
from opencode.storage.database import Database, Transaction, open_database

SESSION = SessionID("ses_1")
COLOUR = QuestionInfo(
    question="Which colour?", header="Colour", options=[QuestionOption(label="Red", description="Warm")]
)
TOOL = QuestionTool(message_id=MessageID("msg_1"), call_id="call_1")


class Server:
    """The parts of one server process that questions need."""

    def __init__(self, database: Database, bus: EventBus, ids: IdGenerator, clock: SystemClock) -> None:
        self.database = database
        self.told: list[Event] = []
        self.heard = anyio.Event()
        self.kept: list[tuple[QuestionID, QuestionAnswers]] = []
        self.orphan_replies: list[QuestionAnswers | None] = []
        self.answers: list[QuestionAnswers] = []
        events = bus.scoped(EventScope(directory="/project"))
        for kind in (QuestionAsked, QuestionReplied, QuestionRejectedEvent):
            events.subscribe_function(kind, self._hear)
        self.service = QuestionService(database, events, ids, clock, "/project", self._keep, self._on_orphan_reply)

    def rows(self) -> int:
        return int(self.database.read("SELECT count(*) FROM question_request")[0][0])

    async def ask(self) -> None:
        self.answers.append(await self.service.ask(SESSION, [COLOUR], TOOL))

    async def asked(self) -> QuestionID:
        with anyio.fail_after(5):
            while not self.told:
                await self.heard.wait()
        return self.service.pending()[0].id

    def _hear(self, event: Event) -> None:
        self.told.append(event)
        self.heard.set()
        self.heard = anyio.Event()

    def _keep(self, tx: Transaction, request: QuestionRequest, answers: QuestionAnswers) -> None:
        assert tx.execute("SELECT count(*) FROM question_request").fetchone() == (0,)
        self.kept.append((request.id, answers))

    async def _on_orphan_reply(self, request: QuestionRequest, answers: QuestionAnswers | None) -> None:
        self.orphan_replies.append(answers)


@asynccontextmanager
async def serving(path: Path) -> AsyncIterator[Server]:
    clock = SystemClock()
    ids = IdGenerator(clock)
    async with open_database(path / "test.db") as database:
        server = Server(database, EventBus(await open_event_log(database, clock), ids, clock), ids, clock)
        await server.service.restore()
        yield server


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path) as server:
        yield server


async def test_questions_wait_as_a_row_and_an_event_until_they_are_answered(server: Server) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.ask)
        id = await server.asked()
        assert server.told == [QuestionAsked(id=id, session_id=SESSION, questions=[COLOUR], tool=TOOL)]
        assert server.rows() == 1
        await server.service.reply(id, [["Red"]])
    assert server.told[1:] == [QuestionReplied(session_id=SESSION, request_id=id, answers=[["Red"]])]
    assert (server.answers, server.service.pending(), server.rows()) == ([[["Red"]]], [], 0)
    assert server.kept == [(id, [["Red"]])]


async def test_dismissed_questions_fail_the_call_and_stop_the_turn(server: Server) -> None:
    async def ask() -> None:
        with pytest.raises(QuestionRejected, match="The user dismissed this question"):
            await server.ask()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        id = await server.asked()
        await server.service.reject(id)
    assert server.told[1:] == [QuestionRejectedEvent(session_id=SESSION, request_id=id)]
    assert server.rows() == 0
    assert QuestionRejected.stops_turn


@pytest.mark.parametrize("abort", ["cancel", "drop"])
async def test_an_aborted_session_dismisses_its_questions(server: Server, abort: str) -> None:
    async def ask() -> None:
        with suppress(QuestionRejected):
            await server.ask()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        id = await server.asked()
        if abort == "cancel":
            tasks.cancel_scope.cancel()
        else:
            await server.service.drop_session(SESSION)
    assert server.told[1:] == [QuestionRejectedEvent(session_id=SESSION, request_id=id)]
    assert (server.service.pending(), server.rows()) == ([], 0)


async def test_a_reply_to_nothing_is_an_error_with_the_id(server: Server) -> None:
    for reply in (server.service.reply(QuestionID("que_1"), []), server.service.reject(QuestionID("que_1"))):
        with pytest.raises(QuestionRequestNotFound) as caught:
            await reply
        assert caught.value.tag == "QuestionNotFoundError"
        assert caught.value.data == {"message": "Question request not found: que_1", "requestID": "que_1"}


@pytest.mark.parametrize("answers", [[["Red"]], None])
async def test_questions_outlive_the_process_and_their_answer_reaches_the_loop(
    tmp_path: Path, answers: QuestionAnswers | None
) -> None:
    rows: list[tuple[Any, ...]] = []
    async with serving(tmp_path) as server:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.ask)
            id = await server.asked()
            rows = server.database.read("SELECT * FROM question_request")
            tasks.cancel_scope.cancel()
        # Cancelling tidied up, which a killed process does not get to do.
        await server.database.write(
            lambda tx: tx.executemany("INSERT INTO question_request VALUES (?, ?, ?, ?, ?)", rows)
        )
    async with serving(tmp_path) as server:
        assert [(wait.request.id, wait.is_orphan) for wait in server.service.waits()] == [(id, True)]
        if answers is None:
            await server.service.reject(id)
        else:
            await server.service.reply(id, answers)
        assert (server.orphan_replies, server.rows()) == ([answers], 0)
        assert server.kept == ([] if answers is None else [(id, answers)])
