"""Subagents that work in the background (spec: tools core, section 6).

Their caller goes on at once; a prompt of the server's own tells it of the end. They end with their caller: stopping
it stops them, and so does closing the directory, both without a word to it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup

from opencode.core.ids import SessionID
from opencode.core.log import Logger
from opencode.core.tasks import task_group
from opencode.loop.run_state import ABORT_PATIENCE_SECONDS
from opencode.loop.subagent import Begun, Subagents
from opencode.session.inputs import PromptInput
from opencode.session.schema import TextPartInput
from opencode.tool.builtin.task import Delegated, Delegation, background_note
from opencode.tool.tool import ToolContext, ToolError

log = Logger("session.loop")

LIMIT = 32
"""How many may work at once in one directory."""

Notify = Callable[[SessionID, PromptInput], Awaitable[None]]


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    begun: Begun
    description: str
    agent: str
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    done: anyio.Event = field(default_factory=anyio.Event)


class BackgroundSubagents:
    """The background work of one directory, while it is served."""

    def __init__(self, subagents: Subagents, limit: int = LIMIT) -> None:
        self._subagents = subagents
        self._limit = limit
        self._jobs: set[_Job] = set()
        self._taken = 0
        """How many of the places are taken; a job takes its own before it is known."""
        self._tasks: TaskGroup | None = None
        self._notify: Notify | None = None

    @asynccontextmanager
    async def served(self, notify: Notify) -> AsyncIterator[None]:
        """Own the work; ``notify`` prompts a session. What still runs at the end is stopped."""
        async with task_group() as tasks:
            self._tasks, self._notify = tasks, notify
            yield
            self._tasks = None
            tasks.cancel_scope.cancel()

    async def start(self, wanted: Delegation, context: ToolContext) -> Delegated:
        """Start the work in a child session. Raises ``ToolError``."""
        tasks = self._tasks
        if tasks is None or self._taken >= self._limit:
            raise ToolError(
                f"No more than {self._limit} tasks may work in the background: call the tool without `background`"
            )
        self._taken += 1
        try:
            begun = await self._subagents.begin(wanted, context, background=True)
            job = _Job(begun, wanted.description, context.agent)
            # Where the directory closes meanwhile, the group's cancellation reaches the job at once.
            tasks.start_soon(self._run, job, name=f"background task {begun.child}")
        except BaseException:
            self._taken -= 1
            raise
        self._jobs.add(job)
        return Delegated(begun.child, "", {**begun.metadata, "jobId": begun.child})

    async def cancel(self, caller: SessionID) -> None:
        """Stop what a session started, and wait until it has stopped. What that started in turn stops with it."""
        jobs = [job for job in self._jobs if job.begun.caller == caller]
        for job in jobs:
            job.scope.cancel()
        with anyio.move_on_after(ABORT_PATIENCE_SECONDS):
            for job in jobs:
                await job.done.wait()

    async def _run(self, job: _Job) -> None:
        try:
            with job.scope:
                await self._tell(job, *await self._outcome(job))
        except Exception:  # an edge: nobody else would see the error
            log.exception("end of a background task not told", session=job.begun.caller)
        finally:
            self._jobs.discard(job)
            self._taken -= 1
            job.done.set()

    async def _outcome(self, job: _Job) -> tuple[str, str, str]:
        try:
            return "completed", f"Background task completed: {job.description}", await self._subagents.finish(job.begun)
        except ToolError as error:
            return "error", f"Background task failed: {job.description}", str(error)

    async def _tell(self, job: _Job, state: str, summary: str, text: str) -> None:
        assert self._notify is not None
        note = background_note(job.begun.child, state, summary, text)
        # The session's own model: it may have changed since.
        prompt = PromptInput(agent=job.agent, parts=[TextPartInput(text=note, synthetic=True)])
        await self._notify(job.begun.caller, prompt)
