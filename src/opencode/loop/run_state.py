"""What runs in which session: at most one thing, owned by the instance (spec: prompt loop, section 1)."""

from collections.abc import Awaitable, Callable
from typing import Literal

import anyio
from anyio.abc import TaskGroup

from opencode.core.ids import SessionID
from opencode.session.errors import SessionBusy

RunKind = Literal["loop", "shell"]
ABORT_PATIENCE_SECONDS = 5.0


class Run:
    """One thing that runs in a session. Callers wait for it together and get the same outcome.

    ``work`` is what abort cancels; ``settle`` follows in any case and gives the outcome.
    """

    def __init__(self, session_id: SessionID, kind: RunKind, work: "Work", settle: "Settle") -> None:
        self.session_id = session_id
        self.kind = kind
        self._work = work
        self._settle = settle
        self.scope = anyio.CancelScope()
        self.done = anyio.Event()
        self.prompted = False
        """A prompt joined since the loop last looked at the history."""
        self.follower: Run | None = None
        """The loop that starts when this shell command, or this aborted loop, has ended."""
        self.is_settled = False
        """Whether its end is stored."""
        self._result: bytes = b""
        self._error: Exception | None = None

    @property
    def is_aborted(self) -> bool:
        return self.scope.cancel_called

    async def outcome(self) -> bytes:
        """What the run gave: ``{info, parts}`` as JSON. Raises what the run raised."""
        await self.done.wait()
        if self._error is not None:
            raise self._error
        return self._result

    async def drive(self) -> None:
        """Work and settle once."""
        self.is_settled = False
        try:
            with self.scope:
                await self._work(self)
        except Exception as error:  # noqa: BLE001 - an edge: every waiter gets it, and answers with it
            self._error = error
        try:
            self._result = await self._settle(self)
            self.is_settled = True
        except Exception as error:  # noqa: BLE001 - an edge: the store may fail, and waiters must hear of it
            self._error = self._error or error


Work = Callable[[Run], Awaitable[None]]
Settle = Callable[[Run], Awaitable[bytes]]


class RunState:
    """The runs of one instance.

    A caller that goes away never stops a run: runs belong to the instance's task group, callers only wait.
    ``on_unsettled`` hears of sessions whose run is over without its end being stored.
    """

    def __init__(self, tasks: TaskGroup, on_unsettled: Callable[[SessionID], None]) -> None:
        self._tasks = tasks
        self._on_unsettled = on_unsettled
        self._runs: dict[SessionID, Run] = {}

    def get(self, session_id: SessionID) -> Run | None:
        """What runs in the session now."""
        return self._runs.get(session_id)

    def require_idle(self, session_id: SessionID) -> None:
        """Raises ``SessionBusy`` when something runs."""
        if session_id in self._runs:
            raise SessionBusy(session_id)

    def join(self, session_id: SessionID, work: Work, settle: Settle) -> Run:
        """The session's loop: the running one, which will see the newest message, or a new one.

        While a shell command runs, or an aborted loop winds down, the new loop follows it.
        """
        run = self._runs.get(session_id)
        if run is None:
            return self._start(Run(session_id, "loop", work, settle))
        if run.kind == "shell" or run.is_aborted:
            run.follower = run.follower or Run(session_id, "loop", work, settle)
            return run.follower
        run.prompted = True
        return run

    def exclusive(self, session_id: SessionID, work: Work, settle: Settle) -> Run:
        """Start a shell command. Raises ``SessionBusy``."""
        self.require_idle(session_id)
        return self._start(Run(session_id, "shell", work, settle))

    async def cancel(self, session_id: SessionID) -> bool:
        """Stop what runs and wait until it has wound down. False when nothing ran."""
        run = self._runs.get(session_id)
        if run is None:
            return False
        with anyio.move_on_after(ABORT_PATIENCE_SECONDS):
            await _stop(run)
        return True

    async def close(self) -> None:
        """Stop everything (the instance is going)."""
        with anyio.move_on_after(ABORT_PATIENCE_SECONDS, shield=True):
            async with anyio.create_task_group() as stopping:
                for run in list(self._runs.values()):
                    stopping.start_soon(_stop, run)

    def _start(self, run: Run) -> Run:
        self._runs[run.session_id] = run
        self._tasks.start_soon(self._drive, run, name=f"{run.kind} of {run.session_id}")
        return run

    async def _drive(self, run: Run) -> None:
        try:
            await run.drive()
            # A prompt that came after the loop's last look would wait for ever: look again.
            while run.prompted and not run.is_aborted:
                await run.drive()
        finally:
            del self._runs[run.session_id]
            if not run.is_settled:
                self._on_unsettled(run.session_id)
            if run.follower is not None:
                self._start(run.follower)
            run.done.set()


async def _stop(run: Run) -> None:
    run.scope.cancel()
    if run.follower is not None:
        run.follower.scope.cancel()
        await run.follower.done.wait()
    await run.done.wait()
