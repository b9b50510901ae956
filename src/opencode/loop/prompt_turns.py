"""Which turn answers a prompt, and what its sender gets: the way from a stored prompt to a run and back."""

from dataclasses import dataclass
from functools import partial

import anyio
import msgspec

from opencode.core.errors import NamedError, Unavailable
from opencode.core.ids import MessageID, SessionID
from opencode.core.log import Logger
from opencode.core.wire import UNSET, UnsetType, Wire, decode
from opencode.loop.admission import Admission
from opencode.loop.loop import AgentLoop
from opencode.loop.queue import (
    AdmittedPrompt,
    PromptCancelled,
    PromptQueue,
    PromptTakenUp,
    QueuedPrompt,
    QueuedPromptNotFound,
    steering,
)
from opencode.loop.revert import Reverts
from opencode.loop.run_state import Run, RunState
from opencode.loop.turn import UNFINISHED
from opencode.session.changes import Change, Tell
from opencode.session.errors import SessionNotFound
from opencode.session.inputs import PromptInput
from opencode.session.schema import (
    AssistantMessage,
    MessageText,
    MessageWithParts,
    Session,
    SessionErrored,
    UnknownError,
    UserMessage,
)
from opencode.session.store import SessionStore
from opencode.storage.errors import StorageError

RETRY_SECONDS = 2.0
"""How soon it is tried again to take a prompt up that the database refused."""

log = Logger("session.prompt")


@dataclass(frozen=True, slots=True)
class Delivered:
    """A stored prompt and the run that answers it; none for ``noReply``."""

    message_id: MessageID
    run: Run | None
    is_queued: bool = False


class PromptTurns:
    """The turns of one directory's prompts.

    A prompt for a busy session joins the running turn, or waits in the queue for one of its own. An abort holds the
    queue: its prompts stay, and go on when somebody prompts the session again or resumes the queue.
    """

    def __init__(
        self,
        store: SessionStore,
        admission: Admission,
        runs: RunState,
        queue: PromptQueue,
        loop: AgentLoop,
        reverts: Reverts,
    ) -> None:
        self._store = store
        self._admission = admission
        self._runs = runs
        self._queue = queue
        self._loop = loop
        self._reverts = reverts

    # --- in -------------------------------------------------------------------------------------------------------

    async def deliver(self, session: Session, prompt: PromptInput) -> Delivered:
        """Store a prompt and see to it that it is answered.

        Raises as ``Admission.prepare``; ``QueueFull``, ``InstanceClosed``: then it is not stored.
        """
        session_id, message_id = session.id, prompt.message_id
        if message_id is not UNSET and (run := self._runs.queued(session_id, message_id)) is not None:
            return Delivered(message_id, run, is_queued=True)
        admitted = await self._admission.prepare(session, prompt)
        if admitted is not None:
            message_id = admitted.message.id
        assert message_id is not UNSET
        if prompt.no_reply is True:
            if admitted is not None:
                await self._admission.store(session, admitted)
            return Delivered(message_id, None)
        with self._runs.admitting():
            if admitted is not None and prompt.delivery == "queue" and self._is_occupied(session_id):
                return await self._enqueue(admitted)
            if admitted is not None:
                await self._admission.store(session, admitted)
            run = self._runs.join(session_id, self._loop.run, self._loop.settle, message_id)
        await self.resume(session_id)
        return Delivered(message_id, run)

    def _is_occupied(self, session_id: SessionID) -> bool:
        return self._runs.get(session_id) is not None or self._runs.has_queue(session_id)

    async def _enqueue(self, admitted: AdmittedPrompt) -> Delivered:
        session_id, message_id = admitted.message.session_id, admitted.message.id
        run = self._runs.turn(session_id, message_id, self._take_up, self._loop.settle)
        await self.resume(session_id)
        await self._queue.add(admitted, lambda: self._runs.enqueue(run))
        return Delivered(message_id, run, is_queued=True)

    async def restore(self) -> None:
        """Go on with the queues of an earlier process, except for those that an abort holds."""
        waiting = self._queue.all()
        for session_id, _, held in waiting:
            if held:
                self._runs.hold(session_id)
        for session_id, message_id, _ in waiting:
            self._runs.enqueue(self._runs.turn(session_id, message_id, self._take_up, self._loop.settle))

    # --- the queue ------------------------------------------------------------------------------------------------

    def waiting(self, session_id: SessionID) -> list[QueuedPrompt]:
        """The prompts that nobody works on yet: first those that join the running turn, then the queue; in order."""
        run = self._runs.get(session_id)
        runs = [] if run is None else [run, *filter(None, [run.follower])]
        unseen = [self._store.message(session_id, id) for run in runs for id in run.unseen]
        steered = [
            steering(message.info, message.parts)
            for message in unseen
            if message is not None and isinstance(message.info, UserMessage)
        ]
        return [*steered, *self._queue.of(session_id)]

    async def cancel(self, session_id: SessionID, message_id: MessageID) -> None:
        """Take a prompt out of the queue. Raises ``QueuedPromptNotFound``; ``PromptTakenUp`` once it has its turn."""

        def drop() -> None:
            self._runs.dequeue(session_id, message_id, PromptCancelled(message_id))

        try:
            await self._queue.remove(session_id, message_id, drop)
        except QueuedPromptNotFound:
            run = self._runs.get(session_id)
            began = run is not None and run.queued_as == message_id
            if began or self._store.message_json(session_id, message_id) is not None:
                raise PromptTakenUp(message_id) from None
            raise

    async def hold(self, session_id: SessionID) -> None:
        """Start no prompt of the queue until somebody asks for more."""
        if not self._queue.of(session_id):
            return
        self._runs.hold(session_id)
        try:
            await self._queue.hold(session_id, True)
        except StorageError as error:  # what runs must be stopped all the same
            log.warning("that a queue is held could not be stored", session=session_id, error=error.message)

    async def resume(self, session_id: SessionID) -> None:
        """Go on with a queue that an abort holds."""
        if self._runs.is_held(session_id):
            await self._queue.hold(session_id, False)
            self._runs.release(session_id)

    def drop(self, session_id: SessionID) -> None:
        """Forget the queue: the session goes, and its rows go with it."""
        self._runs.drop_queue(session_id, SessionNotFound(session_id))

    # --- a turn from the queue ------------------------------------------------------------------------------------

    async def _take_up(self, run: Run) -> None:
        """The work of such a turn: the prompt becomes a message, then the loop answers it."""
        if run.queued_as is None:
            run.queued_as = run.prompts[0]
            try:
                run.prompts[0] = await self._taken_up(run.session_id, run.queued_as)
            except anyio.get_cancelled_exc_class():
                again = self._runs.turn(run.session_id, run.queued_as, self._take_up, self._loop.settle)
                self._runs.put_back(again)
                raise
        await self._loop.run(run)

    async def _taken_up(self, session_id: SessionID, message_id: MessageID) -> MessageID:
        while True:
            try:
                with anyio.CancelScope(shield=True):
                    session = await self._session(session_id)
                    return await self._queue.take_up(session_id, message_id, partial(self._admission.changes, session))
            except StorageError as error:
                log.warning("a queued prompt could not be taken up yet", session=session_id, error=error.message)
            except QueuedPromptNotFound:
                raise PromptCancelled(message_id) from None
            except NamedError as error:
                await self._discard(session_id, message_id, error)
                raise
            await anyio.sleep(RETRY_SECONDS)

    async def _discard(self, session_id: SessionID, message_id: MessageID, error: NamedError) -> None:
        """A prompt that can never become a message must not keep the others from their turn."""
        problem = UnknownError(data=MessageText(message=error.message))
        told: Change = Tell(SessionErrored(session_id=session_id, error=problem))
        await self._queue.remove(session_id, message_id)
        await self._store.commit(told)

    async def _session(self, session_id: SessionID) -> Session:
        session = self._store.session(session_id)
        if session is not None and session.revert is not UNSET:
            await self._reverts.finalise(session_id)
            session = self._store.session(session_id)
        if session is None:
            raise SessionNotFound(session_id)
        return session

    # --- out ------------------------------------------------------------------------------------------------------

    async def outcome(self, delivered: Delivered) -> bytes:
        """What became of a prompt: ``{info, parts}`` as JSON.

        As long as all goes well, everybody who waits for a run gets its last answer (golden trace ``queue_busy``).
        When it failed or was stopped, a prompt that had been answered before keeps its answer. Raises what keeps
        this prompt from being answered.
        """
        run = delivered.run
        assert run is not None
        await run.done.wait()
        prompt = run.prompts[0] if delivered.is_queued and run.prompts else delivered.message_id
        if (refusal := run.refused.get(prompt)) is not None:
            raise refusal
        if run.error is None and _is_outcome_of(prompt, run.result):
            return run.result
        since = self._store.history_from(run.session_id, prompt)
        if (own := next((message for message in reversed(since) if _is_final(message)), None)) is not None:
            return self._store.message_json(run.session_id, own.info.id) or run.result
        if run.error is not None:
            raise run.error
        if not since:
            raise Unavailable("The turn was stopped before it began; the prompt is still in the queue")
        return run.result


class _Info(Wire):
    error: msgspec.Raw | UnsetType = UNSET
    parent_id: MessageID | UnsetType = UNSET


class _Answer(Wire):
    """The part of an answer that tells whether it is one."""

    info: _Info


def _is_outcome_of(prompt: MessageID, answer: bytes) -> bool:
    """Whether the run went well, or failed with this very prompt: then words before the failure are no answer."""
    info = decode(answer, _Answer).info
    return info.error is UNSET or info.parent_id == prompt


def _is_final(message: MessageWithParts) -> bool:
    info = message.info
    return (
        isinstance(info, AssistantMessage)
        and info.error is UNSET
        and info.summary is not True
        and info.finish is not UNSET
        and info.finish not in UNFINISHED
    )
