"""Stored messages as the model gets them (spec: messages, section 4).

A pure function of the history and the model. What only one wire needs (cache marks, the field for interleaved
reasoning) is the adapter's business.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

from opencode.core.wire import UNSET, UnsetType, replace
from opencode.loop.call_ids import CallIds
from opencode.loop.media import (
    file_content,
    fits_in_tool_result,
    has_payload,
    is_media,
    moves_to_user_turn,
    placeholder,
    readable_or_note,
)
from opencode.provider.request import (
    AssistantTurn,
    FileContent,
    Metadata,
    ModelMessage,
    ReasoningContent,
    TextContent,
    ToolCallContent,
    ToolResultContent,
    ToolTurn,
    UserTurn,
)
from opencode.provider.schema import Model
from opencode.session.schema import (
    AssistantMessage,
    CompactionPart,
    FilePart,
    MessageAbortedError,
    MessageWithParts,
    Part,
    ReasoningPart,
    StepStartPart,
    SubtaskPart,
    TextPart,
    ToolPart,
    ToolStateCompleted,
    ToolStateError,
    ToolStatePending,
    ToolStateRunning,
    UserMessage,
)

COMPACTION_QUESTION = "What did we do so far?"
SUBTASK_NOTE = "The following tool was executed by the user"
MEDIA_NOTE = "Attached media from tool result:"
CLEARED_OUTPUT = "[The output of this call was cleared to save space. Call the tool again if you need it.]"
INTERRUPTED = "[The call was interrupted before it finished: it may have had effects, but gave no result.]"


@dataclass(frozen=True, slots=True)
class ConversionOptions:
    """``strip_media``: files become a line of text. ``tool_output_max_chars``: longer outputs are cut."""

    strip_media: bool = False
    tool_output_max_chars: int | None = None


def to_model_messages(
    history: Iterable[MessageWithParts], model: Model, options: ConversionOptions | None = None
) -> list[ModelMessage]:
    """The turns to send, oldest first. Every tool call is followed by exactly one result."""
    convert = _Conversion(model, options or ConversionOptions())
    turns = [turn for message in history for turn in convert.message(message)]
    return _without_tool_then_user(turns) if convert.call_ids.is_mistral else turns


class _Conversion:
    """One run of the conversion: the model, the options, and the call ids given out so far."""

    def __init__(self, model: Model, options: ConversionOptions) -> None:
        self.model = model
        self.options = options
        self.call_ids = CallIds(model)

    def message(self, message: MessageWithParts) -> Iterator[ModelMessage]:
        """The turns of one stored message; none if it has nothing to say."""
        match message.info:
            case UserMessage():
                yield from self._user(message.parts)
            case AssistantMessage():
                yield from self._assistant(message.info, message.parts)
            case unknown:
                assert_never(unknown)

    # --- user ---

    def _user(self, parts: Sequence[Part]) -> Iterator[UserTurn]:
        content = [item for item in map(self._user_content, parts) if item is not None]
        if content:
            yield UserTurn(content=content)

    def _user_content(self, part: Part) -> TextContent | FileContent | None:
        match part:
            case TextPart(text=text) if text and part.ignored is not True:
                return TextContent(text=text)
            case FilePart() if is_media(part):
                return self._file(file_content(part))
            case CompactionPart():
                return TextContent(text=COMPACTION_QUESTION)
            case SubtaskPart():
                return TextContent(text=SUBTASK_NOTE)
            case _:
                return None

    def _file(self, file: FileContent) -> TextContent | FileContent:
        return placeholder(file) if self.options.strip_media else readable_or_note(file, self.model)

    # --- assistant ---

    def _assistant(self, info: AssistantMessage, parts: Sequence[Part]) -> Iterator[ModelMessage]:
        if not _is_sent(info, parts):
            return
        same_model = (info.provider_id, info.model_id) == (self.model.provider_id, self.model.id)
        moved: list[FileContent] = []
        for step in _steps(parts):
            yield from self._step(step, same_model, moved)
        if moved:
            yield UserTurn(content=[TextContent(text=MEDIA_NOTE), *map(self._file, moved)])

    def _step(self, parts: Sequence[Part], same_model: bool, moved: list[FileContent]) -> Iterator[ModelMessage]:
        """One step: what was said, then the results; files that results cannot carry are added to ``moved``."""
        said: list[TextContent | ReasoningContent | ToolCallContent] = []
        results: list[ToolResultContent] = []
        for part in parts:
            metadata = _metadata(part, same_model)
            match part:
                case TextPart(text=text) if text:
                    said.append(TextContent(text=text, metadata=metadata))
                case TextPart() if same_model and _has_signed_reasoning(parts):
                    # Signatures cover the order of the blocks, so the place must stay taken; empty text is refused.
                    said.append(TextContent(text=" ", metadata=metadata))
                case ReasoningPart() if same_model:
                    if part.text or metadata:
                        said.append(ReasoningContent(text=part.text, metadata=metadata))
                case ReasoningPart():
                    if part.text.strip():
                        said.append(TextContent(text=part.text))
                case ToolPart():
                    call_id = self.call_ids.of(part.call_id)
                    said.append(
                        ToolCallContent(call_id=call_id, name=part.tool, input=part.state.input, metadata=metadata)
                    )
                    results.append(self._result(part, call_id, moved))
                case _:
                    pass
        if said:
            yield AssistantTurn(content=said)
        if results:
            yield ToolTurn(content=results)

    def _result(self, part: ToolPart, call_id: str, moved: list[FileContent]) -> ToolResultContent:
        result = ToolResultContent(call_id=call_id, name=part.tool, output=INTERRUPTED, is_error=True)
        match part.state:
            case ToolStatePending() | ToolStateRunning():
                return result
            case ToolStateError() as failed:
                partial = _interrupted_output(failed)
                if partial is not None:
                    return replace(result, output=self._cut(partial), is_error=False)
                return replace(result, output=failed.error)
            case ToolStateCompleted() as done if done.time.compacted is not UNSET:
                return replace(result, output=CLEARED_OUTPUT, is_error=False)
            case ToolStateCompleted() as done:
                output, files = self._attachments(self._cut(done.output), done.attachments, moved)
                return replace(result, output=output, is_error=False, files=files)
            case unknown:
                assert_never(unknown)

    def _attachments(
        self, output: str, attachments: list[FilePart] | UnsetType, moved: list[FileContent]
    ) -> tuple[str, list[FileContent]]:
        """The output, with notes about unreadable files, and the files that stay in the result."""
        if attachments is UNSET or self.options.strip_media:
            return output, []
        kept: list[FileContent] = []
        for file in map(file_content, attachments):
            if not fits_in_tool_result(file.mime, self.model) and moves_to_user_turn(file.mime):
                moved.append(file)
            elif has_payload(file.url):
                shown = readable_or_note(file, self.model)
                if isinstance(shown, TextContent):
                    output = f"{output}\n{shown.text}"
                else:
                    kept.append(shown)
        return output, kept

    def _cut(self, output: str) -> str:
        limit = self.options.tool_output_max_chars
        if limit is None or len(output) <= limit:
            return output
        return f"{output[:limit]}\n[{len(output) - limit} characters omitted]"


def _is_sent(info: AssistantMessage, parts: Sequence[Part]) -> bool:
    """A failed message is left out; an aborted one counts if it said or did something."""
    if info.error is UNSET:
        return True
    return isinstance(info.error, MessageAbortedError) and any(
        not isinstance(part, StepStartPart | ReasoningPart) for part in parts
    )


def _steps(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """The parts between step starts."""
    step: list[Part] = []
    for part in parts:
        if isinstance(part, StepStartPart):
            yield step
            step = []
        else:
            step.append(part)
    yield step


def _has_signed_reasoning(parts: Sequence[Part]) -> bool:
    return any(
        isinstance(part, ReasoningPart) and part.metadata is not UNSET and "anthropic" in part.metadata
        for part in parts
    )


def _metadata(part: Part, same_model: bool) -> Metadata | None:
    """What the provider wants back; meaningless to any other model."""
    if not same_model or not isinstance(part, TextPart | ReasoningPart | ToolPart):
        return None
    return None if part.metadata is UNSET else part.metadata


def _interrupted_output(state: ToolStateError) -> str | None:
    """What an interrupted tool had given until then."""
    metadata = {} if state.metadata is UNSET else state.metadata
    output = metadata.get("output")
    return output if metadata.get("interrupted") and isinstance(output, str) else None


def _without_tool_then_user(turns: list[ModelMessage]) -> list[ModelMessage]:
    """Mistral wants a word of the assistant between results and the next user turn."""
    spaced: list[ModelMessage] = []
    for turn in turns:
        if isinstance(turn, UserTurn) and spaced and isinstance(spaced[-1], ToolTurn):
            spaced.append(AssistantTurn(content=[TextContent(text="Done.")]))
        spaced.append(turn)
    return spaced
