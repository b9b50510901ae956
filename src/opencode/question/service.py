"""Asks a person questions for the model (spec: agents and permissions, section 5)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import anyio

from opencode.core.clock import Clock
from opencode.core.ids import IdGenerator, QuestionID, SessionID
from opencode.core.wire import UNSET
from opencode.event.bus import EventPublisher
from opencode.event.schema import Event
from opencode.question.errors import QuestionRejected, QuestionRequestNotFound
from opencode.question.schema import (
    QuestionAnswers,
    QuestionAsked,
    QuestionInfo,
    QuestionReplied,
    QuestionRequest,
    QuestionTool,
)
from opencode.question.schema import QuestionRejected as QuestionRejectedEvent
from opencode.question.store import QuestionStore
from opencode.storage.database import Database, Transaction

RecordAnswers = Callable[[Transaction, QuestionRequest, QuestionAnswers], None]
OrphanAnswered = Callable[[QuestionRequest, QuestionAnswers | None], Awaitable[None]]


@dataclass(slots=True)
class PendingQuestion:
    """Questions that wait. An orphan was found at start-up: the run that asked is gone, and nobody waits for it."""

    request: QuestionRequest
    since_ms: int
    is_orphan: bool = False
    is_settling: bool = False
    settled: anyio.Event = field(default_factory=anyio.Event)
    answers: QuestionAnswers | None = None


class QuestionService:
    """The questions of one directory. Each is a row until it is settled, so it can be answered after a restart too.

    A question waits without limit; their number is bounded by the tool calls that run. ``on_answers`` keeps answers
    in the transaction that settles their question: once a person is told that they were taken, they are not lost.
    """

    def __init__(
        self,
        database: Database,
        events: EventPublisher,
        ids: IdGenerator,
        clock: Clock,
        directory: str,
        on_answers: RecordAnswers,
        on_orphan_reply: OrphanAnswered,
    ) -> None:
        self._database = database
        self._store = QuestionStore(database, directory)
        self._events = events
        self._ids = ids
        self._clock = clock
        self._on_answers = on_answers
        self._on_orphan_reply = on_orphan_reply
        self._pending: dict[QuestionID, PendingQuestion] = {}

    async def restore(self) -> None:
        """Offer the questions of an earlier process again; to be called once, before any other ask."""
        for request, since_ms in self._store.all():
            self._pending[request.id] = PendingQuestion(request, since_ms, is_orphan=True)

    def pending(self) -> list[QuestionRequest]:
        """What waits for answers, oldest first."""
        return [question.request for question in self.waits()]

    def waits(self) -> list[PendingQuestion]:
        """The same, with since when each waits and whether a run waits for it."""
        return [question for question in self._pending.values() if not question.is_settling]

    async def ask(
        self, session_id: SessionID, questions: list[QuestionInfo], tool: QuestionTool | None = None
    ) -> QuestionAnswers:
        """The answers, one list per question; empty where the person chose nothing.

        Publishes ``question.asked``. Raises ``QuestionRejected`` when the person dismisses the questions.
        """
        request = QuestionRequest(
            id=self._ids.question(),
            session_id=session_id,
            questions=questions,
            tool=UNSET if tool is None else tool,
        )
        question = PendingQuestion(request, self._clock.now_ms())
        self._pending[request.id] = question
        try:
            await self._add(question)
            await question.settled.wait()
        except BaseException:
            if not question.is_settling:
                await self._settle(question, _rejected(request))
            raise
        if question.answers is None:
            raise QuestionRejected
        return question.answers

    async def reply(self, request_id: QuestionID, answers: QuestionAnswers) -> None:
        """Answer. Publishes ``question.replied``. Raises ``QuestionRequestNotFound``."""
        question = self._open(request_id)
        request = question.request
        replied = QuestionReplied(session_id=request.session_id, request_id=request.id, answers=answers)
        await self._settle(question, replied, lambda tx: self._on_answers(tx, request, answers))
        await self._release(question, answers)

    async def reject(self, request_id: QuestionID) -> None:
        """Dismiss. Publishes ``question.rejected``. Raises ``QuestionRequestNotFound``."""
        question = self._open(request_id)
        await self._settle(question, _rejected(question.request))
        await self._release(question, None)

    async def drop_session(self, session_id: SessionID) -> None:
        """Dismiss whatever the session asks: it was aborted or deleted. Nothing is resumed."""
        for question in self.waits():
            if question.request.session_id == session_id:
                await self._settle(question, _rejected(question.request))
                question.settled.set()

    def _open(self, request_id: QuestionID) -> PendingQuestion:
        question = self._pending.get(request_id)
        if question is None or question.is_settling:
            raise QuestionRequestNotFound(request_id)
        return question

    async def _add(self, question: PendingQuestion) -> None:
        request = question.request

        def change(tx: Transaction) -> None:
            self._store.add(tx, request, question.since_ms)
            self._events.append(tx, _asked(request))

        # Not interruptible: afterwards we know that the row is there, and remove it if the wait is cancelled.
        with anyio.CancelScope(shield=True):
            await self._database.write(change)

    async def _settle(
        self, question: PendingQuestion, event: Event, keep: Callable[[Transaction], None] = lambda tx: None
    ) -> None:
        """Take a question off the list and out of the table, and announce it: all of it or nothing."""

        def change(tx: Transaction) -> None:
            self._store.remove(tx, question.request.id)
            self._events.append(tx, event)
            keep(tx)

        question.is_settling = True
        try:
            with anyio.CancelScope(shield=True):
                await self._database.write(change)
        except BaseException:
            question.is_settling = False
            raise
        self._pending.pop(question.request.id, None)

    async def _release(self, question: PendingQuestion, answers: QuestionAnswers | None) -> None:
        """Let the waiting call go on, or the session that asked in an earlier process."""
        question.answers = answers
        question.settled.set()
        if question.is_orphan:
            with anyio.CancelScope(shield=True):
                await self._on_orphan_reply(question.request, answers)


def _asked(request: QuestionRequest) -> QuestionAsked:
    return QuestionAsked(id=request.id, session_id=request.session_id, questions=request.questions, tool=request.tool)


def _rejected(request: QuestionRequest) -> QuestionRejectedEvent:
    return QuestionRejectedEvent(session_id=request.session_id, request_id=request.id)
