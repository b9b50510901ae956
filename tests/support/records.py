"""Records for tests, with the fields that do not matter filled in."""

from pathlib import Path
from typing import Any

from opencode.core.ids import MessageID, ModelID, PartID, ProjectID, ProviderID, SessionID
from opencode.session.schema import (
    AssistantMessage,
    CreatedTime,
    MessagePath,
    MessageTime,
    PromptModel,
    TextPart,
    UserMessage,
)
from opencode.session.service import SessionPlace

PLACE = SessionPlace(ProjectID("p1"), Path("/home/user/tree/sub"), Path("/home/user/tree"), "1.2.3")


def user_message(session_id: str, message_id: str, *, created: int = 1, **fields: Any) -> UserMessage:
    return UserMessage(
        id=MessageID(message_id),
        session_id=SessionID(session_id),
        time=CreatedTime(created=created),
        agent="build",
        model=PromptModel(provider_id=ProviderID("p"), model_id=ModelID("m")),
        **fields,
    )


def assistant_message(session_id: str, message_id: str, parent_id: str, **fields: Any) -> AssistantMessage:
    return AssistantMessage(
        id=MessageID(message_id),
        session_id=SessionID(session_id),
        parent_id=MessageID(parent_id),
        time=fields.pop("time", MessageTime(created=1)),
        model_id=ModelID("m"),
        provider_id=ProviderID("p"),
        mode="build",
        agent="build",
        path=MessagePath(cwd="/home/user/tree", root="/home/user/tree"),
        **fields,
    )


def text_part(session_id: str, message_id: str, part_id: str, text: str = "hello", **fields: Any) -> TextPart:
    return TextPart(
        id=PartID(part_id),
        session_id=SessionID(session_id),
        message_id=MessageID(message_id),
        text=text,
        **fields,
    )
