"""The ids a new part needs."""

from typing import TypedDict

from opencode.core.ids import IdGenerator, MessageID, PartID, SessionID
from opencode.session.schema import Message


class PartIds(TypedDict):
    """Arguments of a new part of a message."""

    id: PartID
    session_id: SessionID
    message_id: MessageID


def part_ids(ids: IdGenerator, message: Message) -> PartIds:
    """A fresh part id with those of the message it belongs to."""
    return {"id": ids.part(), "session_id": message.session_id, "message_id": message.id}
