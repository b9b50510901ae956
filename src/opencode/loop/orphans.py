"""Replies to asks whose run died with an earlier process: the session goes on from there."""

from collections.abc import Awaitable, Callable

from opencode.core.clock import Clock
from opencode.core.ids import MessageID, SessionID
from opencode.core.rejection import Rejected, UnansweredFailure
from opencode.core.wire import UNSET, replace
from opencode.permission.schema import PermissionReply, PermissionRequest
from opencode.question.schema import QuestionAnswers, QuestionRequest
from opencode.session.changes import PutPart, Tell
from opencode.session.schema import (
    MessageText,
    SessionErrored,
    ToolPart,
    ToolStateCompleted,
    ToolStateError,
    ToolStateRunning,
    ToolTime,
    UnansweredError,
)
from opencode.session.store import SessionStore
from opencode.storage.database import Transaction
from opencode.tool.builtin.question import question_result

Resume = Callable[[SessionID], Awaitable[None]]


class Orphans:
    """Goes on with sessions whose ask was answered after a restart.

    Nothing is run again by itself: a permitted call ended as interrupted, the model sees that, and its repeated
    call passes because the permission is remembered. Answers to a question become the result of its call.
    """

    def __init__(self, store: SessionStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.resume: Resume = _cannot_resume
        """Set by the assembly: the loop needs the asks, and the asks need the loop."""

    async def permission_replied(self, request: PermissionRequest, reply: PermissionReply, _: str | None) -> None:
        """An ask was settled; only what was allowed goes on."""
        if reply != "reject":
            await self.resume(request.session_id)

    def keep_answers(self, tx: Transaction, request: QuestionRequest, answers: QuestionAnswers) -> None:
        """Make answers the result of the call that asked, within the transaction that settles the questions.

        A call that still runs tells of its result itself, in a moment; if the server dies before that, start-up
        repair does.
        """
        if request.tool is UNSET:
            return
        part = self._call(request.session_id, request.tool.message_id, request.tool.call_id)
        if part is None or not isinstance(state := part.state, ToolStateRunning | ToolStateError):
            return
        result = question_result(request.questions, answers)
        completed = ToolStateCompleted(
            input=state.input,
            output=result.output,
            title=result.title,
            metadata=result.metadata,
            time=ToolTime(start=state.time.start, end=self._clock.now_ms()),
        )
        still_runs = isinstance(state, ToolStateRunning)
        self._store.apply(tx, PutPart(replace(part, state=completed), silent=still_runs))

    async def question_answered(self, request: QuestionRequest, answers: QuestionAnswers | None) -> None:
        """Questions were settled; dismissed ones leave the session at rest."""
        if answers is not None:
            await self.resume(request.session_id)

    async def unanswered(self, session_id: SessionID, refusal: Rejected) -> None:
        """Nobody was there to answer in time: the session stays at rest, and where that is a failure it is told."""
        if isinstance(refusal, UnansweredFailure):
            error = UnansweredError(data=MessageText(message=str(refusal)))
            await self._store.commit(Tell(SessionErrored(session_id=session_id, error=error)))

    def _call(self, session_id: SessionID, message_id: MessageID, call_id: str) -> ToolPart | None:
        message = self._store.message(session_id, message_id)
        parts = [] if message is None else message.parts
        return next((part for part in parts if isinstance(part, ToolPart) and part.call_id == call_id), None)


async def _cannot_resume(session_id: SessionID) -> None:
    raise RuntimeError(f"nothing can resume {session_id} yet")
