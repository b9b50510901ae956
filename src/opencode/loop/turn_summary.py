"""What a turn changed in files, told to clients at its start and after each step.

Without snapshots nothing is known of file changes: the lists are empty and the totals zero, exactly as OpenCode
reports a directory that has no snapshots.
"""

from opencode.core.ids import MessageID, SessionID
from opencode.core.wire import replace
from opencode.session.changes import ChangeSession, PutMessage, Tell
from opencode.session.schema import SessionDiff, SessionSummary, UserMessage, UserMessageSummary
from opencode.session.store import SessionStore


class TurnSummaries:
    """Writes the summaries of sessions and of their user messages."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    async def update(self, session_id: SessionID, message_id: MessageID) -> None:
        """Summarise the turn of a user message. Publishes ``session.updated``, ``session.diff``,
        ``message.updated``.
        """
        message = self._store.message(session_id, message_id)
        if message is None or not isinstance(message.info, UserMessage):
            return
        totals = SessionSummary(additions=0, deletions=0, files=0)
        await self._store.commit(
            ChangeSession(session_id, lambda session: replace(session, summary=totals)),
            Tell(SessionDiff(session_id=session_id, diff=[])),
            PutMessage(replace(message.info, summary=UserMessageSummary(diffs=[]))),
        )
