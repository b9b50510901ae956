"""What callers do with a session: prompt it, run a shell command in it, abort it (spec: prompt loop, section 2)."""

from collections.abc import Awaitable, Callable

from opencode.core.ids import MessageID, SessionID
from opencode.core.keyed_locks import KeyedLocks
from opencode.core.log import Logger
from opencode.core.wire import UnsetType
from opencode.loop.admission import Admission
from opencode.loop.compaction import Compaction
from opencode.loop.loop import AgentLoop
from opencode.loop.open_parts import OpenParts
from opencode.loop.preparations import Preparations
from opencode.loop.prompt_turns import PromptTurns
from opencode.loop.queue import QueuedPrompt
from opencode.loop.revert import Reverts
from opencode.loop.run_state import RunState
from opencode.loop.shell import UserShell
from opencode.loop.status import SessionStatuses
from opencode.loop.turn_summary import TurnSummaries
from opencode.loop.waits import SessionWhy
from opencode.loop.why import WhyService
from opencode.session.inputs import MessagePage, PromptInput, RevertInput, ShellInput, SummarizeInput
from opencode.session.schema import Session, SessionStatus, SnapshotFileDiff, UserMessage
from opencode.session.service import SessionService
from opencode.session.store import SessionStore

log = Logger("session.prompt")

DropAsks = Callable[[SessionID], Awaitable[None]]
StopBackground = Callable[[SessionID], Awaitable[None]]


class PromptService:
    """The way into the loop. A caller that goes away never stops what it started; ``abort`` does."""

    def __init__(
        self,
        *,
        sessions: SessionService,
        store: SessionStore,
        admission: Admission,
        turns: PromptTurns,
        why: WhyService,
        loop: AgentLoop,
        shell: UserShell,
        runs: RunState,
        statuses: SessionStatuses,
        compaction: Compaction,
        reverts: Reverts,
        summaries: TurnSummaries,
        drop_asks: DropAsks,
        open_parts: OpenParts,
    ) -> None:
        self._sessions = sessions
        self._store = store
        self._admission = admission
        self.turns = turns
        """The queue of each session, too."""
        self._why = why
        self._loop = loop
        self._shell = shell
        self._runs = runs
        self._statuses = statuses
        self._compaction = compaction
        self._reverts = reverts
        self._summaries = summaries
        self._drop_asks = drop_asks
        self.stop_background: StopBackground = _nothing
        """Stops what the subagents of a session do in the background; set by the assembly."""
        self._open_parts = open_parts
        self._changing: KeyedLocks[SessionID] = KeyedLocks()
        """Nothing may begin in a session while its files are put back, nor the other way round."""
        self.preparations = Preparations()
        """What is done for prompts before they are stored."""

    @property
    def is_busy(self) -> bool:
        """Whether something runs or waits for its turn, in any session."""
        return self._runs.is_busy

    def statuses(self) -> dict[SessionID, SessionStatus]:
        """Sessions that are not idle."""
        return self._statuses.current()

    def few_messages(self, session_id: SessionID, limit: int | None, before: str | None) -> MessagePage | None:
        """The same as :meth:`messages`, if nothing has to be waited for: no text to be stored, few messages."""
        if self._open_parts.has_any(session_id):
            return None
        return self._sessions.few_messages(session_id, limit, before)

    def why(self, session_id: SessionID) -> SessionWhy:
        """What a session waits for. Raises ``SessionNotFound``."""
        return self._why.of(session_id)

    async def messages(self, session_id: SessionID, limit: int | None, before: str | None) -> MessagePage:
        """A page of messages, with all the text the model has written so far. Raises as ``SessionService.messages``."""
        await self._open_parts.save_all(session_id)
        return await self._sessions.messages(session_id, limit, before)

    async def message(self, session_id: SessionID, message_id: MessageID) -> bytes:
        """One message, likewise. Raises as ``SessionService.message_raw``."""
        await self._open_parts.save_all(session_id)
        return await self._sessions.message_raw(session_id, message_id)

    async def prompt(self, session_id: SessionID, prompt: PromptInput) -> bytes:
        """Store the prompt and wait for its answer: ``{info, parts}`` as JSON.

        With ``noReply``: the stored user message. The prompt is committed before anything runs. Raises
        ``SessionNotFound``, ``AgentNotFound``, ``ProviderModelNotFound``, ``MessageTaken``, ``QueueFull``,
        ``PromptCancelled``.
        """
        async with self._changing.hold(session_id):
            delivered = await self.turns.deliver(await self._current(session_id), prompt)
        if delivered.run is None:
            return await self._sessions.message_raw(session_id, delivered.message_id)
        return await self.turns.outcome(delivered)

    async def prompt_async(self, session_id: SessionID, prompt: PromptInput) -> None:
        """Store the prompt and start its run; returns when it is committed. Raises as ``prompt``."""
        async with self._changing.hold(session_id):
            await self.turns.deliver(await self._current(session_id), prompt)

    async def resume(self, session_id: SessionID) -> None:
        """Go on with a session that a restart interrupted."""
        self._runs.join(session_id, self._loop.run, self._loop.settle)

    async def shell(self, session_id: SessionID, wanted: ShellInput) -> bytes:
        """Run a shell command for the user: ``{info, parts}`` of its message. Raises ``SessionBusy``."""
        async with self._changing.hold(session_id):
            self._runs.require_idle(session_id)
            session = await self._current(session_id)
            agent = await self._admission.agent(session, wanted.agent)
            model = self._admission.model(session, agent, wanted.model)
            command = self._shell.command(session_id, agent.name, model, wanted)
            run = self._runs.exclusive(session_id, command.run, command.settle)
        return await run.outcome()

    async def summarize(self, session_id: SessionID, wanted: SummarizeInput) -> None:
        """Condense the history and wait until it is done. Raises as ``Compaction.request``."""
        async with self._changing.hold(session_id):
            await self._current(session_id)
            with self._runs.admitting():
                await self._compaction.request(session_id, wanted)
                run = self._runs.join(session_id, self._loop.run, self._loop.settle)
        await run.outcome()

    async def revert(self, session_id: SessionID, wanted: RevertInput) -> Session:
        """Go back to a message or part, files included. Raises ``SessionBusy``."""
        self._sessions.get_raw(session_id)
        async with self._changing.hold(session_id):
            self._runs.require_idle(session_id)
            return await self._reverts.revert(session_id, wanted)

    async def unrevert(self, session_id: SessionID) -> Session:
        """Take a revert back. Raises ``SessionBusy``."""
        self._sessions.get_raw(session_id)
        async with self._changing.hold(session_id):
            self._runs.require_idle(session_id)
            return await self._reverts.unrevert(session_id)

    async def diff(self, session_id: SessionID, message_id: MessageID | None) -> list[SnapshotFileDiff]:
        """What the session, or the turn of one of its user messages, changed in files.

        While a revert is pending, the session's changes are those that it took back: what ``session.diff`` told.
        """
        session = await self._sessions.get(session_id)
        if message_id is None:
            if isinstance(session.revert, UnsetType):
                return await self._summaries.session_diffs(session_id)
            return await self._reverts.taken_back(session_id, session.revert)
        message = self._store.message(session_id, message_id)
        if message is None or not isinstance(message.info, UserMessage) or isinstance(message.info.summary, UnsetType):
            return []
        return message.info.summary.diffs

    async def queue(self, session_id: SessionID) -> list[QueuedPrompt]:
        """The prompts that nobody works on yet, in order. Raises ``SessionNotFound``."""
        self._sessions.get_raw(session_id)
        return self.turns.waiting(session_id)

    async def resume_queue(self, session_id: SessionID) -> list[QueuedPrompt]:
        """Go on with a queue that an abort holds; gives what waits then. Raises ``SessionNotFound``."""
        self._sessions.get_raw(session_id)
        await self.turns.resume(session_id)
        return self.turns.waiting(session_id)

    async def cancel_queued(self, session_id: SessionID, message_id: MessageID) -> None:
        """Take a prompt out of the queue. Raises ``SessionNotFound``, ``QueuedPromptNotFound``, ``PromptTakenUp``."""
        self._sessions.get_raw(session_id)
        await self.turns.cancel(session_id, message_id)

    async def abort(self, session_id: SessionID) -> None:
        """Stop whatever runs in the session and wait until it has stopped; publishes idle in any case.

        Prompts that wait for a turn of their own stay in the queue, which is held.
        """
        self._sessions.get_raw(session_id)
        await self.stop_background(session_id)
        await self.turns.hold(session_id)
        await self.preparations.cancel(session_id)
        if not await self._runs.cancel(session_id):
            await self._drop_asks(session_id)
            await self._store.commit(*self._statuses.idle(session_id))

    async def delete_session(self, session_id: SessionID) -> None:
        """Stop the session and its children, then remove them. Raises ``SessionNotFound``."""
        # The session first, and with it the subagents it waits for: stopped before it, they could be started anew.
        for session in reversed(await self._sessions.family(session_id)):
            await self.stop_background(session.id)
            self.turns.drop(session.id)
            await self.preparations.cancel(session.id)
            await self._runs.cancel(session.id)
            await self._drop_asks(session.id)
        await self._sessions.delete(session_id)

    async def delete_message(self, session_id: SessionID, message_id: MessageID) -> None:
        """Remove a message of an idle session. Raises ``SessionBusy``, ``MessageNotFound``."""
        self._sessions.get_raw(session_id)
        self._runs.require_idle(session_id)
        await self._sessions.delete_message(session_id, message_id)

    async def _current(self, session_id: SessionID) -> Session:
        """The session as it goes on: a pending revert is made final. Raises ``SessionNotFound``."""
        session = await self._sessions.get(session_id)
        if isinstance(session.revert, UnsetType) or self._runs.get(session_id) is not None:
            return session
        await self._reverts.finalise(session_id)
        return await self._sessions.get(session_id)


async def _nothing(_: SessionID) -> None:
    """Where nothing works in the background."""
