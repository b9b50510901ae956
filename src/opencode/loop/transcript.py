"""A conversation as plain text, for the one who summarises it (spec: compaction, section 6)."""

from collections.abc import Iterator, Sequence

from opencode.core.wire import UNSET, encode
from opencode.session.schema import (
    FilePart,
    MessageWithParts,
    Part,
    ReasoningPart,
    TextPart,
    ToolPart,
    ToolStateCompleted,
    ToolStateError,
    UserMessage,
)

LONGEST_RESULT = 2_000
CLEARED = "[cleared]"


def transcript(messages: Sequence[MessageWithParts]) -> str:
    """Blocks with a label each, separated by blank lines; long tool results are cut."""
    return "\n\n".join(block for message in messages for part in message.parts for block in _blocks(message, part))


def _blocks(message: MessageWithParts, part: Part) -> Iterator[str]:
    is_user = isinstance(message.info, UserMessage)
    match part:
        case TextPart(text=text) if text.strip() and part.ignored is not True:
            yield f"{'User' if is_user else 'Assistant'}: {text}"
        case ReasoningPart(text=text) if text.strip():
            yield f"Assistant thinking: {text}"
        case FilePart(mime=mime) if mime not in ("text/plain", "application/x-directory"):
            yield f"Attachment: {mime}{'' if part.filename is UNSET else f' {part.filename}'}"
        case ToolPart(tool=tool, state=ToolStateCompleted() as state):
            yield f"Tool call: {tool} {encode(state.input).decode()}"
            yield f"Tool result: {CLEARED if state.time.compacted is not UNSET else _cut(state.output)}"
        case ToolPart(tool=tool, state=ToolStateError() as state):
            yield f"Tool call: {tool} {encode(state.input).decode()}"
            yield f"Tool error: {_cut(state.error)}"
        case _:
            pass


def _cut(text: str) -> str:
    left_out = len(text) - LONGEST_RESULT
    return text if left_out <= 0 else f"{text[:LONGEST_RESULT]}\n[{left_out} more characters]"
