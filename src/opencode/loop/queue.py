"""Prompts that wait for a turn of their own: each is a row until it becomes a message."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

from opencode.core.clock import Clock
from opencode.core.errors import Conflict, NotFound
from opencode.core.ids import IdGenerator, MessageID, SessionID
from opencode.core.wire import Wire, decode, encode, replace
from opencode.event.bus import EventPublisher
from opencode.event.schema import Event
from opencode.session.changes import Change, PutMessage, PutPart
from opencode.session.errors import MessageTaken, SessionNotFound
from opencode.session.inputs import Delivery
from opencode.session.schema import CreatedTime, Part, PromptModel, TextPart, UserMessage
from opencode.session.store import SessionStore
from opencode.storage.database import Database, Rows, Transaction

LIMIT = 100
"""Prompts that may wait in one session."""
PREVIEW_CHARACTERS = 200

QueueState = Literal["waiting", "held"]


class QueuedPrompt(Wire):
    """A prompt that is stored and that nobody works on yet.

    ``steer``: the running turn takes it up with its next step; ``queue``: it gets a turn of its own. ``held``: an
    abort keeps it back. ``text``: how the prompt begins. ``time.created``: when it was sent, in ms.
    """

    id: MessageID
    session_id: SessionID
    delivery: Delivery
    state: QueueState
    text: str
    agent: str
    model: PromptModel
    time: CreatedTime


class SessionQueueChanged(Event):
    """The prompts that wait for a turn of their own, as they are now, in order. Ours."""

    type: ClassVar[str] = "session.queue"
    session_id: SessionID
    queue: list[QueuedPrompt]


class QueuedPromptNotFound(NotFound):
    """No prompt of this id waits in the session."""

    def __init__(self, session_id: SessionID, message_id: MessageID) -> None:
        super().__init__(f"Queued prompt not found: {message_id}", sessionID=session_id, messageID=message_id)


class PromptTakenUp(Conflict):
    """The prompt does not wait any more: it is, or will be, answered."""

    def __init__(self, message_id: MessageID) -> None:
        super().__init__(
            f"The prompt {message_id} is being answered, or was. To stop the session, abort it.", messageID=message_id
        )


class PromptCancelled(Conflict):
    """Somebody took the prompt out of the queue before its turn."""

    def __init__(self, message_id: MessageID) -> None:
        super().__init__(f"The prompt {message_id} was cancelled before its turn", messageID=message_id)


class QueueFull(Conflict):
    """Too many prompts wait in the session."""

    def __init__(self, session_id: SessionID) -> None:
        super().__init__(f"{LIMIT} prompts wait in session {session_id} already", sessionID=session_id)


class AdmittedPrompt(Wire):
    """A prompt that is ready to become a message. ``has_own_id``: the client chose the id, so it stays."""

    message: UserMessage
    parts: list[Part]
    has_own_id: bool

    def changes(self) -> list[Change]:
        """What stores it."""
        return [PutMessage(self.message), *(PutPart(part) for part in self.parts)]

    def moved(self, message_id: MessageID, ids: IdGenerator) -> "AdmittedPrompt":
        """The same prompt under another id."""
        parts: list[Part] = [replace(part, id=ids.part(), message_id=message_id) for part in self.parts]
        return replace(self, message=replace(self.message, id=message_id), parts=parts)


class PromptQueue:
    """The queued prompts of one directory, in the order they were sent. Publishes ``session.queue``."""

    def __init__(
        self,
        database: Database,
        store: SessionStore,
        events: EventPublisher,
        ids: IdGenerator,
        clock: Clock,
        directory: str,
    ) -> None:
        self._database = database
        self._store = store
        self._events = events
        self._ids = ids
        self._clock = clock
        self._directory = directory

    def of(self, session_id: SessionID) -> list[QueuedPrompt]:
        """What waits, in order."""
        query = "SELECT record, created_ms, held FROM queued_prompt WHERE session_id = ? ORDER BY seq"
        return _listed(self._database.read(query, (session_id,)))

    def all(self) -> list[tuple[SessionID, MessageID, bool]]:
        """Every queued prompt of the directory, in order, and whether it is held."""
        query = "SELECT session_id, id, held FROM queued_prompt WHERE directory = ? ORDER BY seq"
        rows = self._database.read(query, (self._directory,))
        return [(SessionID(session_id), MessageID(id), bool(held)) for session_id, id, held in rows]

    async def add(self, prompt: AdmittedPrompt, on_stored: Callable[[], None]) -> None:
        """Put a prompt at the end; ``on_stored`` is called before anyone can see that it is there.

        Raises ``QueueFull``, ``MessageTaken``, ``SessionNotFound``.
        """
        session_id, id = prompt.message.session_id, prompt.message.id

        def change(tx: Transaction) -> None:
            if tx.execute("SELECT 1 FROM session WHERE id = ?", (session_id,)).fetchone() is None:
                raise SessionNotFound(session_id)
            (count,) = tx.execute("SELECT count(*) FROM queued_prompt WHERE session_id = ?", (session_id,)).fetchone()
            if count >= LIMIT:
                raise QueueFull(session_id)
            if tx.execute("SELECT 1 FROM queued_prompt WHERE id = ?", (id,)).fetchone() is not None:
                raise MessageTaken(id)
            tx.execute(
                "INSERT INTO queued_prompt (id, session_id, directory, created_ms, record) VALUES (?, ?, ?, ?, ?)",
                (id, session_id, self._directory, self._clock.now_ms(), encode(prompt)),
            )
            tx.after_commit(on_stored)
            self._tell(tx, session_id)

        await self._database.write(change)

    async def take_up(
        self, session_id: SessionID, id: MessageID, changes: Callable[[AdmittedPrompt], Sequence[Change]]
    ) -> MessageID:
        """Make the prompt a message, newest of its session, in one transaction; gives the message's id.

        ``changes`` stores it. Raises what they raise, and ``QueuedPromptNotFound``.
        """
        newest = self._store.newest_message_id(session_id)

        def change(tx: Transaction) -> MessageID:
            row = tx.execute("SELECT record FROM queued_prompt WHERE id = ?", (id,)).fetchone()
            if row is None:
                raise QueuedPromptNotFound(session_id, id)
            prompt = decode(row[0], AdmittedPrompt)
            if not prompt.has_own_id:
                # What the turns before it said has been given ids meanwhile: it comes after them, also by id.
                prompt = prompt.moved(self._ids.message(after=newest), self._ids)
            created = CreatedTime(created=self._clock.now_ms())
            prompt = replace(prompt, message=replace(prompt.message, time=created))
            tx.execute("DELETE FROM queued_prompt WHERE id = ?", (id,))
            self._store.apply(tx, *changes(prompt))
            self._tell(tx, session_id)
            return prompt.message.id

        return await self._database.write(change)

    async def remove(self, session_id: SessionID, id: MessageID, on_removed: Callable[[], None] = lambda: None) -> None:
        """Take a prompt out; ``on_removed`` is called before anyone can see it. Raises ``QueuedPromptNotFound``."""

        def change(tx: Transaction) -> None:
            where = (id, session_id)
            if tx.execute("DELETE FROM queued_prompt WHERE id = ? AND session_id = ?", where).rowcount == 0:
                raise QueuedPromptNotFound(session_id, id)
            tx.after_commit(on_removed)
            self._tell(tx, session_id)

        await self._database.write(change)

    async def hold(self, session_id: SessionID, held: bool) -> None:
        """Keep the session's prompts back, or no longer."""

        def change(tx: Transaction) -> None:
            where = (held, session_id, held)
            if tx.execute("UPDATE queued_prompt SET held = ? WHERE session_id = ? AND held <> ?", where).rowcount:
                self._tell(tx, session_id)

        await self._database.write(change)

    def _tell(self, tx: Transaction, session_id: SessionID) -> None:
        query = "SELECT record, created_ms, held FROM queued_prompt WHERE session_id = ? ORDER BY seq"
        queue = _listed(tx.execute(query, (session_id,)).fetchall())
        self._events.append(tx, SessionQueueChanged(session_id=session_id, queue=queue))


def steering(message: UserMessage, parts: Sequence[Part]) -> QueuedPrompt:
    """A stored prompt that the running turn has not taken up yet."""
    return _queued(message, parts, "steer", message.time.created, "waiting")


def _listed(rows: Rows) -> list[QueuedPrompt]:
    prompts = ((decode(record, AdmittedPrompt), created_ms, held) for record, created_ms, held in rows)
    return [_queued(p.message, p.parts, "queue", ms, "held" if held else "waiting") for p, ms, held in prompts]


def _queued(
    message: UserMessage, parts: Sequence[Part], delivery: Delivery, created_ms: int, state: QueueState
) -> QueuedPrompt:
    spoken = (part.text for part in parts if isinstance(part, TextPart) and part.synthetic is not True)
    return QueuedPrompt(
        id=message.id,
        session_id=message.session_id,
        delivery=delivery,
        state=state,
        text="\n".join(spoken)[:PREVIEW_CHARACTERS],
        agent=message.agent,
        model=message.model,
        time=CreatedTime(created=created_ms),
    )
