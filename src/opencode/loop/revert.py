"""Going back to an earlier point of a session, files included, and forward again (spec: snapshots, 5 and 6)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from opencode.core.ids import MessageID, PartID, SessionID
from opencode.core.wire import UNSET, UnsetType, replace
from opencode.loop.turn_summary import TurnSummaries, total
from opencode.session.changes import Change, ChangeSession, DeleteMessage, DeletePart, Tell
from opencode.session.inputs import RevertInput
from opencode.session.schema import (
    MessageWithParts,
    Part,
    PatchPart,
    Session,
    SessionDiff,
    SessionRevert,
    SnapshotFileDiff,
    TextPart,
    ToolPart,
    UserMessage,
)
from opencode.session.service import SessionService
from opencode.session.store import SessionStore
from opencode.snapshot.schema import Patch
from opencode.snapshot.service import SnapshotService


@dataclass(frozen=True, slots=True)
class RevertPoint:
    """Where a session goes back to, and what the steps after it changed."""

    message_id: MessageID
    part_id: PartID | UnsetType
    patches: list[Patch]


class Reverts:
    """Takes sessions back. Messages stay until the next prompt makes it final, so one can change one's mind."""

    def __init__(
        self, sessions: SessionService, store: SessionStore, snapshots: SnapshotService, summaries: TurnSummaries
    ) -> None:
        self._sessions = sessions
        self._store = store
        self._snapshots = snapshots
        self._summaries = summaries

    async def revert(self, session_id: SessionID, wanted: RevertInput) -> Session:
        """Undo what was done from a message or part on, in the files too; the session itself keeps its messages.

        Publishes ``session.diff``, ``session.updated``. An unknown point changes nothing. The caller has made sure
        that nothing runs. Raises ``SessionNotFound``, ``SnapshotFailed``. Source: operation ``session.revert``.
        """
        session = await self._sessions.get(session_id)
        history = self._store.history(session_id)
        point = find_point(history, wanted)
        if point is None:
            return session
        snapshot = await self._forward(session, history) or await self._snapshots.track()
        await self._snapshots.revert(point.patches)
        diff = UNSET if snapshot is None else await self._snapshots.diff(snapshot)
        revert = SessionRevert(
            message_id=point.message_id, part_id=point.part_id, snapshot=snapshot or UNSET, diff=diff
        )
        return await self._tell(session_id, history, revert)

    async def unrevert(self, session_id: SessionID) -> Session:
        """Go forward again: the files become what they were before the revert. Publishes ``session.updated``."""
        session = await self._sessions.get(session_id)
        if session.revert is UNSET:
            return session
        await self._forward(session, self._store.history(session_id))
        (cleared,) = await self._store.commit(ChangeSession(session_id, _without_revert, touches=True))
        return cleared

    async def taken_back(self, session_id: SessionID, revert: SessionRevert) -> list[SnapshotFileDiff]:
        """What the steps from the point of a revert on had changed in files."""
        return await self._diffs(self._store.history(session_id), revert)

    async def finalise(self, session_id: SessionID) -> None:
        """Remove what was reverted, because the session goes on from there.

        Publishes ``message.removed``, ``message.part.removed``, ``session.updated``; nothing without a revert.
        """
        session = await self._sessions.get(session_id)
        if session.revert is UNSET:
            return
        removals = removals_after(self._store.history(session_id), session.revert)
        await self._store.commit(*removals, ChangeSession(session_id, _without_revert, touches=True))

    async def _forward(self, session: Session, history: Sequence[MessageWithParts]) -> str | None:
        """Make the files that a revert touched what they were before it, and no others; the snapshot they come from."""
        revert = session.revert
        if revert is UNSET or revert.snapshot is UNSET:
            return None
        point = find_point(history, RevertInput(message_id=revert.message_id, part_id=revert.part_id))
        if point is not None:
            touched = dict.fromkeys(file for patch in point.patches for file in patch.files)
            await self._snapshots.restore(revert.snapshot, only=list(touched))
        return revert.snapshot

    async def _tell(self, session_id: SessionID, history: Sequence[MessageWithParts], revert: SessionRevert) -> Session:
        diffs = await self._diffs(history, revert)
        totals = total(diffs)
        (reverted,) = await self._store.commit(
            Tell(SessionDiff(session_id=session_id, diff=diffs)),
            ChangeSession(session_id, lambda session: replace(session, revert=revert, summary=totals), touches=True),
        )
        return reverted

    async def _diffs(self, history: Sequence[MessageWithParts], revert: SessionRevert) -> list[SnapshotFileDiff]:
        return await self._summaries.diffs(history[position(history, revert) :])


def find_point(history: Sequence[MessageWithParts], wanted: RevertInput) -> RevertPoint | None:
    """The point a caller means: a whole turn, or a part in the middle of a message; None when there is no such."""
    found: RevertPoint | None = None
    user: MessageID | None = None
    for message in history:
        if isinstance(message.info, UserMessage):
            user = message.info.id
        for index, part in enumerate(message.parts):
            if found is not None:
                if isinstance(part, PatchPart):
                    found.patches.append(Patch(part.hash, part.files))
            elif _is_target(message, part, wanted):
                is_partial = wanted.part_id is not UNSET and _says_something(message.parts[:index])
                whole = message.info.id if user is None else user
                found = RevertPoint(
                    message_id=message.info.id if is_partial else whole,
                    part_id=wanted.part_id if is_partial else UNSET,
                    patches=[],
                )
    return found


def position(history: Sequence[MessageWithParts], revert: SessionRevert) -> int:
    """Where the message of a revert stands; behind the end when it was deleted."""
    return next((n for n, message in enumerate(history) if message.info.id == revert.message_id), len(history))


def removals_after(history: Sequence[MessageWithParts], revert: SessionRevert) -> Iterator[Change]:
    """What goes once a revert is final: everything from its point on."""
    for message in history[position(history, revert) :]:
        info = message.info
        if info.id != revert.message_id or revert.part_id is UNSET:
            yield DeleteMessage(info.session_id, info.id)
            continue
        ids = [part.id for part in message.parts]
        first = ids.index(revert.part_id) if revert.part_id in ids else len(ids)
        for part_id in ids[first:]:
            yield DeletePart(info.session_id, info.id, part_id)


def _is_target(message: MessageWithParts, part: Part, wanted: RevertInput) -> bool:
    if message.info.id != wanted.message_id:
        return False
    return wanted.part_id is UNSET or part.id == wanted.part_id


def _says_something(parts: Sequence[Part]) -> bool:
    return any(isinstance(part, TextPart | ToolPart) for part in parts)


def _without_revert(session: Session) -> Session:
    return replace(session, revert=UNSET)
