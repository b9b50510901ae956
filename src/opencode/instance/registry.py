"""The open directories: each opened once, on first use, and closed in one place."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from anyio.abc import TaskGroup

from opencode.core.clock import Clock
from opencode.core.log import Logger
from opencode.core.tasks import task_group
from opencode.event.bus import EventBus
from opencode.event.schema import EventScope
from opencode.event.server_events import GlobalDisposed
from opencode.instance.errors import ServerStopping
from opencode.instance.instance import Instance

log = Logger("server")

OpenInstance = Callable[[Path], AbstractAsyncContextManager[Instance]]

PROCESS = EventScope(directory="global")

MOST = 256
"""So many directories stay open, each with about 100 KiB; ``OPENCODE_MAX_DIRECTORIES`` says another number."""

UNUSED_MS = 5 * 60 * 1000
"""How long nobody has asked for a directory that is closed because there are too many."""


@dataclass(slots=True)
class _Entry:
    """One directory: being opened, open, or being closed."""

    used_ms: int
    instance: Instance | None = None
    opened: anyio.Event = field(default_factory=anyio.Event)
    failure: Exception | None = None
    disposed: anyio.Event = field(default_factory=anyio.Event)
    closed: anyio.Event = field(default_factory=anyio.Event)


class InstanceRegistry:
    """Opens instances on demand; an instance outlives the request that opened it.

    A failure to open reaches every request that waited for it, and the next request tries again. While an instance
    is being disposed, requests for its directory wait and then open it anew. When more than ``most`` are open, those
    that nobody has used for longest are closed, as far as they are at rest.
    """

    def __init__(
        self, tasks: TaskGroup, open_instance: OpenInstance, bus: EventBus, clock: Clock, most: int = MOST
    ) -> None:
        self._tasks = tasks
        self._open_instance = open_instance
        self._bus = bus
        self._clock = clock
        self._most = most
        self._closing = anyio.Lock()
        self._entries: dict[str, _Entry] = {}
        self._stopping = False

    def get(self, directory: str) -> Instance | None:
        """The instance of an absolute directory, if it is open and stays so."""
        entry = self._entries.get(directory)
        if entry is None or entry.disposed.is_set():
            return None
        entry.used_ms = self._clock.now_ms()
        return entry.instance

    async def open(self, directory: str) -> Instance:
        """The instance of an absolute directory. Raises what opening it raised; ``ServerStopping``."""
        while (entry := self._entries.get(directory)) is not None and entry.disposed.is_set():
            await entry.closed.wait()
        if entry is None:
            if self._stopping:
                raise ServerStopping
            entry = self._entries[directory] = _Entry(self._clock.now_ms())
            self._tasks.start_soon(self._hold, directory, entry, name=f"instance {directory}")
            if len(self._entries) > self._most:
                self._tasks.start_soon(self._close_unused, name="close unused instances")
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

    def open_directories(self) -> set[str]:
        """Directories that are open, or are just being opened or closed."""
        return set(self._entries)

    async def _close_all(self) -> None:
        async with task_group() as closing:
            for directory in list(self._entries):
                closing.start_soon(self.dispose, directory)

    async def _close_unused(self) -> None:
        """Close what is beyond the number that may stay open, if it can be closed."""
        async with self._closing:  # of several at a time each would close as many
            for entry in sorted(self._entries.values(), key=lambda entry: entry.used_ms):
                staying = sum(not entry.disposed.is_set() for entry in self._entries.values())
                if staying <= self._most or not self._is_unused(entry):
                    return
                if await _is_at_rest(entry) and self._is_unused(entry):
                    entry.disposed.set()

    def _is_unused(self, entry: _Entry) -> bool:
        return entry.used_ms <= self._clock.now_ms() - UNUSED_MS

    async def _hold(self, directory: str, entry: _Entry) -> None:
        # One task enters and leaves the instance: a cancel scope may not be closed by another task.
        try:
            async with self._open_instance(Path(directory)) as entry.instance:
                entry.opened.set()
                await entry.disposed.wait()
        except Exception as error:
            if entry.opened.is_set():
                log.exception("a directory that was open has failed", directory=directory)
            entry.failure = error  # an edge: the requests that wait for the instance get it
        finally:
            del self._entries[directory]
            entry.disposed.set()
            entry.opened.set()
            entry.closed.set()


async def _is_at_rest(entry: _Entry) -> bool:
    try:
        return entry.instance is not None and await entry.instance.is_at_rest()
    except Exception:  # an edge: that one cannot be closed is no reason to end all
        log.exception("nobody knows whether a directory is at rest")
        return False


@asynccontextmanager
async def open_registry(
    open_instance: OpenInstance, bus: EventBus, clock: Clock, most: int = MOST
) -> AsyncIterator[InstanceRegistry]:
    """A registry with its own task group; on exit everything is closed."""
    async with task_group() as tasks:
        registry = InstanceRegistry(tasks, open_instance, bus, clock, most)
        try:
            yield registry
        finally:
            with anyio.CancelScope(shield=True):
                await registry.stop()
