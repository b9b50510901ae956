"""What a turn and its session changed in files, told from the start of a turn on and after each step.

Where there are no snapshots nothing is known of file changes: the lists are empty and the totals zero.
"""

from collections.abc import Iterable, Sequence

import anyio
from anyio.abc import TaskGroup

from opencode.core.ids import MessageID, SessionID
from opencode.core.log import Logger
from opencode.core.wire import UNSET, replace
from opencode.session.changes import ChangeSession, PutMessage, Tell
from opencode.session.schema import (
    AssistantMessage,
    MessageWithParts,
    SessionDiff,
    SessionSummary,
    SnapshotFileDiff,
    StepFinishPart,
    StepStartPart,
    UserMessage,
    UserMessageSummary,
)
from opencode.session.store import SessionStore
from opencode.snapshot.errors import SnapshotFailed, SnapshotNotFound
from opencode.snapshot.service import SnapshotService

log = Logger("session.summary")


PATIENCE_SECONDS = 2.0
"""How long a session that comes to rest waits for its summary: to compare very many files may take longer."""


class _Due:
    """User messages of one session whose turns are to be summarised, in the order in which they were named."""

    def __init__(self) -> None:
        self.messages: dict[MessageID, None] = {}
        self.done = anyio.Event()


class TurnSummaries:
    """Writes the summaries of sessions and of their user messages in the background, in a session one by one."""

    def __init__(self, store: SessionStore, snapshots: SnapshotService, tasks: TaskGroup) -> None:
        self._store = store
        self._snapshots = snapshots
        self._tasks = tasks
        self._due: dict[SessionID, _Due] = {}

    def begin(self, session_id: SessionID, message_id: MessageID) -> None:
        """Summarise the turn of a user message, and the session; named again before its time, it is done once.

        Publishes ``session.updated``, ``session.diff``, ``message.updated``; only the first when the others would
        repeat what they said.
        """
        due = self._due.get(session_id)
        if due is None:
            due = self._due[session_id] = _Due()
            self._tasks.start_soon(self._work_off, session_id, due, name=f"summaries of {session_id}")
        due.messages[message_id] = None

    async def finish(self, session_id: SessionID) -> None:
        """Wait until all that was begun is told, but not for ever."""
        if (due := self._due.get(session_id)) is not None:
            with anyio.move_on_after(PATIENCE_SECONDS):
                await due.done.wait()

    async def _work_off(self, session_id: SessionID, due: _Due) -> None:
        try:
            while due.messages:
                message_id = next(iter(due.messages))
                del due.messages[message_id]
                await self._summarise(session_id, message_id)
        except Exception:
            log.exception("no summary", session=session_id)
        finally:
            del self._due[session_id]
            due.done.set()

    async def _summarise(self, session_id: SessionID, message_id: MessageID) -> None:
        since = self._store.history_from(session_id, message_id)
        span = self._store.snapshot_span(session_id) if self._snapshots.enabled else None
        turn = trees(m for m in since if isinstance(m.info, AssistantMessage) and m.info.parent_id == message_id)
        turn_diffs = await self._between(turn)
        if self._is_known(session_id, message_id, turn_diffs):
            # What the session has cost since then is news all the same.
            await self._store.commit(ChangeSession(session_id, lambda session: session, touches=True))
            return
        diffs = turn_diffs if turn == span else await self._between(span)
        if (message := self._user_message(session_id, message_id)) is None:
            return
        totals = total(diffs)
        await self._store.commit(
            ChangeSession(session_id, lambda session: replace(session, summary=totals), touches=True),
            Tell(SessionDiff(session_id=session_id, diff=diffs)),
            PutMessage(replace(message, summary=UserMessageSummary(diffs=turn_diffs))),
        )

    def _is_known(self, session_id: SessionID, message_id: MessageID, turn_diffs: list[SnapshotFileDiff]) -> bool:
        """Whether a turn has told these changes, and its session any: that there are none is told each time."""
        message, session = self._user_message(session_id, message_id), self._store.session(session_id)
        if message is None or message.summary is UNSET or message.summary.diffs != turn_diffs:
            return False
        return session is not None and session.summary is not UNSET and session.summary.files > 0

    def _user_message(self, session_id: SessionID, message_id: MessageID) -> UserMessage | None:
        message = self._store.message(session_id, message_id)
        return message.info if message is not None and isinstance(message.info, UserMessage) else None

    async def session_diffs(self, session_id: SessionID) -> list[SnapshotFileDiff]:
        """The files that the steps of a session changed, sorted by name."""
        return await self._between(self._store.snapshot_span(session_id) if self._snapshots.enabled else None)

    async def diffs(self, messages: Iterable[MessageWithParts]) -> list[SnapshotFileDiff]:
        """The files that the steps of these messages changed, sorted by name."""
        return await self._between(trees(messages))

    async def _between(self, span: tuple[str, str] | None) -> list[SnapshotFileDiff]:
        if span is None or span[0] == span[1]:
            return []
        try:
            changes = await self._snapshots.changed(*span)
        except (SnapshotNotFound, SnapshotFailed) as error:
            log.warning("no file changes", reason=error.message)
            return []
        return [
            SnapshotFileDiff(
                file=change.file,
                patch=change.patch,
                additions=change.additions,
                deletions=change.deletions,
                status=change.status,
            )
            for change in changes
        ]


def total(diffs: Sequence[SnapshotFileDiff]) -> SessionSummary:
    """The totals of the changes."""
    return SessionSummary(
        additions=sum(diff.additions for diff in diffs),
        deletions=sum(diff.deletions for diff in diffs),
        files=len(diffs),
    )


def trees(messages: Iterable[MessageWithParts]) -> tuple[str, str] | None:
    """The tree before the first step and the one after the last."""
    parts = [part for message in messages for part in message.parts]
    before = next((p.snapshot for p in parts if isinstance(p, StepStartPart) and p.snapshot is not UNSET), None)
    after = next(
        (p.snapshot for p in reversed(parts) if isinstance(p, StepFinishPart) and p.snapshot is not UNSET), None
    )
    return None if before is None or after is None else (before, after)
