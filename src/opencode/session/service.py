"""Reading and changing sessions, their messages, parts and todos."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from opencode.core.clock import Clock, iso_utc
from opencode.core.errors import Invalid
from opencode.core.ids import IdGenerator, MessageID, PartID, ProjectID, SessionID
from opencode.core.wire import UNSET, replace, set_or
from opencode.session.changes import (
    ChangeSession,
    CreateSessionRecord,
    DeleteMessage,
    DeletePart,
    DeleteSession,
    PutPart,
    PutTodos,
)
from opencode.session.errors import MessageNotFound, PartNotFound, SessionNotFound
from opencode.session.fork import HistoryCopy, before, fork_of
from opencode.session.inputs import (
    CreateSession,
    ForkSession,
    GlobalPage,
    GlobalSessionFilter,
    MessagePage,
    SessionFilter,
    UpdateSession,
)
from opencode.session.schema import Part, Session, SessionTime, Todo
from opencode.session.slug import random_slug
from opencode.session.store import SessionStore
from opencode.session.totals import with_usage_of


@dataclass(frozen=True)
class SessionPlace:
    """Where new sessions of an instance belong."""

    project_id: ProjectID
    directory: Path
    worktree: Path
    version: str

    @cached_property
    def path(self) -> str:
        """The directory relative to the worktree, ``""`` at its root."""
        relative = self.directory.relative_to(self.worktree) if self.directory.is_relative_to(self.worktree) else None
        return "" if relative is None or str(relative) == "." else relative.as_posix()


class SessionService:
    """The sessions of one instance. Every change is committed, with its events, before the call returns."""

    def __init__(self, store: SessionStore, ids: IdGenerator, clock: Clock, place: SessionPlace) -> None:
        self._store = store
        self._ids = ids
        self._clock = clock
        self._place = place

    async def create(self, wanted: CreateSession) -> Session:
        """A new session. Publishes ``session.created``. Raises ``SessionNotFound`` for an unknown parent."""
        if wanted.parent_id is not UNSET:
            await self.get(wanted.parent_id)
        now = self._clock.now_ms()
        session = Session(
            id=self._ids.session(),
            slug=random_slug(),
            project_id=self._place.project_id,
            workspace_id=wanted.workspace_id,
            directory=str(self._place.directory),
            path=self._place.path,
            parent_id=wanted.parent_id,
            title=_default_title(wanted, now) if wanted.title is UNSET else wanted.title,
            agent=wanted.agent,
            model=wanted.model,
            version=self._place.version,
            metadata=wanted.metadata,
            permission=wanted.permission,
            time=SessionTime(created=now, updated=now),
        )
        await self._store.commit(CreateSessionRecord(session))
        return session

    async def get(self, session_id: SessionID) -> Session:
        """Raises ``SessionNotFound``."""
        session = self._store.session(session_id)
        if session is None:
            raise SessionNotFound(session_id)
        return session

    def get_raw(self, session_id: SessionID) -> bytes:
        """The session as JSON. Raises ``SessionNotFound``."""
        record = self._store.session_json(session_id)
        if record is None:
            raise SessionNotFound(session_id)
        return record

    def list_raw(self, wanted: SessionFilter) -> bytes:
        """The project's sessions as a JSON array, newest update first, 100 without a limit."""
        return self._store.sessions_json(self._place.project_id, wanted)

    async def list_global(self, wanted: GlobalSessionFilter) -> GlobalPage:
        """Sessions of all projects, newest update first, 100 without a limit."""
        return await self._store.all_sessions_json(wanted)

    async def children(self, session_id: SessionID) -> list[Session]:
        """Direct children, oldest first. Raises ``SessionNotFound``."""
        self.get_raw(session_id)
        return self._store.children(session_id)

    async def update(self, session_id: SessionID, wanted: UpdateSession) -> Session:
        """Set the given fields, append the given rules; each publishes ``session.updated``.

        A new title and the archive leave ``time.updated`` as it is. Raises ``SessionNotFound``.
        Source: operation ``session.update``.
        """
        changes = []
        if wanted.title is not UNSET:
            changes.append(ChangeSession(session_id, lambda s: replace(s, title=wanted.title)))
        if wanted.metadata is not UNSET:
            changes.append(ChangeSession(session_id, lambda s: replace(s, metadata=wanted.metadata), touches=True))
        if wanted.permission is not UNSET:
            rules = wanted.permission
            changes.append(
                ChangeSession(
                    session_id, lambda s: replace(s, permission=[*set_or(s.permission, []), *rules]), touches=True
                )
            )
        if wanted.time is not UNSET and wanted.time.archived is not UNSET:
            archived = wanted.time.archived
            changes.append(ChangeSession(session_id, lambda s: replace(s, time=replace(s.time, archived=archived))))
        if not changes:
            return await self.get(session_id)
        return (await self._store.commit(*changes))[-1]

    async def fork(self, session_id: SessionID, wanted: ForkSession) -> Session:
        """A new session with a copy of the history before a message, or of all of it.

        Publishes ``session.created``, then ``message.updated`` and ``message.part.updated`` for each copy, then, with
        what the copy has used, ``session.updated``. Raises ``SessionNotFound``. Source: operation ``session.fork``.
        """
        original = await self.get(session_id)
        forked = await self.create(fork_of(original))
        copy = HistoryCopy(forked.id, self._ids)
        messages = before(self._store.history(session_id), wanted.message_id)
        for message in messages:
            await self._store.commit(*copy.changes(message))
        if messages:
            await self._store.commit(ChangeSession(forked.id, lambda now: with_usage_of(now, messages)))
        return forked

    async def delete(self, session_id: SessionID) -> None:
        """Remove the session and its children, deepest first. The caller has stopped what runs.

        Publishes ``session.deleted`` for each. Raises ``SessionNotFound``.
        """
        await self._store.commit(*[DeleteSession(session) for session in await self.family(session_id)])

    async def family(self, session_id: SessionID) -> list[Session]:
        """The session and all below it, deepest first. Raises ``SessionNotFound``."""
        found = [await self.get(session_id)]
        for session in found:  # grows while it is walked
            found += self._store.children(session.id)
        return found[::-1]

    def few_messages(self, session_id: SessionID, limit: int | None, before: str | None) -> MessagePage | None:
        """The same as :meth:`messages`, if they are few enough to be read at once."""
        self.get_raw(session_id)
        return self._store.small_page(session_id, limit, before)

    async def messages(self, session_id: SessionID, limit: int | None, before: str | None) -> MessagePage:
        """Messages with their parts, oldest first. Raises ``SessionNotFound``, ``InvalidCursor``."""
        self.get_raw(session_id)
        return await self._store.page(session_id, limit, before)

    def session_of_message(self, message_id: MessageID) -> SessionID:
        """The session that a message belongs to. Raises ``MessageNotFound``."""
        session_id = self._store.owner_of(message_id)
        if session_id is None:
            raise MessageNotFound(None, message_id)
        return session_id

    async def message_raw(self, session_id: SessionID, message_id: MessageID) -> bytes:
        """``{info, parts}`` as JSON. Raises ``SessionNotFound``, ``MessageNotFound``."""
        record = self._store.message_json(session_id, message_id)
        if record is None:
            self.get_raw(session_id)
            raise MessageNotFound(session_id, message_id)
        return record

    async def delete_message(self, session_id: SessionID, message_id: MessageID) -> None:
        """Remove a message with its parts; files stay. Publishes ``message.removed``."""
        self.get_raw(session_id)
        await self._store.commit(DeleteMessage(session_id, message_id))

    async def update_part(self, session_id: SessionID, message_id: MessageID, part_id: PartID, part: Part) -> Part:
        """Write a part as given. Raises ``Invalid`` when its ids are not those of the path, ``PartNotFound``."""
        if (part.session_id, part.message_id, part.id) != (session_id, message_id, part_id):
            raise Invalid("The part's id, messageID and sessionID must be those of the path", field="id")
        await self._require_part(session_id, message_id, part_id)
        await self._store.commit(PutPart(part))
        return part

    async def delete_part(self, session_id: SessionID, message_id: MessageID, part_id: PartID) -> None:
        """Remove a part. Publishes ``message.part.removed``. Raises ``PartNotFound``."""
        await self._require_part(session_id, message_id, part_id)
        await self._store.commit(DeletePart(session_id, message_id, part_id))

    async def todos(self, session_id: SessionID) -> list[Todo]:
        """The task list, each item with an id. Raises ``SessionNotFound``."""
        self.get_raw(session_id)
        return self._store.todos(session_id)

    async def set_todos(self, session_id: SessionID, todos: list[Todo]) -> list[Todo]:
        """Replace the task list; items without an id get their position. Publishes ``todo.updated``."""
        numbered = [replace(t, id=str(n)) if t.id is UNSET else t for n, t in enumerate(todos, start=1)]
        await self._store.commit(PutTodos(session_id, numbered))
        return numbered

    async def _require_part(self, session_id: SessionID, message_id: MessageID, part_id: PartID) -> None:
        self.get_raw(session_id)
        if self._store.message_json(session_id, message_id) is None:
            raise MessageNotFound(session_id, message_id)
        if self._store.part(session_id, message_id, part_id) is None:
            raise PartNotFound(message_id, part_id)


def _default_title(wanted: CreateSession, now_ms: int) -> str:
    return f"{'New session' if wanted.parent_id is UNSET else 'Child session'} - {iso_utc(now_ms)}"
