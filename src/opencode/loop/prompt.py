"""What callers do with a session: prompt it, run a shell command in it, abort it (spec: prompt loop, section 2)."""

from collections.abc import Awaitable, Callable

from opencode.core.ids import MessageID, SessionID
from opencode.core.log import Logger
from opencode.loop.admission import Admission
from opencode.loop.loop import AgentLoop
from opencode.loop.run_state import RunState
from opencode.loop.shell import UserShell
from opencode.loop.status import SessionStatuses
from opencode.session.inputs import PromptInput, ShellInput
from opencode.session.schema import SessionStatus
from opencode.session.service import SessionService
from opencode.session.store import SessionStore

log = Logger("session.prompt")

DropAsks = Callable[[SessionID], Awaitable[None]]


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
        drop_asks: DropAsks,
    ) -> None:
        self._sessions = sessions
        self._store = store
        self._admission = admission
        self._loop = loop
        self._shell = shell
        self._runs = runs
        self._statuses = statuses
        self._drop_asks = drop_asks

    def statuses(self) -> dict[SessionID, SessionStatus]:
        """Sessions that are not idle."""
        return self._statuses.current()

    async def prompt(self, session_id: SessionID, prompt: PromptInput) -> bytes:
        """Store the prompt and wait for its answer: ``{info, parts}`` as JSON.

        With ``noReply``: the stored user message. The prompt is committed before anything runs. Raises
        ``SessionNotFound``, ``AgentNotFound``, ``ProviderModelNotFound``, ``MessageTaken``.
        """
        session = await self._sessions.get(session_id)
        message_id = await self._admission.admit(session, prompt)
        if prompt.no_reply is True:
            return await self._sessions.message_raw(session_id, message_id)
        run = self._runs.join(session_id, self._loop.run, self._loop.settle)
        return await run.outcome()

    async def prompt_async(self, session_id: SessionID, prompt: PromptInput) -> None:
        """Store the prompt and start its run; returns when it is committed. Raises as ``prompt``."""
        session = await self._sessions.get(session_id)
        await self._admission.admit(session, prompt)
        if prompt.no_reply is not True:
            self._runs.join(session_id, self._loop.run, self._loop.settle)

    async def resume(self, session_id: SessionID) -> None:
        """Go on with a session that a restart interrupted."""
        self._runs.join(session_id, self._loop.run, self._loop.settle)

    async def shell(self, session_id: SessionID, wanted: ShellInput) -> bytes:
        """Run a shell command for the user: ``{info, parts}`` of its message. Raises ``SessionBusy``."""
        session = await self._sessions.get(session_id)
        self._runs.require_idle(session_id)
        agent = await self._admission.agent(session, wanted.agent)
        model = self._admission.model(session, agent, wanted.model)
        command = self._shell.command(session_id, agent.name, model, wanted)
        return await self._runs.exclusive(session_id, command.run, command.settle).outcome()

    async def abort(self, session_id: SessionID) -> None:
        """Stop whatever runs in the session and wait until it has stopped; publishes idle in any case."""
        await self._sessions.get_raw(session_id)
        if not await self._runs.cancel(session_id):
            await self._drop_asks(session_id)
            await self._store.commit(*self._statuses.idle(session_id))

    async def delete_session(self, session_id: SessionID) -> None:
        """Stop the session and its children, then remove them. Raises ``SessionNotFound``."""
        for session in await self._sessions.family(session_id):
            await self._runs.cancel(session.id)
            await self._drop_asks(session.id)
        await self._sessions.delete(session_id)

    async def delete_message(self, session_id: SessionID, message_id: MessageID) -> None:
        """Remove a message of an idle session. Raises ``SessionBusy``, ``MessageNotFound``."""
        await self._sessions.get_raw(session_id)
        self._runs.require_idle(session_id)
        await self._sessions.delete_message(session_id, message_id)
