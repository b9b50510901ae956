"""What one client is still to be sent."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final

from opencode.event.log import CursorExpired
from opencode.event.pacer import Pacer
from opencode.event.schema import Event

BUFFER_BYTES: Final = 4 * 1024 * 1024
BATCH_BYTES: Final = 256 * 1024


class Subscription:
    """A bounded buffer of messages between the bus and one stream.

    ``history`` comes first: the greeting and what the client missed. A stream that falls so far behind that its
    buffer has passed its bound is ended at the next message, with ``lagged`` set and ``on_lag`` called; its client
    resumes from its cursor.
    """

    def __init__(
        self,
        history: AsyncGenerator[bytes],
        local: Callable[[Event], bytes],
        pacer: Pacer,
        *,
        limit: int,
        on_lag: Callable[[], None],
    ) -> None:
        self.lagged = False
        self._history = history
        self._local = local
        self._pacer = pacer
        self._limit = limit
        self._on_lag = on_lag
        self._pending: list[bytes] = []
        self._size = 0
        self._signalled = False
        self._ended = False
        self._waiter: asyncio.Future[None] | None = None

    def push(self, message: bytes) -> None:
        """Add a message; ignored once the stream has ended. However large, it fits when the buffer was not full."""
        if self._ended:
            return
        if self._size > self._limit:
            self.cut_off()
            return
        self._pending.append(message)
        self._size += len(message)
        if not self._signalled:
            self._signalled = True
            self._pacer.wake_soon(self._wake)

    def push_local(self, event: Event) -> None:
        """Add an event of this stream alone."""
        self.push(self._local(event))

    def finish(self) -> None:
        """End the stream after what is already in the buffer."""
        self._ended = True
        self._wake()

    def cut_off(self) -> None:
        """End the stream now: its client cannot get everything in order on it any more."""
        self.lagged = True
        self._pending.clear()
        self._size = 0
        self.finish()
        self._on_lag()

    async def batches(self) -> AsyncGenerator[bytes]:
        """What to write, as much at a time as there is (up to about ``BATCH_BYTES``), until the stream ends."""
        try:
            async with aclosing(self._history) as history:
                async for batch in history:
                    yield batch
        except CursorExpired:
            self.cut_off()
        while not self.lagged:
            if self._pending:
                yield self._take()
            elif self._ended:
                return
            else:
                await self._more()

    def _take(self) -> bytes:
        self._signalled = False
        if self._size <= BATCH_BYTES:
            batch, self._pending = b"".join(self._pending), []
        else:
            count, size = 0, 0
            while size < BATCH_BYTES and count < len(self._pending):
                size += len(self._pending[count])
                count += 1
            batch = b"".join(self._pending[:count])
            del self._pending[:count]
        self._size -= len(batch)
        return batch

    async def _more(self) -> None:
        # A future of its own for each wait: cancelling one stream must not touch another.
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
