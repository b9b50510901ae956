"""What a turn comes to for clients of ``/v1/chat``."""

from typing import Final

from opencode.core.errors import Unavailable
from opencode.core.wire import UNSET, UnsetType, set_or
from opencode.instance.chat_schema import ChatAnswerMessage, ChatChoice, ChatCompletion, ChatUsage, FinishReason
from opencode.session.schema import AssistantMessage, MessageError, MessageWithParts, TextPart

FINISHES: Final[dict[str, FinishReason]] = {"length": "length", "content-filter": "content_filter"}


class ChatFailed(Unavailable):
    """The model gave no answer; the message is that of its error."""

    name = "ChatFailed"

    def __init__(self, error: MessageError) -> None:
        data = getattr(error, "data", None)
        super().__init__(getattr(data, "message", None) or type(error).__name__, error=type(error).__name__)


def completion(message: MessageWithParts, asked: str | UnsetType) -> ChatCompletion:
    """The last message of a turn as OpenAI's clients read it. Raises ``ChatFailed``."""
    info = message.info
    assert isinstance(info, AssistantMessage)
    if info.error is not UNSET:
        raise ChatFailed(info.error)
    content = "\n\n".join(part.text for part in message.parts if isinstance(part, TextPart))
    sent = info.tokens.input + info.tokens.cache.read + info.tokens.cache.write
    received = info.tokens.output + info.tokens.reasoning
    finish = FINISHES.get(set_or(info.finish, ""), "stop")
    return ChatCompletion(
        id=f"chatcmpl-{info.id.removeprefix('msg_')}",
        created=int(info.time.created // 1000),
        model=set_or(asked, f"{info.provider_id}/{info.model_id}"),
        choices=[ChatChoice(message=ChatAnswerMessage(content=content), finish_reason=finish)],
        usage=ChatUsage(prompt_tokens=sent, completion_tokens=received, total_tokens=sent + received),
        content=content,
        session_id=info.session_id,
        message_id=info.id,
        parts=message.parts,
    )
