"""What callers do with a session: prompt it, run a shell command in it, abort it (spec: prompt loop, section 2)."""

from collections.abc import Awaitable, Callable

from opencode.core.ids import MessageID, SessionID
from opencode.core.log import Logger
from opencode.core.wire import UnsetType
from opencode.loop.admission import Admission
from opencode.loop.compaction import Compaction
from opencode.loop.loop import AgentLoop
from opencode.loop.revert import Reverts
from opencode.loop.run_state import RunState
from opencode.loop.shell import UserShell
from opencode.loop.status import SessionStatuses
from opencode.loop.turn_summary import TurnSummaries
from opencode.session.inputs import MessagePage, PromptInput, RevertInput, ShellInput, SummarizeInput
from opencode.session.schema import Session, SessionStatus, SnapshotFileDiff, UserMessage
from opencode.session.service import SessionService
from opencode.session.store import SessionStore

log = Logger("session.prompt")

DropAsks = Callable[[SessionID], Awaitable[None]]
SaveGrowing = Callable[[SessionID], Awaitable[None]]


class PromptService:
    """The way into the loop. A caller that goes away never stops what it started; ``abort`` does."""

    def __init__(
        self,
        *,
        sessions: SessionService,
        store: SessionStore,
        admission: Admission,
        loop: AgentLoop,
        shell: UserShell,
        runs: RunState,
        statuses: SessionStatuses,
        compaction: Compaction,
        reverts: Reverts,
        summaries: TurnSummaries,
        drop_asks: DropAsks,
        save_growing: SaveGrowing,
    ) -> None:
        self._sessions = sessions
        self._store = store
        self._admission = admission
        self._loop = loop
        self._shell = shell
        self._runs = runs
        self._statuses = statuses
        self._compaction = compaction
        self._reverts = reverts
        self._summaries = summaries
        self._drop_asks = drop_asks
        self._save_growing = save_growing

    def statuses(self) -> dict[SessionID, SessionStatus]:
        """Sessions that are not idle."""
        return self._statuses.current()

    async def messages(self, session_id: SessionID, limit: int | None, before: str | None) -> MessagePage:
        """A page of messages, with all the text the model has written so far. Raises as ``SessionService.messages``."""
        await self._save_growing(session_id)
        return await self._sessions.messages(session_id, limit, before)

    async def message(self, session_id: SessionID, message_id: MessageID) -> bytes:
        """One message, likewise. Raises as ``SessionService.message_raw``."""
        await self._save_growing(session_id)
        return await self._sessions.message_raw(session_id, message_id)

    async def prompt(self, session_id: SessionID, prompt: PromptInput) -> bytes:
        """Store the prompt and wait for its answer: ``{info, parts}`` as JSON.

        With ``noReply``: the stored user message. The prompt is committed before anything runs. Raises
        ``SessionNotFound``, ``AgentNotFound``, ``ProviderModelNotFound``, ``MessageTaken``.
        """
        session = await self._current(session_id)
        message_id = await self._admission.admit(session, prompt)
        if prompt.no_reply is True:
            return await self._sessions.message_raw(session_id, message_id)
        run = self._runs.join(session_id, self._loop.run, self._loop.settle)
        return await run.outcome()

    async def prompt_async(self, session_id: SessionID, prompt: PromptInput) -> None:
        """Store the prompt and start its run; returns when it is committed. Raises as ``prompt``."""
        session = await self._current(session_id)
        await self._admission.admit(session, prompt)
        if prompt.no_reply is not True:
            self._runs.join(session_id, self._loop.run, self._loop.settle)

    async def resume(self, session_id: SessionID) -> None:
        """Go on with a session that a restart interrupted."""
        self._runs.join(session_id, self._loop.run, self._loop.settle)

    async def shell(self, session_id: SessionID, wanted: ShellInput) -> bytes:
        """Run a shell command for the user: ``{info, parts}`` of its message. Raises ``SessionBusy``."""
        self._runs.require_idle(session_id)
        session = await self._current(session_id)
        agent = await self._admission.agent(session, wanted.agent)
        model = self._admission.model(session, agent, wanted.model)
        command = self._shell.command(session_id, agent.name, model, wanted)
        return await self._runs.exclusive(session_id, command.run, command.settle).outcome()

    async def summarize(self, session_id: SessionID, wanted: SummarizeInput) -> None:
        """Condense the history and wait until it is done. Raises as ``Compaction.request``."""
        await self._current(session_id)
        await self._compaction.request(session_id, wanted)
        await self._runs.join(session_id, self._loop.run, self._loop.settle).outcome()

    async def revert(self, session_id: SessionID, wanted: RevertInput) -> Session:
        """Go back to a message or part, files included. Raises ``SessionBusy``."""
        await self._sessions.get_raw(session_id)
        self._runs.require_idle(session_id)
        return await self._reverts.revert(session_id, wanted)

    async def unrevert(self, session_id: SessionID) -> Session:
        """Take a revert back. Raises ``SessionBusy``."""
        await self._sessions.get_raw(session_id)
        self._runs.require_idle(session_id)
        return await self._reverts.unrevert(session_id)

    async def diff(self, session_id: SessionID, message_id: MessageID | None) -> list[SnapshotFileDiff]:
        """What the session, or the turn of one of its user messages, changed in files."""
        await self._sessions.get_raw(session_id)
        if message_id is None:
            return await self._summaries.session_diffs(session_id)
        message = self._store.message(session_id, message_id)
        if message is None or not isinstance(message.info, UserMessage) or isinstance(message.info.summary, UnsetType):
            return []
        return message.info.summary.diffs

    async def abort(self, session_id: SessionID) -> None:
        """Stop whatever runs in the session and wait until it has stopped; publishes idle in any case."""
        await self._sessions.get_raw(session_id)
        if not await self._runs.cancel(session_id):
            await self._drop_asks(session_id)
            await self._store.commit(*self._statuses.idle(session_id))

    async def delete_session(self, session_id: SessionID) -> None:
        """Stop the session and its children, then remove them. Raises ``SessionNotFound``."""
        # The session first, and with it the subagents it waits for: stopped before it, they could be started anew.
        for session in reversed(await self._sessions.family(session_id)):
            await self._runs.cancel(session.id)
            await self._drop_asks(session.id)
        await self._sessions.delete(session_id)

    async def delete_message(self, session_id: SessionID, message_id: MessageID) -> None:
        """Remove a message of an idle session. Raises ``SessionBusy``, ``MessageNotFound``."""
        await self._sessions.get_raw(session_id)
        self._runs.require_idle(session_id)
        await self._sessions.delete_message(session_id, message_id)

    async def _current(self, session_id: SessionID) -> Session:
        """The session as it goes on: a pending revert is made final. Raises ``SessionNotFound``."""
        session = await self._sessions.get(session_id)
        if isinstance(session.revert, UnsetType) or self._runs.get(session_id) is not None:
            return session
        await self._reverts.finalise(session_id)
        return await self._sessions.get(session_id)
