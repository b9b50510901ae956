"""Takes sessions in: all of one call is committed at once, with the events that tell of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from opencode.core.clock import Clock
from opencode.core.errors import Invalid
from opencode.core.ids import MessageID, PartID, SessionID
from opencode.core.wire import UNSET, UnsetType, decode, encode, replace
from opencode.event.bus import EventBus
from opencode.event.schema import EventScope
from opencode.permission.schema import PermissionRuleset
from opencode.project import store as projects
from opencode.project.schema import Project, ProjectUpdated
from opencode.session.changes import Change, ChangeSession, CreateSessionRecord, PutMessage, PutPart, PutTodos
from opencode.session.errors import MessageTaken, SessionNotFound
from opencode.session.schema import MessageWithParts, Session, Todo
from opencode.session.service import SessionPlace
from opencode.session.sqlite_store import SqliteSessionStore
from opencode.storage.database import Database, Transaction
from opencode.transfer.digest import digest
from opencode.transfer.errors import PartTaken
from opencode.transfer.schema import ImportedSession, ImportSession, MessageContent, RestoreSession, SessionContent


@dataclass(frozen=True, slots=True)
class _Written:
    """Changes, and how many records they write."""

    changes: list[Change]
    messages: int
    parts: int


class SessionImports:
    """Adds sessions that were made elsewhere. Their ids stay; what is there already is not written twice.

    A new session is announced with ``session.created`` alone: nobody can have it open. What is added to a known one is
    announced record by record.
    """

    def __init__(self, database: Database, bus: EventBus, clock: Clock) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock

    async def adopt(self, document: ImportSession, place: SessionPlace) -> ImportedSession:
        """Make an exported session one of this place: not shared, without a parent that is not here, updated now.

        Whoever made the file has no say in what agents may do here: rules that allow something are left out.
        A known session stays where and what it is, and gets the messages and parts that it lacks. Raises ``Invalid``,
        ``MessageTaken``, ``PartTaken``; then nothing is written.
        """
        check_ids(document)
        return await self._database.write(lambda tx: self._adopt(tx, document, place))

    async def restore(self, document: RestoreSession) -> ImportedSession:
        """Store a session as it was in another data directory, with its project, directory, parent and times.

        Of a known session, records that are missing are added; with ``replace`` those that differ are replaced too.
        Raises ``Invalid``, ``MessageTaken``, ``PartTaken``; then nothing is written.
        """
        check_ids(document)
        if "\0" in document.info.directory:
            raise Invalid("A directory's name has no zero character", field="info.directory")
        return await self._database.write(lambda tx: self._restore(tx, document))

    async def content(self, session_id: SessionID) -> SessionContent:
        """What is stored, read anew. Raises ``SessionNotFound``."""
        rows = self._database.read("SELECT record FROM session WHERE id = ?", (session_id,))
        if not rows:
            raise SessionNotFound(session_id)
        query = "SELECT seq, id, record FROM message WHERE session_id = ? ORDER BY seq"
        messages = await self._database.read_large(query, (session_id,))
        parts: dict[int, list[bytes]] = {seq: [] for seq, _, _ in messages}
        query = "SELECT message_seq, record FROM part WHERE session_id = ? ORDER BY message_seq, seq"
        for seq, record in await self._database.read_large(query, (session_id,)):
            parts.setdefault(seq, []).append(record)
        todos = self._database.read("SELECT record FROM todo WHERE session_id = ?", (session_id,))
        return SessionContent(
            session=decode(rows[0][0], Session),
            messages=[
                MessageContent(id=id, parts=len(parts[seq]), digest=digest(record, parts[seq]))
                for seq, id, record in messages
            ],
            todos=decode(todos[0][0], list[Todo]) if todos else [],
        )

    def _adopt(self, tx: Transaction, document: ImportSession, place: SessionPlace) -> ImportedSession:
        info = document.info
        known = load_session(tx, info.id)
        now_ms = self._clock.now_ms()
        if known is not None:
            store = self._store(known)
            written = put_messages(tx, document.messages, is_new=False, replaces=False)
            if written.messages or written.parts:
                (known,) = store.apply(tx, *written.changes, ChangeSession(known.id, lambda now: touched(now, now_ms)))
            return ImportedSession(session=known, created=False, messages=written.messages, parts=written.parts)
        parent_id = info.parent_id
        if parent_id is not UNSET and load_session(tx, parent_id) is None:
            parent_id = UNSET
        session = replace(
            touched(info, now_ms),
            project_id=place.project_id,
            directory=str(place.directory),
            path=place.path,
            parent_id=parent_id,
            workspace_id=UNSET,
            share=UNSET,
            permission=without_allowances(info.permission),
        )
        return self._create(tx, session, document.messages, [])

    def _restore(self, tx: Transaction, document: RestoreSession) -> ImportedSession:
        info = document.info
        if document.project is not UNSET:
            self._keep_project(tx, document.project, info.directory)
        todos: list[Change] = [] if document.todos is UNSET else [PutTodos(info.id, document.todos)]
        known = load_session(tx, info.id)
        if known is None:
            return self._create(tx, info, document.messages, todos)
        written = put_messages(tx, document.messages, is_new=False, replaces=document.replace)
        store = self._store(known)
        store.apply(tx, *written.changes)
        if document.replace and info != known:
            moved = replace(info, project_id=known.project_id, directory=known.directory)
            (known,) = store.apply(tx, ChangeSession(info.id, lambda _: moved), *todos)
        return ImportedSession(session=known, created=False, messages=written.messages, parts=written.parts)

    def _create(
        self, tx: Transaction, session: Session, messages: list[MessageWithParts], more: list[Change]
    ) -> ImportedSession:
        written = put_messages(tx, messages, is_new=True, replaces=False)
        self._store(session).apply(tx, CreateSessionRecord(session), *written.changes, *more)
        return ImportedSession(session=session, created=True, messages=written.messages, parts=written.parts)

    def _keep_project(self, tx: Transaction, project: Project, directory: str) -> None:
        """Store a project that is not known yet; publishes ``project.updated`` then."""
        projects.remember_directory(tx, project.id, directory, self._clock.now_ms())
        if projects.load(tx, project.id) is None:
            projects.save(tx, project)
            scope = EventScope(directory="global", project=project.id)
            self._bus.scoped(scope).append(tx, ProjectUpdated.of(project))

    def _store(self, session: Session) -> SqliteSessionStore:
        events = self._bus.scoped(EventScope(directory=session.directory, project=session.project_id))
        return SqliteSessionStore(self._database, events, self._clock, session.directory)


def check_ids(document: ImportSession) -> None:
    """Raises ``Invalid`` for a message or part that names another owner than the one it stands below."""
    for at, message in enumerate(document.messages):
        if message.info.session_id != document.info.id:
            raise Invalid("A message must have the id of its session", field=f"messages[{at}].info.sessionID")
        for number, part in enumerate(message.parts):
            if (part.session_id, part.message_id) != (document.info.id, message.info.id):
                field = f"messages[{at}].parts[{number}].messageID"
                raise Invalid("A part must have the ids of its message and session", field=field)


def load_session(tx: Transaction, session_id: SessionID) -> Session | None:
    """A session as this transaction sees it."""
    row = tx.execute("SELECT record FROM session WHERE id = ?", (session_id,)).fetchone()
    return None if row is None else decode(row[0], Session)


def touched(session: Session, now_ms: int) -> Session:
    """The session, updated now."""
    return replace(session, time=replace(session.time, updated=now_ms, compacting=UNSET))


def without_allowances(rules: PermissionRuleset | UnsetType) -> PermissionRuleset | UnsetType:
    """The rules that deny something or ask."""
    return UNSET if rules is UNSET else [rule for rule in rules if rule.action != "allow"]


def put_messages(tx: Transaction, messages: list[MessageWithParts], *, is_new: bool, replaces: bool) -> _Written:
    """What has to be written: everything that is not stored, and what differs if it ``replaces``.

    Raises ``MessageTaken``, ``PartTaken``.
    """
    changes: list[Change] = []
    counts = {PutMessage: 0, PutPart: 0}
    for message in messages:
        for change in _puts(tx, message, silent=is_new, replaces=replaces):
            changes.append(change)
            counts[type(change)] += 1
    return _Written(changes, counts[PutMessage], counts[PutPart])


def _puts(
    tx: Transaction, message: MessageWithParts, *, silent: bool, replaces: bool
) -> Iterator[PutMessage | PutPart]:
    info = message.info
    stored = _stored_message(tx, info.id, info.session_id)
    if stored is None or (replaces and stored != encode(info)):
        yield PutMessage(info, silent=silent)
    for part in message.parts:
        stored = _stored_part(tx, part.id, info.id)
        if stored is None or (replaces and stored != encode(part)):
            yield PutPart(part, silent=silent)


def _stored_message(tx: Transaction, message_id: MessageID, session_id: SessionID) -> bytes | None:
    row = tx.execute("SELECT session_id, record FROM message WHERE id = ?", (message_id,)).fetchone()
    if row is not None and row[0] != session_id:
        raise MessageTaken(message_id)
    return None if row is None else bytes(row[1])


def _stored_part(tx: Transaction, part_id: PartID, message_id: MessageID) -> bytes | None:
    row = tx.execute("SELECT message_id, record FROM part WHERE id = ?", (part_id,)).fetchone()
    if row is not None and row[0] != message_id:
        raise PartTaken(part_id, row[0])
    return None if row is None else bytes(row[1])
