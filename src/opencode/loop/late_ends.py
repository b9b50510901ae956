"""Sessions whose end the database refused, for example because the disk was full."""

from contextlib import suppress

import anyio

from opencode.core.clock import Clock
from opencode.core.ids import SessionID
from opencode.core.log import Logger
from opencode.core.tasks import BackgroundJobs
from opencode.loop.repair import NOT_STORED, session_repairs
from opencode.session.store import SessionStore
from opencode.storage.errors import StorageError

log = Logger("session.loop")

RETRY_SECONDS = 2.0


class LateEnds:
    """Stores the end of such sessions as soon as the database takes it: nothing looks busy for ever."""

    def __init__(
        self, store: SessionStore, clock: Clock, jobs: BackgroundJobs, retry_seconds: float = RETRY_SECONDS
    ) -> None:
        self._store = store
        self._clock = clock
        self._jobs = jobs
        self._retry_seconds = retry_seconds
        self._missing: set[SessionID] = set()

    def later(self, session_id: SessionID) -> None:
        """The end of the session could not be stored: try again until it can."""
        log.warning("the end of a session could not be stored", session=session_id)
        self._missing.add(session_id)
        self._jobs.start("store the ends of sessions", self._keep_trying)

    def misses(self, session_id: SessionID) -> bool:
        """Whether the end of the session has still to be stored."""
        return session_id in self._missing

    async def now(self, session_id: SessionID) -> None:
        """Before the session runs again: store what is missing. Raises ``StorageError``."""
        if session_id not in self._missing:
            return
        self._missing.discard(session_id)
        try:
            await self._store.commit(*session_repairs(session_id, self._store, self._clock.now_ms(), NOT_STORED))
        except BaseException:
            self._missing.add(session_id)
            raise

    async def _keep_trying(self) -> None:
        while self._missing:
            await anyio.sleep(self._retry_seconds)
            with suppress(StorageError):
                for session_id in list(self._missing):
                    await self.now(session_id)
