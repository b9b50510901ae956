"""Task groups whose single error stays itself, and an owner for background jobs."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup

from opencode.core.log import Logger

Job = Callable[[], Awaitable[object]]


@asynccontextmanager
async def task_group() -> AsyncIterator[TaskGroup]:
    """``anyio.create_task_group``, except that an error that is alone in its group is raised as itself."""
    try:
        async with anyio.create_task_group() as tasks:
            yield tasks
    except BaseExceptionGroup as group:
        error = unwrap(group)
        if error is group:
            raise
        raise error from error.__cause__


def unwrap(error: BaseException) -> BaseException:
    """The one error inside nested groups of one; the error itself when it is no group or holds several."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


class BackgroundJobs:
    """Jobs nobody waits for, owned by a task group: errors are logged, and their number is bounded."""

    def __init__(self, tasks: TaskGroup, *, limit: int, service: str) -> None:
        self._tasks = tasks
        self._limit = limit
        self._log = Logger(service)
        self._running: dict[str, anyio.CancelScope] = {}

    def start(self, name: str, job: Job) -> bool:
        """Start a job. False, and nothing is started, when one of that name runs or the limit is reached."""
        if name in self._running:
            return False
        if len(self._running) >= self._limit:
            self._log.warning("too many background jobs", job=name, limit=self._limit)
            return False
        # Known from here on, so that a job can be cancelled before it first runs.
        self._running[name] = scope = anyio.CancelScope()
        self._tasks.start_soon(self._run, name, job, scope, name=name)
        return True

    def cancel(self, name: str) -> bool:
        """Cancel a job; False when none of that name runs."""
        scope = self._running.get(name)
        if scope is not None:
            scope.cancel()
        return scope is not None

    def names(self) -> list[str]:
        """What runs, in order of start."""
        return list(self._running)

    async def _run(self, name: str, job: Job, scope: anyio.CancelScope) -> None:
        try:
            with scope:
                await job()
        except Exception:  # noqa: BLE001 (an edge: nobody else would see the error)
            self._log.exception("background job failed", job=name)
        finally:
            del self._running[name]
