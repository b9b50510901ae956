"""What the model still sees of a compacted history (spec: compaction, section 7). Nothing is ever deleted."""

from collections.abc import Sequence

from opencode.core.ids import MessageID
from opencode.core.wire import UNSET
from opencode.session.schema import (
    AssistantMessage,
    CompactionPart,
    MessageAbortedError,
    MessageWithParts,
    UserMessage,
)


def visible_history(history: Sequence[MessageWithParts]) -> list[MessageWithParts]:
    """The newest finished compaction, the tail it kept, and what came after it; all of it without one.

    Order: the marker (it becomes the question), its summary, the kept tail, everything after the summary. A
    compaction that a user asked for and stopped is no part of it, so that no later prompt takes it up again.
    """
    history = _without_stopped(history)
    marker = newest_summarised(history)
    if marker is None:
        return history
    at = next(index for index, message in enumerate(history) if message is marker)
    tail_id = _marker_part(marker).tail_start_id
    start = next((i for i, m in enumerate(history[:at]) if m.info.id == tail_id), at) if tail_id is not UNSET else at
    summary = [m for m in history[at:] if _is_summary(m) and _parent(m) == marker.info.id]
    after = [m for m in history[at + 1 :] if m not in summary]
    return [marker, *summary, *history[start:at], *after]


def newest_summarised(history: Sequence[MessageWithParts]) -> MessageWithParts | None:
    """The newest marker whose summary is finished; a summary that failed does not count."""
    finished = {_parent(message) for message in history if _is_summary(message)}
    markers = (m for m in reversed(history) if is_marker(m) and m.info.id in finished)
    return next(markers, None)


def is_marker(message: MessageWithParts) -> bool:
    """Whether the message asks for a compaction."""
    return isinstance(message.info, UserMessage) and any(isinstance(part, CompactionPart) for part in message.parts)


def _without_stopped(history: Sequence[MessageWithParts]) -> list[MessageWithParts]:
    stopped = {_parent(message) for message in history if _is_stopped_summary(message)}
    dropped = {m.info.id for m in history if m.info.id in stopped and is_marker(m) and not _marker_part(m).auto}
    return [m for m in history if m.info.id not in dropped and _parent(m) not in dropped]


def _marker_part(message: MessageWithParts) -> CompactionPart:
    return next(part for part in message.parts if isinstance(part, CompactionPart))


def _is_summary(message: MessageWithParts) -> bool:
    info = message.info
    return (
        isinstance(info, AssistantMessage) and info.summary is True and info.finish is not UNSET and info.error is UNSET
    )


def _is_stopped_summary(message: MessageWithParts) -> bool:
    info = message.info
    return isinstance(info, AssistantMessage) and info.summary is True and isinstance(info.error, MessageAbortedError)


def _parent(message: MessageWithParts) -> MessageID | None:
    return message.info.parent_id if isinstance(message.info, AssistantMessage) else None
