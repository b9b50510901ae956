"""Text that is still growing: published piece by piece, stored now and then, stored whole at the end."""

import time
from collections.abc import Iterator
from contextlib import suppress

import anyio

from opencode.core.clock import Clock
from opencode.core.ids import PartID, SessionID
from opencode.core.wire import replace
from opencode.event.bus import EventPublisher
from opencode.event.schema import Event
from opencode.provider.request import Metadata
from opencode.session.changes import PutPart
from opencode.session.schema import MessagePartDelta, MessagePartUpdated, PartTime, ReasoningPart, TextPart
from opencode.session.store import SessionStore
from opencode.storage.errors import StorageError

SAVE_EVERY_SECONDS = 0.5
"""How much of a growing text a crash, or a reader of the stored message, may miss."""


class OpenPart:
    """One text or reasoning part while the model writes it."""

    def __init__(self, part: TextPart | ReasoningPart, owner: "OpenParts") -> None:
        self._part = part
        self._owner = owner
        self._pieces = [part.text]
        self._saved_at = time.monotonic()

    @property
    def id(self) -> PartID:
        return self._part.id

    @property
    def session_id(self) -> SessionID:
        return self._part.session_id

    @property
    def current(self) -> TextPart | ReasoningPart:
        """The part with its text so far."""
        return replace(self._part, text="".join(self._pieces))

    async def append(self, text: str) -> None:
        """More text: told at once, stored at times."""
        self._pieces.append(text)
        self._owner.tell_delta(self._part, text)
        now = time.monotonic()
        if now - self._saved_at > SAVE_EVERY_SECONDS:
            self._saved_at = now
            await self._owner.save(self.current)

    async def close(self, metadata: Metadata | None = None) -> None:
        """The text is complete: store it whole, with its end."""
        await self._owner.close(self, metadata)


class OpenParts:
    """The growing parts of one instance."""

    def __init__(self, store: SessionStore, events: EventPublisher, clock: Clock) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self._open: dict[PartID, OpenPart] = {}

    async def open(self, part: TextPart | ReasoningPart) -> OpenPart:
        """Store and announce the empty part: clients drop deltas of parts they do not know."""
        # Not interruptible: a part that is stored must be known here, or nobody closes it.
        with anyio.CancelScope(shield=True):
            await self._store.commit(PutPart(part))
        opened = self._open[part.id] = OpenPart(part, self)
        return opened

    def has_any(self, session_id: SessionID) -> bool:
        """Whether a part of the session is growing."""
        return any(opened.session_id == session_id for opened in self._open.values())

    async def save_all(self, session_id: SessionID) -> None:
        """Store what a session's growing parts have so far, so that who reads its messages now sees it.

        Where it cannot be stored, readers see what is there.
        """
        growing = [opened.current for opened in self._open.values() if opened.session_id == session_id]
        if growing:
            with suppress(StorageError):
                await self._store.commit(*(PutPart(part, silent=True) for part in growing))

    def current_events(self) -> Iterator[Event]:
        """The growing parts as they are, for a client that missed some deltas."""
        now = self._clock.now_ms()
        for opened in self._open.values():
            part = opened.current
            yield MessagePartUpdated(session_id=part.session_id, part=part, time=now)

    def tell_delta(self, part: TextPart | ReasoningPart, text: str) -> None:
        self._events.publish(
            MessagePartDelta(
                session_id=part.session_id, message_id=part.message_id, part_id=part.id, field="text", delta=text
            )
        )

    async def save(self, part: TextPart | ReasoningPart) -> None:
        await self._store.commit(PutPart(part, silent=True))

    async def close(self, opened: OpenPart, metadata: Metadata | None) -> None:
        part = opened.current
        start = part.time.start if isinstance(part.time, PartTime) else self._clock.now_ms()
        finished = replace(part, time=PartTime(start=start, end=self._clock.now_ms()))
        if metadata:
            finished = replace(finished, metadata=metadata)
        # First, so that nobody who comes back just after the end is told that the part still grows.
        self._open.pop(opened.id, None)
        await self._store.commit(PutPart(finished))

    def forget(self, opened: OpenPart) -> None:
        """The part was removed (a failed attempt)."""
        self._open.pop(opened.id, None)
