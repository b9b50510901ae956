"""Settles at start-up what was running when the process before this one ended (design: running a prompt, 4)."""

from opencode.core.clock import Clock
from opencode.core.log import Logger
from opencode.core.wire import UNSET, replace
from opencode.loop.tool_calls import interrupted
from opencode.session.changes import Change, EndRun, PutMessage, PutPart, Tell
from opencode.session.schema import (
    AssistantMessage,
    MessageAbortedError,
    MessageText,
    MessageTime,
    MessageWithParts,
    PartTime,
    ReasoningPart,
    SessionErrored,
    SessionIdle,
    SessionStatusChanged,
    StatusIdle,
    TextPart,
    ToolPart,
    ToolStatePending,
    ToolStateRunning,
)
from opencode.session.store import RunningSession, SessionStore

log = Logger("session.repair")

STOPPED = "The server stopped while this was running"
STOPPED_CALL = "The server stopped while this call was running; it may have had effects, but gave no result"


async def repair_sessions(store: SessionStore, clock: Clock) -> int:
    """Complete every message that a dead process left open. Nothing is run again.

    Tool calls end in state ``error`` with what they had shown, growing texts keep what was stored, messages get
    ``MessageAbortedError``, sessions are idle; each with its event. Returns how many sessions were repaired.
    """
    running = store.running()
    for row in running:
        changes = _repairs(row, store, clock.now_ms())
        await store.commit(*changes)
        log.info("repaired a session that was running", session=row.session_id, kind=row.kind)
    return len(running)


def _repairs(row: RunningSession, store: SessionStore, now_ms: int) -> list[Change]:
    if store.session(row.session_id) is None:
        return [EndRun(row.session_id)]
    open_messages = [message for message in store.history(row.session_id) if _is_open(message)]
    changes = [change for message in open_messages for change in _completed(message, now_ms)]
    idle = SessionStatusChanged(session_id=row.session_id, status=StatusIdle())
    return [*changes, EndRun(row.session_id), Tell(idle), Tell(SessionIdle(session_id=row.session_id))]


def _is_open(message: MessageWithParts) -> bool:
    return isinstance(message.info, AssistantMessage) and message.info.time.completed is UNSET


def _completed(message: MessageWithParts, now_ms: int) -> list[Change]:
    info = message.info
    assert isinstance(info, AssistantMessage)
    changes: list[Change] = []
    for part in message.parts:
        match part:
            case ToolPart(state=ToolStatePending() | ToolStateRunning() as state):
                changes.append(PutPart(replace(part, state=interrupted(state, now_ms, STOPPED_CALL))))
            case TextPart(time=PartTime(end=end) as time) | ReasoningPart(time=PartTime(end=end) as time) if (
                end is UNSET
            ):
                changes.append(PutPart(replace(part, time=replace(time, end=now_ms))))
            case _:
                pass
    completed = replace(info, time=MessageTime(created=info.time.created, completed=now_ms))
    if info.finish is UNSET:
        error = MessageAbortedError(data=MessageText(message=STOPPED))
        completed = replace(completed, error=error)
        changes.append(Tell(SessionErrored(session_id=info.session_id, error=error)))
    return [*changes, PutMessage(completed)]
