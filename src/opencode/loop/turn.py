"""Where a session stands: its newest messages, and whether the newest prompt is answered."""

from collections.abc import Sequence
from dataclasses import dataclass

from opencode.core.wire import UNSET
from opencode.session.schema import (
    AssistantMessage,
    MessageWithParts,
    OutputFormatJsonSchema,
    ToolPart,
    ToolStateError,
    UserMessage,
)

UNFINISHED = ("tool-calls", "unknown")


@dataclass(frozen=True, slots=True)
class Turn:
    """The newest user message, and the newest assistant message if there is one."""

    history: Sequence[MessageWithParts]
    user: UserMessage
    user_parts: MessageWithParts
    assistant: MessageWithParts | None

    @property
    def is_answered(self) -> bool:
        """Whether the newest prompt has a final answer (spec: prompt loop, note 3).

        Some providers say ``stop`` although they called tools; such an answer is not final. Words are none where
        an object was asked for.
        """
        if self.assistant is None or not isinstance(info := self.assistant.info, AssistantMessage):
            return False
        if info.parent_id != self.user.id or info.finish is UNSET:
            return False
        if isinstance(self.user.format, OutputFormatJsonSchema):
            return info.structured is not UNSET or info.error is not UNSET
        if info.finish in UNFINISHED:
            return False
        return not any(isinstance(part, ToolPart) and not _was_interrupted(part) for part in self.assistant.parts)

    @property
    def answers(self) -> list[MessageWithParts]:
        """The assistant messages that this prompt has already."""
        return [m for m in self.history if isinstance(m.info, AssistantMessage) and m.info.parent_id == self.user.id]


def turn_of(history: Sequence[MessageWithParts]) -> Turn | None:
    """The turn the history ends in; None without a user message."""
    user = next((m for m in reversed(history) if isinstance(m.info, UserMessage)), None)
    if user is None or not isinstance(user.info, UserMessage):
        return None
    assistant = next((m for m in reversed(history) if isinstance(m.info, AssistantMessage)), None)
    return Turn(history=history, user=user.info, user_parts=user, assistant=assistant)


def _was_interrupted(part: ToolPart) -> bool:
    state = part.state
    return isinstance(state, ToolStateError) and state.metadata is not UNSET and bool(state.metadata.get("interrupted"))
