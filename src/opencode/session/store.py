"""Where sessions, messages, parts and todos are kept, as the services see it."""

from collections.abc import Sequence
from typing import Protocol

from opencode.core.ids import MessageID, PartID, ProjectID, SessionID
from opencode.core.wire import Wire
from opencode.session.changes import Change
from opencode.session.inputs import GlobalPage, GlobalSessionFilter, MessagePage, SessionFilter
from opencode.session.schema import MessageWithParts, Part, Session, Todo
from opencode.session.spending import Spending
from opencode.storage.database import Transaction


class RunningSession(Wire):
    """A row of the run table: the session ran when the row was written."""

    session_id: SessionID
    kind: str


class SessionStore(Protocol):
    """Records of the sessions of one directory's project. Everything read is committed."""

    async def commit(self, *changes: Change) -> list[Session]:
        """Write the changes and append their events in one transaction, in order.

        Returns the sessions that ``ChangeSession`` made, in order. Raises ``SessionNotFound``,
        ``MessageNotFound``, ``MessageTaken``; then nothing is written.
        """
        ...

    def apply(self, tx: Transaction, *changes: Change) -> list[Session]:
        """The same as part of a transaction that somebody else commits."""
        ...

    def session(self, session_id: SessionID) -> Session | None: ...

    def session_json(self, session_id: SessionID) -> bytes | None: ...

    def sessions_json(self, project_id: ProjectID, wanted: SessionFilter) -> bytes:
        """A JSON array, newest update first."""
        ...

    async def all_sessions_json(self, wanted: GlobalSessionFilter) -> GlobalPage:
        """Sessions of every project, each with ``project``."""
        ...

    def children(self, session_id: SessionID) -> list[Session]:
        """Direct children, oldest first."""
        ...

    def small_page(self, session_id: SessionID, limit: int | None, before: str | None) -> MessagePage | None:
        """The same as :meth:`page`, if it is small enough to be read at once."""
        ...

    async def page(self, session_id: SessionID, limit: int | None, before: str | None) -> MessagePage:
        """Newest messages (all without ``limit``), oldest first. Raises ``InvalidCursor``."""
        ...

    def message_json(self, session_id: SessionID, message_id: MessageID) -> bytes | None: ...

    def message(self, session_id: SessionID, message_id: MessageID) -> MessageWithParts | None: ...

    def part(self, session_id: SessionID, message_id: MessageID, part_id: PartID) -> Part | None: ...

    def history(self, session_id: SessionID) -> list[MessageWithParts]:
        """All messages with their parts, oldest first."""
        ...

    def recent_history(self, session_id: SessionID) -> list[MessageWithParts]:
        """The newest part of the history: with the newest finished compaction, and from the tail that it kept on.

        What a session's next step is made of, however long the session is. All of it without a compaction.
        """
        ...

    def history_from(self, session_id: SessionID, message_id: MessageID) -> list[MessageWithParts]:
        """A message and all that came after it; empty when the session does not have it."""
        ...

    def snapshot_span(self, session_id: SessionID) -> tuple[str, str] | None:
        """The tree before the session's first step and the one after its last, however long it is."""
        ...

    def newest_message_id(self, session_id: SessionID) -> MessageID | None:
        """The greatest message id of the session, whoever made it."""
        ...

    def owner_of(self, message_id: MessageID) -> SessionID | None:
        """The session that has this message."""
        ...

    def newest_answer_json(self, session_id: SessionID) -> bytes | None:
        """``{info, parts}`` of the newest assistant message."""
        ...

    def todos(self, session_id: SessionID) -> list[Todo]: ...

    def spending(self, session_id: SessionID, day: str) -> Spending:
        """What the session's root with all below it has used, and everything on a day (``YYYY-MM-DD``)."""
        ...

    def running(self) -> Sequence[RunningSession]:
        """Sessions of this directory that ran when the process before this one ended."""
        ...

    def reverted_trees(self) -> list[str]:
        """The snapshots that sessions of this directory can still be taken forward to."""
        ...
