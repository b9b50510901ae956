"""What a turn and its session changed in files, told at the start of a turn and after each step.

Where there are no snapshots nothing is known of file changes: the lists are empty and the totals zero.
"""

from collections.abc import Iterable, Sequence

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


class TurnSummaries:
    """Writes the summaries of sessions and of their user messages."""

    def __init__(self, store: SessionStore, snapshots: SnapshotService) -> None:
        self._store = store
        self._snapshots = snapshots

    async def update(self, session_id: SessionID, message_id: MessageID) -> None:
        """Summarise the turn of a user message, and the session.

        Publishes ``session.updated``, ``session.diff``, ``message.updated``.
        """
        since = self._store.history_from(session_id, message_id)
        message = since[0].info if since else None
        if not isinstance(message, UserMessage):
            return
        span = self._store.snapshot_span(session_id) if self._snapshots.enabled else None
        turn = trees(m for m in since if isinstance(m.info, AssistantMessage) and m.info.parent_id == message_id)
        diffs = await self._between(span)
        turn_diffs = diffs if turn == span else await self._between(turn)
        totals = total(diffs)
        await self._store.commit(
            ChangeSession(session_id, lambda session: replace(session, summary=totals)),
            Tell(SessionDiff(session_id=session_id, diff=diffs)),
            PutMessage(replace(message, summary=UserMessageSummary(diffs=turn_diffs))),
        )

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
