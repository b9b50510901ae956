"""Sessions, messages, parts and todos as they are stored and sent (spec: messages; ids and storage 2)."""

from typing import Annotated, Any, ClassVar, Literal

import msgspec

from opencode.core.ids import MessageID, ModelID, PartID, ProjectID, ProviderID, SessionID, WorkspaceID
from opencode.core.wire import UNSET, UnsetType, Wire
from opencode.event.schema import Event
from opencode.permission.schema import PermissionRuleset
from opencode.provider.schema import ModelRef

Number = int | float
Milliseconds = int


# --- sessions ---------------------------------------------------------------------------------------------------


class SnapshotFileDiff(Wire):
    """One changed file."""

    file: str | UnsetType = UNSET
    patch: str | UnsetType = UNSET
    additions: Number
    deletions: Number
    status: Literal["added", "deleted", "modified"] | UnsetType = UNSET


class SessionSummary(Wire):
    """Totals of what the session changed."""

    additions: Number
    deletions: Number
    files: Number
    diffs: list[SnapshotFileDiff] | UnsetType = UNSET


class CacheTokens(Wire):
    """Tokens read from and written to the provider's prompt cache."""

    read: Number = 0
    write: Number = 0


class Tokens(Wire):
    """Token counts; ``input`` excludes cached ones, ``output`` excludes reasoning."""

    total: Number | UnsetType = UNSET
    input: Number = 0
    output: Number = 0
    reasoning: Number = 0
    cache: CacheTokens = CacheTokens()


class SessionShare(Wire):
    """Where the session is shared."""

    url: str


class SessionModel(Wire):
    """The model of the latest prompt. Note ``id``, not ``modelID``."""

    id: ModelID
    provider_id: ProviderID
    variant: str | UnsetType = UNSET


class SessionTime(Wire):
    """Milliseconds since the epoch."""

    created: Milliseconds
    updated: Milliseconds
    compacting: Milliseconds | UnsetType = UNSET
    archived: Number | UnsetType = UNSET


class SessionRevert(Wire):
    """The point the session was reverted to."""

    message_id: MessageID
    part_id: PartID | UnsetType = UNSET
    snapshot: str | UnsetType = UNSET
    diff: str | UnsetType = UNSET


class Session(Wire):
    """One session."""

    id: SessionID
    slug: str
    project_id: ProjectID
    workspace_id: WorkspaceID | UnsetType = UNSET
    directory: str
    path: str | UnsetType = UNSET
    parent_id: SessionID | UnsetType = UNSET
    summary: SessionSummary | UnsetType = UNSET
    cost: Number | UnsetType = 0
    tokens: Tokens | UnsetType = Tokens()
    share: SessionShare | UnsetType = UNSET
    title: str
    agent: str | UnsetType = UNSET
    model: SessionModel | UnsetType = UNSET
    version: str
    metadata: dict[str, Any] | UnsetType = UNSET
    time: SessionTime
    permission: PermissionRuleset | UnsetType = UNSET
    revert: SessionRevert | UnsetType = UNSET


# --- session status ---------------------------------------------------------------------------------------------


class StatusIdle(Wire, tag_field="type", tag="idle"):
    """Nothing runs."""


class StatusBusy(Wire, tag_field="type", tag="busy"):
    """The loop or a shell command runs."""


class StatusRetry(Wire, tag_field="type", tag="retry"):
    """The loop waits to call the model again, at ``next`` (ms since the epoch)."""

    attempt: int
    message: str
    next: Milliseconds


SessionStatus = StatusIdle | StatusRetry | StatusBusy


# --- errors of messages -----------------------------------------------------------------------------------------


class MessageText(Wire):
    """The data of errors that only have a message."""

    message: str


class ProviderAuthErrorData(Wire):
    """Which provider has no credentials."""

    provider_id: ProviderID
    message: str


class APIErrorData(Wire):
    """What the provider answered."""

    message: str
    status_code: int | UnsetType = UNSET
    is_retryable: bool
    response_headers: dict[str, str] | UnsetType = UNSET
    response_body: str | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class StructuredOutputErrorData(Wire):
    """Why no valid object came."""

    message: str
    retries: int


class ContextOverflowErrorData(Wire):
    """What the provider said."""

    message: str
    response_body: str | UnsetType = UNSET


class ProviderAuthError(Wire, tag_field="name", tag="ProviderAuthError"):
    """No credentials."""

    data: ProviderAuthErrorData


class UnknownError(Wire, tag_field="name", tag="UnknownError"):
    """Anything else."""

    data: MessageText


class MessageOutputLengthError(Wire, tag_field="name", tag="MessageOutputLengthError"):
    """The answer was cut by the output limit."""

    data: dict[str, Any] = {}


class MessageAbortedError(Wire, tag_field="name", tag="MessageAbortedError"):
    """The user stopped it."""

    data: MessageText


class StructuredOutputError(Wire, tag_field="name", tag="StructuredOutputError"):
    """The model did not give the object that was asked for."""

    data: StructuredOutputErrorData


class ContextOverflowError(Wire, tag_field="name", tag="ContextOverflowError"):
    """The history is too long for the model."""

    data: ContextOverflowErrorData


class ContentFilterError(Wire, tag_field="name", tag="ContentFilterError"):
    """The provider filtered the answer."""

    data: MessageText


class UnansweredError(Wire, tag_field="name", tag="UnansweredError"):
    """A permission or question found nobody to answer it, and the configuration makes that a failure. Ours."""

    data: MessageText


BudgetLimit = Literal["session_usd", "day_usd", "session_tokens"]


class BudgetExceededErrorData(Wire):
    """Which limit of the configuration, what it allows and what is spent: USD or tokens."""

    message: str
    limit: BudgetLimit
    allowed: Number
    spent: Number


class BudgetExceededError(Wire, tag_field="name", tag="BudgetExceededError"):
    """The next call of a model would pass what may be spent. Ours."""

    data: BudgetExceededErrorData


class APIError(Wire, tag_field="name", tag="APIError"):
    """The provider refused or failed."""

    data: APIErrorData


MessageError = (
    ProviderAuthError
    | UnknownError
    | MessageOutputLengthError
    | MessageAbortedError
    | StructuredOutputError
    | ContextOverflowError
    | ContentFilterError
    | UnansweredError
    | BudgetExceededError
    | APIError
)


# --- messages ---------------------------------------------------------------------------------------------------


class OutputFormatText(Wire, tag_field="type", tag="text"):
    """Plain text."""


class OutputFormatJsonSchema(Wire, tag_field="type", tag="json_schema"):
    """An object of this JSON schema. ``retry_count``: how often a model may try again that gave none."""

    schema: dict[str, Any]
    retry_count: Annotated[int, msgspec.Meta(ge=0)] | UnsetType = UNSET


OutputFormat = OutputFormatText | OutputFormatJsonSchema


class PromptModel(Wire):
    """The model of a user message, with its variant."""

    provider_id: ProviderID
    model_id: ModelID
    variant: str | UnsetType = UNSET


class CreatedTime(Wire):
    """Milliseconds since the epoch."""

    created: Milliseconds


class MessageTime(Wire):
    """Milliseconds since the epoch; no ``completed``: still at work."""

    created: Milliseconds
    completed: Milliseconds | UnsetType = UNSET


class UserMessageSummary(Wire):
    """What the turn changed."""

    title: str | UnsetType = UNSET
    body: str | UnsetType = UNSET
    diffs: list[SnapshotFileDiff]


class UserMessage(Wire, tag_field="role", tag="user"):
    """What a person sent."""

    id: MessageID
    session_id: SessionID
    time: CreatedTime
    format: OutputFormat | UnsetType = UNSET
    summary: UserMessageSummary | UnsetType = UNSET
    agent: str
    model: PromptModel
    variant: str | UnsetType = UNSET
    system: str | UnsetType = UNSET
    tools: dict[str, bool] | UnsetType = UNSET


class MessagePath(Wire):
    """Working directory and worktree."""

    cwd: str
    root: str


class AssistantMessage(Wire, tag_field="role", tag="assistant"):
    """One answer of a model: one step of the loop. ``parent_id``: the prompt it answers."""

    parent_id: MessageID
    id: MessageID
    session_id: SessionID
    time: MessageTime
    error: MessageError | UnsetType = UNSET
    model_id: ModelID
    provider_id: ProviderID
    mode: str
    agent: str
    path: MessagePath
    summary: bool | UnsetType = UNSET
    cost: Number = 0
    tokens: Tokens = Tokens()
    structured: Any | UnsetType = UNSET
    variant: str | UnsetType = UNSET
    finish: str | UnsetType = UNSET


Message = UserMessage | AssistantMessage


# --- parts ------------------------------------------------------------------------------------------------------


class PartTime(Wire):
    """Milliseconds since the epoch."""

    start: Milliseconds
    end: Milliseconds | UnsetType = UNSET


class FilePartSourceText(Wire):
    """The span of the prompt that stands for the file."""

    value: str
    start: Number
    end: Number


class Position(Wire):
    """Zero-based."""

    line: int
    character: int


class Range(Wire):
    """A span of a document."""

    start: Position
    end: Position


class FileSource(Wire, tag_field="type", tag="file"):
    """A file of the project."""

    text: FilePartSourceText
    path: str


class SymbolSource(Wire, tag_field="type", tag="symbol"):
    """A symbol of a file."""

    text: FilePartSourceText
    path: str
    range: Range
    name: str
    kind: int


class ResourceSource(Wire, tag_field="type", tag="resource"):
    """An MCP resource."""

    text: FilePartSourceText
    client_name: str
    uri: str


FilePartSource = FileSource | SymbolSource | ResourceSource


class PartBase(Wire):
    """What all parts have."""

    id: PartID
    session_id: SessionID
    message_id: MessageID


class TextPart(PartBase, tag_field="type", tag="text"):
    """Text. ``synthetic``: made by the server; ``ignored``: shown, never sent to the model."""

    text: str
    synthetic: bool | UnsetType = UNSET
    ignored: bool | UnsetType = UNSET
    time: PartTime | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET


class SubtaskPart(PartBase, tag_field="type", tag="subtask"):
    """A task for a subagent that waits to be run."""

    prompt: str
    description: str
    agent: str
    model: ModelRef | UnsetType = UNSET
    command: str | UnsetType = UNSET


class ReasoningPart(PartBase, tag_field="type", tag="reasoning"):
    """The model's thinking."""

    text: str
    metadata: dict[str, Any] | UnsetType = UNSET
    time: PartTime


class FilePart(PartBase, tag_field="type", tag="file"):
    """A file or other media."""

    mime: str
    filename: str | UnsetType = UNSET
    url: str
    source: FilePartSource | UnsetType = UNSET


class ToolStatePending(Wire, tag_field="status", tag="pending"):
    """The model is still writing the arguments."""

    input: dict[str, Any] = {}
    raw: str = ""


class StartTime(Wire):
    """Milliseconds since the epoch."""

    start: Milliseconds


class ToolStateRunning(Wire, tag_field="status", tag="running"):
    """The tool is at work."""

    input: dict[str, Any]
    title: str | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    time: StartTime


class ToolTime(Wire):
    """Milliseconds since the epoch; ``compacted``: when the output was hidden from the model."""

    start: Milliseconds
    end: Milliseconds
    compacted: Milliseconds | UnsetType = UNSET


class SpanTime(Wire):
    """Milliseconds since the epoch."""

    start: Milliseconds
    end: Milliseconds


class ToolStateCompleted(Wire, tag_field="status", tag="completed"):
    """The tool gave a result."""

    input: dict[str, Any]
    output: str
    title: str
    metadata: dict[str, Any]
    time: ToolTime
    attachments: list[FilePart] | UnsetType = UNSET


class ToolStateError(Wire, tag_field="status", tag="error"):
    """The tool failed, was refused or was interrupted."""

    input: dict[str, Any]
    error: str
    metadata: dict[str, Any] | UnsetType = UNSET
    time: SpanTime


ToolState = ToolStatePending | ToolStateRunning | ToolStateCompleted | ToolStateError


class ToolPart(PartBase, tag_field="type", tag="tool"):
    """A tool call and what became of it."""

    call_id: str
    tool: str
    state: ToolState
    metadata: dict[str, Any] | UnsetType = UNSET


class StepStartPart(PartBase, tag_field="type", tag="step-start"):
    """A step begins."""

    snapshot: str | UnsetType = UNSET


class StepFinishPart(PartBase, tag_field="type", tag="step-finish"):
    """A step ended."""

    reason: str
    snapshot: str | UnsetType = UNSET
    cost: Number
    tokens: Tokens


class SnapshotPart(PartBase, tag_field="type", tag="snapshot"):
    """A snapshot; old clients only."""

    snapshot: str


class PatchPart(PartBase, tag_field="type", tag="patch"):
    """The files a step changed since the tree ``hash``."""

    hash: str
    files: list[str]


class AgentPartSource(Wire):
    """The span of the prompt that names the agent."""

    value: str
    start: int
    end: int


class AgentPart(PartBase, tag_field="type", tag="agent"):
    """The user named a subagent."""

    name: str
    source: AgentPartSource | UnsetType = UNSET


class RetryPart(PartBase, tag_field="type", tag="retry"):
    """A failed attempt; read only."""

    attempt: int
    error: APIError
    time: CreatedTime


class CompactionPart(PartBase, tag_field="type", tag="compaction"):
    """The history before is to be summarised."""

    auto: bool
    overflow: bool | UnsetType = UNSET
    tail_start_id: MessageID | UnsetType = msgspec.field(default=UNSET, name="tail_start_id")


Part = (
    TextPart
    | SubtaskPart
    | ReasoningPart
    | FilePart
    | ToolPart
    | StepStartPart
    | StepFinishPart
    | SnapshotPart
    | PatchPart
    | AgentPart
    | RetryPart
    | CompactionPart
)


class MessageWithParts(Wire):
    """A message and its parts in order."""

    info: Message
    parts: list[Part]


class Todo(Wire):
    """One item of the session's task list. ``id`` is ours, kept for old clients."""

    id: str | UnsetType = UNSET
    content: str
    status: str
    priority: str


# --- what a prompt brings ---------------------------------------------------------------------------------------


class TextPartInput(Wire, tag_field="type", tag="text"):
    """Text to send."""

    id: PartID | UnsetType = UNSET
    text: str
    synthetic: bool | UnsetType = UNSET
    ignored: bool | UnsetType = UNSET
    time: PartTime | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET


class FilePartInput(Wire, tag_field="type", tag="file"):
    """A file to send: ``file:``, ``data:`` or other URL."""

    id: PartID | UnsetType = UNSET
    mime: str
    filename: str | UnsetType = UNSET
    url: str
    source: FilePartSource | UnsetType = UNSET


class AgentPartInput(Wire, tag_field="type", tag="agent"):
    """A subagent to use."""

    id: PartID | UnsetType = UNSET
    name: str
    source: AgentPartSource | UnsetType = UNSET


class SubtaskPartInput(Wire, tag_field="type", tag="subtask"):
    """A task to run in a subagent."""

    id: PartID | UnsetType = UNSET
    prompt: str
    description: str
    agent: str
    model: ModelRef | UnsetType = UNSET
    command: str | UnsetType = UNSET


PartInput = TextPartInput | FilePartInput | AgentPartInput | SubtaskPartInput


# --- events -----------------------------------------------------------------------------------------------------


class SessionCreated(Event):
    """A session exists."""

    type: ClassVar[str] = "session.created"
    session_id: SessionID
    info: Session


class SessionUpdated(Event):
    """A session's record changed."""

    type: ClassVar[str] = "session.updated"
    session_id: SessionID
    info: Session


class SessionDeleted(Event):
    """A session is gone; its last state."""

    type: ClassVar[str] = "session.deleted"
    session_id: SessionID
    info: Session


class SessionStatusChanged(Event):
    """What the session does now."""

    type: ClassVar[str] = "session.status"
    session_id: SessionID
    status: SessionStatus


class SessionIdle(Event):
    """Companion of status idle, for old clients."""

    type: ClassVar[str] = "session.idle"
    session_id: SessionID


class SessionCompacted(Event):
    """The history before a point was condensed."""

    type: ClassVar[str] = "session.compacted"
    session_id: SessionID


class SessionErrored(Event):
    """A turn failed, or something of the instance did (then without a session)."""

    type: ClassVar[str] = "session.error"
    session_id: SessionID | UnsetType = UNSET
    error: MessageError | UnsetType = UNSET


class SessionDiff(Event):
    """What the session changed in files."""

    type: ClassVar[str] = "session.diff"
    session_id: SessionID
    diff: list[SnapshotFileDiff]


class MessageUpdated(Event):
    """A message was written."""

    type: ClassVar[str] = "message.updated"
    session_id: SessionID
    info: Message


class MessageRemoved(Event):
    """A message and its parts are gone."""

    type: ClassVar[str] = "message.removed"
    session_id: SessionID
    message_id: MessageID


class MessagePartUpdated(Event):
    """A part was written."""

    type: ClassVar[str] = "message.part.updated"
    session_id: SessionID
    part: Part
    time: Milliseconds


class MessagePartDelta(Event):
    """More text of an open part. Not kept: the finished part is."""

    type: ClassVar[str] = "message.part.delta"
    durable: ClassVar[bool] = False
    session_id: SessionID
    message_id: MessageID
    part_id: PartID
    field: str
    delta: str


class MessagePartRemoved(Event):
    """A part is gone."""

    type: ClassVar[str] = "message.part.removed"
    session_id: SessionID
    message_id: MessageID
    part_id: PartID


class TodoUpdated(Event):
    """The task list was written."""

    type: ClassVar[str] = "todo.updated"
    session_id: SessionID
    todos: list[Todo]
