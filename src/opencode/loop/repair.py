"""Completes what was left open: by a process that died (design: running a prompt, 4), or by a store that refused."""

from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread

from opencode.core.clock import Clock
from opencode.core.ids import SessionID
from opencode.core.log import Logger
from opencode.core.wire import UNSET, replace
from opencode.loop.tool_calls import interrupted
from opencode.loop.unfinished_files import clear_unfinished
from opencode.session.changes import Change, ChangeSession, EndRun, PutMessage, PutPart, Tell
from opencode.session.schema import (
    AssistantMessage,
    MessageAbortedError,
    MessageError,
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
from opencode.session.store import SessionStore

log = Logger("session.repair")


@dataclass(frozen=True, slots=True)
class Interruption:
    """What is written on messages and tool calls that found no end of their own."""

    error: MessageError
    call: str


def stopped(why: str) -> MessageAbortedError:
    """A message that was stopped, and why."""
    return MessageAbortedError(data=MessageText(message=why))


SERVER_STOPPED = Interruption(
    stopped("The server stopped while this was running"),
    "The server stopped while this call was running; it may have had effects, but gave no result",
)
NOT_STORED = Interruption(
    stopped("The end of this could not be stored when it came"),
    "The result of this call could not be stored; it may have had effects",
)


async def repair_sessions(store: SessionStore, clock: Clock) -> int:
    """Complete every message that a dead process left open. Nothing is run again.

    Tool calls end in state ``error`` with what they had shown, growing texts keep what was stored, messages get
    ``MessageAbortedError``, sessions are idle; each with its event. Files that were not finished are removed. Returns
    how many sessions were repaired.
    """
    running = store.running()
    for row in running:
        if (session := store.session(row.session_id)) is not None:
            await to_thread.run_sync(clear_unfinished, store.history(session.id), Path(session.directory))
        await store.commit(*session_repairs(row.session_id, store, clock.now_ms(), SERVER_STOPPED))
        log.info("repaired a session that was running", session=row.session_id, kind=row.kind)
    return len(running)


def session_repairs(session_id: SessionID, store: SessionStore, now_ms: int, why: Interruption) -> list[Change]:
    """What ends everything that is open in a session that runs no longer."""
    if store.session(session_id) is None:
        return [EndRun(session_id)]
    changes = [change for message in store.history(session_id) for change in message_repairs(message, now_ms, why)]
    # The cost of a step is stored without a word; what would have told of it may not have come.
    told = ChangeSession(session_id, lambda session: session)
    idle = SessionStatusChanged(session_id=session_id, status=StatusIdle())
    return [*changes, told, EndRun(session_id), Tell(idle), Tell(SessionIdle(session_id=session_id))]


def message_repairs(message: MessageWithParts, now_ms: int, why: Interruption) -> list[Change]:
    """What completes an assistant message with its parts; nothing when it is complete."""
    info = message.info
    if not isinstance(info, AssistantMessage) or info.time.completed is not UNSET:
        return []
    changes: list[Change] = []
    for part in message.parts:
        match part:
            case ToolPart(state=ToolStatePending() | ToolStateRunning() as state):
                changes.append(PutPart(replace(part, state=interrupted(state, now_ms, why.call))))
            case ToolPart():
                changes.append(PutPart(part))  # its end may have been stored without a word (answers to a question)
            case TextPart(time=PartTime(end=end) as time) | ReasoningPart(time=PartTime(end=end) as time) if (
                end is UNSET
            ):
                changes.append(PutPart(replace(part, time=replace(time, end=now_ms))))
            case _:
                pass
    completed = replace(info, time=MessageTime(created=info.time.created, completed=now_ms))
    if info.finish is UNSET:
        completed = replace(completed, error=why.error)
        changes.append(Tell(SessionErrored(session_id=info.session_id, error=why.error)))
    return [*changes, PutMessage(completed)]
