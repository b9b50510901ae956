"""The open directories: each opened once, on first use, and closed in one place."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from anyio.abc import TaskGroup

from opencode.core.tasks import task_group
from opencode.event.bus import EventBus
from opencode.event.schema import EventScope
from opencode.event.server_events import GlobalDisposed
from opencode.instance.errors import ServerStopping
from opencode.instance.instance import Instance

OpenInstance = Callable[[Path], AbstractAsyncContextManager[Instance]]


PROCESS = EventScope(directory="global")


@dataclass(slots=True)
class _Entry:
    """One directory: being opened, open, or being closed."""

    instance: Instance | None = None
    opened: anyio.Event = field(default_factory=anyio.Event)
    failure: Exception | None = None
    disposed: anyio.Event = field(default_factory=anyio.Event)
    closed: anyio.Event = field(default_factory=anyio.Event)


class InstanceRegistry:
    """Opens instances on demand; an instance outlives the request that opened it.

    A failure to open reaches every request that waited for it, and the next request tries again. While an instance
    is being disposed, requests for its directory wait and then open it anew.
    """

    def __init__(self, tasks: TaskGroup, open_instance: OpenInstance, bus: EventBus) -> None:
        self._tasks = tasks
        self._open_instance = open_instance
        self._bus = bus
        self._entries: dict[str, _Entry] = {}
        self._stopping = False

    def get(self, directory: str) -> Instance | None:
        """The instance of an absolute directory, if it is open and stays so."""
        entry = self._entries.get(directory)
        return None if entry is None or entry.disposed.is_set() else entry.instance

    async def open(self, directory: str) -> Instance:
        """The instance of an absolute directory. Raises what opening it raised; ``ServerStopping``."""
        while (entry := self._entries.get(directory)) is not None and entry.disposed.is_set():
            await entry.closed.wait()
        if entry is None:
            if self._stopping:
                raise ServerStopping
            entry = self._entries[directory] = _Entry()
            self._tasks.start_soon(self._hold, directory, entry, name=f"instance {directory}")
        if not entry.opened.is_set():
            await entry.opened.wait()
        if entry.failure is not None:
            raise entry.failure
        assert entry.instance is not None
        return entry.instance

    async def dispose(self, directory: str) -> None:
        """Close one directory: runs stop, event streams of it end. Returns when it is closed."""
        entry = self._entries.get(directory)
        if entry is None:
            return
        await entry.opened.wait()
        entry.disposed.set()
        await entry.closed.wait()

    async def dispose_all(self) -> None:
        """Close every open directory, then publish ``global.disposed``."""
        await self._close_all()
        self._bus.scoped(PROCESS).publish(GlobalDisposed())

    async def stop(self) -> None:
        """Close every directory and open none any more."""
        self._stopping = True
        await self._close_all()

    def open_directories(self) -> list[str]:
        """Directories that are open now."""
        return [directory for directory, entry in self._entries.items() if entry.instance is not None]

    async def _close_all(self) -> None:
        async with task_group() as closing:
            for directory in list(self._entries):
                closing.start_soon(self.dispose, directory)

    async def _hold(self, directory: str, entry: _Entry) -> None:
        # One task enters and leaves the instance: a cancel scope may not be closed by another task.
        try:
            async with self._open_instance(Path(directory)) as entry.instance:
                entry.opened.set()
                await entry.disposed.wait()
        except Exception as error:  # noqa: BLE001 - an edge: the requests that wait for the instance get it
            entry.failure = error
        finally:
            del self._entries[directory]
            entry.disposed.set()
            entry.opened.set()
            entry.closed.set()


@asynccontextmanager
async def open_registry(open_instance: OpenInstance, bus: EventBus) -> AsyncIterator[InstanceRegistry]:
    """A registry with its own task group; on exit everything is closed."""
    async with task_group() as tasks:
        registry = InstanceRegistry(tasks, open_instance, bus)
        try:
            yield registry
        finally:
            with anyio.CancelScope(shield=True):
                await registry.stop()
