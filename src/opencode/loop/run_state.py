"""What runs in which session: at most one thing, owned by the instance (spec: prompt loop, section 1)."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import anyio
from anyio.abc import TaskGroup

from opencode.core.clock import SystemClock
from opencode.core.errors import Unavailable
from opencode.core.ids import MessageID, SessionID
from opencode.session.errors import SessionBusy

RunKind = Literal["loop", "shell"]
ABORT_PATIENCE_SECONDS = 5.0


class InstanceClosed(Unavailable):
    """A turn cannot begin because its directory was closed."""

    def __init__(
        self, message: str = "The directory was closed; the prompt is kept and gets its turn when it is opened again"
    ) -> None:
        super().__init__(message)


CLOSED_MEANWHILE = "The directory was closed before this was answered; send it again"


class Run:
    """One thing that runs in a session, and those who wait for it.

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
        self.unseen: list[MessageID] = []
        """The prompts that joined since then, in order."""
        self.prompts: list[MessageID] = []
        """All prompts that the run answers."""
        self.refused: dict[MessageID, Exception] = {}
        """Those of them that nobody can answer, and why."""
        self.queued_as: MessageID | None = None
        """The id under which its prompt waited in the queue, once it has left it."""
        self.follower: Run | None = None
        """The loop that starts when this shell command, or this aborted loop, has ended."""
        self.stopped_ms: int | None = None
        """When it was told to stop."""
        self.is_settled = False
        """Whether its end is stored."""
        self.error: Exception | None = None
        """What the run failed with."""
        self.result: bytes = b""

    @property
    def is_aborted(self) -> bool:
        return self.scope.cancel_called

    def stop(self) -> None:
        """Cancel the work."""
        if self.stopped_ms is None:
            self.stopped_ms = SystemClock().now_ms()
        self.scope.cancel()

    def add(self, prompt: MessageID | None) -> None:
        """One more prompt to answer."""
        if prompt is not None and prompt not in self.prompts:
            self.prompts.append(prompt)
            self.unseen.append(prompt)

    def looked(self) -> None:
        """Whatever was asked until here is in the history that is read next."""
        self.prompted = False
        self.unseen.clear()

    async def outcome(self) -> bytes:
        """What the run gave: ``{info, parts}`` as JSON. Raises what the run raised."""
        await self.done.wait()
        if self.error is not None:
            raise self.error
        if not self.is_settled:
            raise InstanceClosed(CLOSED_MEANWHILE)
        return self.result

    async def drive(self) -> None:
        """Work and settle once."""
        self.is_settled = False
        try:
            with self.scope:
                await self._work(self)
        except Exception as error:  # noqa: BLE001 - an edge: every waiter gets it, and answers with it
            self.error = error
        try:
            self.result = await self._settle(self)
            self.is_settled = True
        except Exception as error:  # noqa: BLE001 - an edge: the store may fail, and waiters must hear of it
            self.error = self.error or error

    def give_up(self, error: Exception) -> None:
        """It never ran, and never will."""
        self.error = error
        self.done.set()


Work = Callable[[Run], Awaitable[None]]
Settle = Callable[[Run], Awaitable[bytes]]


class RunState:
    """The runs of one instance, and behind them the turns that wait for their session to be free.

    A caller that goes away never stops a run: runs belong to the instance's task group, callers only wait.
    ``on_unsettled`` hears of sessions whose run is over without its end being stored.
    """

    def __init__(self, tasks: TaskGroup, on_unsettled: Callable[[SessionID], None]) -> None:
        self._tasks = tasks
        self._on_unsettled = on_unsettled
        self._runs: dict[SessionID, Run] = {}
        self._queues: dict[SessionID, dict[MessageID, Run]] = {}
        self._held: set[SessionID] = set()
        self._closed = False
        self._admitting = 0
        self._admitted = anyio.Event()
        """Set when the last of those has started what it stored."""

    @property
    def is_busy(self) -> bool:
        """Whether something runs, waits, or is about to."""
        return bool(self._runs or self._queues or self._admitting)

    def get(self, session_id: SessionID) -> Run | None:
        """What runs in the session now."""
        return self._runs.get(session_id)

    def require_idle(self, session_id: SessionID) -> None:
        """Raises ``SessionBusy`` when something runs."""
        if session_id in self._runs:
            raise SessionBusy(session_id)

    @contextmanager
    def admitting(self) -> Iterator[None]:
        """Store something and start what works on it: the directory does not close in between.

        Raises ``InstanceClosed``, before anything is stored.
        """
        if self._closed:
            raise InstanceClosed(CLOSED_MEANWHILE)
        self._admitting += 1
        try:
            yield
        finally:
            self._admitting -= 1
            if not self._admitting:
                self._admitted.set()

    def join(self, session_id: SessionID, work: Work, settle: Settle, prompt: MessageID | None = None) -> Run:
        """The session's loop: the running one, which will see the newest message, or a new one.

        While a shell command runs, or an aborted loop winds down, the new loop follows it. Raises ``InstanceClosed``.
        """
        self._require_open()
        run = self._runs.get(session_id)
        if run is None:
            run = Run(session_id, "loop", work, settle)
            run.add(prompt)
            return self._start(run)
        if run.kind == "shell" or run.is_aborted:
            run.follower = run.follower or Run(session_id, "loop", work, settle)
            run.follower.add(prompt)
            return run.follower
        run.prompted = True
        run.add(prompt)
        return run

    def exclusive(self, session_id: SessionID, work: Work, settle: Settle) -> Run:
        """Start a shell command. Raises ``SessionBusy``, ``InstanceClosed``."""
        self._require_open()
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
        """Stop everything (the instance is going). Turns that wait stay stored."""
        self._closed = True
        with anyio.move_on_after(ABORT_PATIENCE_SECONDS, shield=True):
            while self._admitting:
                self._admitted = anyio.Event()
                await self._admitted.wait()
        for session_id in list(self._queues):
            self.drop_queue(session_id, InstanceClosed())
        with anyio.move_on_after(ABORT_PATIENCE_SECONDS, shield=True):
            async with anyio.create_task_group() as stopping:
                for run in list(self._runs.values()):
                    stopping.start_soon(_stop, run)

    # --- turns that wait ------------------------------------------------------------------------------------------

    @staticmethod
    def turn(session_id: SessionID, prompt: MessageID, work: Work, settle: Settle) -> Run:
        """A turn of its own for a prompt. It has still to be put into the queue."""
        run = Run(session_id, "loop", work, settle)
        run.prompts.append(prompt)
        return run

    def enqueue(self, run: Run) -> None:
        """Let a turn begin when all that runs or waits in its session is done."""
        if self._closed:
            run.give_up(InstanceClosed())
            return
        self._queues.setdefault(run.session_id, {})[run.prompts[0]] = run
        self._advance(run.session_id)

    def put_back(self, run: Run) -> None:
        """A turn that was stopped before it began waits on, in front of the others, and is held."""
        self._queues[run.session_id] = {run.prompts[0]: run, **self._queues.get(run.session_id, {})}
        self.hold(run.session_id)

    def queued(self, session_id: SessionID, prompt: MessageID) -> Run | None:
        """The turn of a prompt, while it waits."""
        return self._queues.get(session_id, {}).get(prompt)

    def has_queue(self, session_id: SessionID) -> bool:
        """Whether turns wait."""
        return bool(self._queues.get(session_id))

    def dequeue(self, session_id: SessionID, prompt: MessageID, why: Exception) -> None:
        """Take a turn out of the queue; who waits for it gets the error."""
        queue = self._queues.get(session_id, {})
        if (run := queue.pop(prompt, None)) is not None:
            run.give_up(why)
        if not queue:
            self._queues.pop(session_id, None)

    def drop_queue(self, session_id: SessionID, why: Exception) -> None:
        """Take all turns out of the queue."""
        for prompt in list(self._queues.get(session_id, {})):
            self.dequeue(session_id, prompt, why)
        self._held.discard(session_id)

    def is_held(self, session_id: SessionID) -> bool:
        """Whether the session's turns stay in the queue until somebody asks for more."""
        return session_id in self._held

    def hold(self, session_id: SessionID) -> None:
        """Start no turn of the queue from now on."""
        self._held.add(session_id)

    def release(self, session_id: SessionID) -> None:
        """Go on with the queue."""
        self._held.discard(session_id)
        self._advance(session_id)

    def _advance(self, session_id: SessionID) -> None:
        queue = self._queues.get(session_id)
        if not queue or self._closed or session_id in self._held or session_id in self._runs:
            return
        run = queue.pop(next(iter(queue)))
        if not queue:
            del self._queues[session_id]
        self._start(run)

    def _require_open(self) -> None:
        # Who was let in before the end may still start: it waits for them.
        if self._closed and not self._admitting:
            raise InstanceClosed(CLOSED_MEANWHILE)

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
            self._advance(run.session_id)
            run.done.set()


async def _stop(run: Run) -> None:
    run.stop()
    if run.follower is not None:
        run.follower.stop()
        await run.follower.done.wait()
    await run.done.wait()
