"""Asks a person questions for the model (spec: agents and permissions, section 5)."""

from collections.abc import Awaitable, Callable, Sequence

import anyio

from opencode.core.clock import Clock
from opencode.core.ids import IdGenerator, QuestionID, SessionID
from opencode.core.wire import UNSET
from opencode.event.asks import Ask, AskKind, Asks, OrphanFailed, Settlement, ignore
from opencode.event.bus import EventPublisher
from opencode.event.unattended import Unattended
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
from opencode.storage.database import Database, Transaction

PendingQuestion = Ask[QuestionRequest, QuestionAnswers]
RecordAnswers = Callable[[Transaction, QuestionRequest, QuestionAnswers], None]
OrphanAnswered = Callable[[QuestionRequest, QuestionAnswers | None], Awaitable[None]]

DISMISSED_UNATTENDED = "No user dismissed or answered this question"


class QuestionService:
    """The questions of one directory. Each is a row until it is settled, so it can be answered after a restart too.

    ``on_answers`` keeps answers in the transaction that settles their question: once a person is told that they
    were taken, they are not lost.
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
        *,
        unattended: Unattended | None = None,
        on_orphan_failed: OrphanFailed = ignore,
    ) -> None:
        self._unattended = unattended or Unattended()
        kind = AskKind("question_request", QuestionRequest, _asked, _rejected)
        self._asks: Asks[QuestionRequest, QuestionAnswers] = Asks(
            database, events, clock, directory, kind, self._unattended
        )
        self._ids = ids
        self._on_answers = on_answers
        self._on_orphan_reply = on_orphan_reply
        self._on_orphan_failed = on_orphan_failed

    async def restore(self) -> None:
        """Offer the questions of an earlier process again; to be called once, before any other ask."""
        await self._asks.restore()

    async def expire(self) -> None:
        """Settle questions that nobody could answer in time. Runs until cancelled."""
        await self._asks.expire(self._give_up)

    def pending(self) -> list[QuestionRequest]:
        """What waits for answers, oldest first."""
        return [ask.request for ask in self._asks.waiting()]

    def get(self, request_id: QuestionID) -> QuestionRequest:
        """One that waits for answers. Raises ``QuestionRequestNotFound``."""
        return self._open(request_id).request

    def waits(self, session_id: SessionID | None = None) -> list[PendingQuestion]:
        """The same, with since when each waits and until when; of one session, or of all."""
        return self._asks.waiting(session_id)

    async def ask(
        self, session_id: SessionID, questions: list[QuestionInfo], tool: QuestionTool | None = None
    ) -> QuestionAnswers:
        """The answers, one list per question; empty where the person chose nothing.

        Publishes ``question.asked``. Raises ``QuestionRejected`` when the person dismisses the questions, and what
        the policy for unattended servers says when nobody is there.
        """
        request = QuestionRequest(
            id=self._ids.question(),
            session_id=session_id,
            questions=questions,
            tool=UNSET if tool is None else tool,
        )
        return await self._asks.wait(request)

    async def reply(self, request_id: QuestionID, answers: QuestionAnswers) -> None:
        """Answer. Publishes ``question.replied``. Raises ``QuestionRequestNotFound``."""
        ask = self._open(request_id)
        request = ask.request
        replied = QuestionReplied(session_id=request.session_id, request_id=request.id, answers=answers)
        settlement = Settlement(ask, replied, reply=answers)
        await self._asks.settle([settlement], lambda tx: self._on_answers(tx, request, answers))
        await self._resume(ask, answers)

    async def reject(self, request_id: QuestionID) -> None:
        """Dismiss. Publishes ``question.rejected``. Raises ``QuestionRequestNotFound``."""
        ask = self._open(request_id)
        await self._asks.settle([_dismissal(ask)])
        await self._resume(ask, None)

    async def drop_session(self, session_id: SessionID) -> None:
        """Dismiss whatever the session asks: it was aborted or deleted. Nothing is resumed."""
        await self._asks.settle([_dismissal(ask) for ask in self._asks.waiting(session_id)])

    async def _give_up(self, asks: Sequence[PendingQuestion]) -> None:
        refusal = self._unattended.refusal(DISMISSED_UNATTENDED)
        await self._asks.settle([Settlement(ask, _rejected(ask.request), refusal) for ask in asks])
        for ask in asks:
            if ask.is_orphan:
                await self._on_orphan_failed(ask.request.session_id, refusal)

    def _open(self, request_id: QuestionID) -> PendingQuestion:
        ask = self._asks.get(request_id)
        if ask is None:
            raise QuestionRequestNotFound(request_id)
        return ask

    async def _resume(self, ask: PendingQuestion, answers: QuestionAnswers | None) -> None:
        """Go on with the session that asked in an earlier process."""
        if ask.is_orphan:
            with anyio.CancelScope(shield=True):
                await self._on_orphan_reply(ask.request, answers)


def _dismissal(ask: PendingQuestion) -> Settlement[QuestionRequest, QuestionAnswers]:
    return Settlement(ask, _rejected(ask.request), QuestionRejected())


def _asked(request: QuestionRequest) -> QuestionAsked:
    return QuestionAsked(id=request.id, session_id=request.session_id, questions=request.questions, tool=request.tool)


def _rejected(request: QuestionRequest) -> QuestionRejectedEvent:
    return QuestionRejectedEvent(session_id=request.session_id, request_id=request.id)
