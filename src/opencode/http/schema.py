"""Records that only the API has: answers about the server itself, and about what this server does not have yet."""

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from opencode.config.part import component
from opencode.core.ids import ProjectID, WorkspaceID
from opencode.core.wire import UNSET, UnsetType, Wire
from opencode.event.schema import Event
from opencode.instance.tui import TuiCommandExecute, TuiPromptAppend, TuiSessionSelect, TuiToastShow
from opencode.session.schema import AssistantMessage, Number, Part, Range, Session


class Health(Wire):
    """The server lives. ``version`` is the API's; ``server`` is ours."""

    healthy: Literal[True] = True
    version: str
    server: str


class PathInfo(Wire):
    """Absolute paths: of the application, and of the instance."""

    home: str
    state: str
    config: str
    worktree: str
    directory: str


class GlobalEvent(Wire):
    """An event with the place where it happened, as ``/global/event`` sends it."""

    directory: str
    project: str | UnsetType = UNSET
    workspace: str | UnsetType = UNSET
    payload: Event


class AnsweredPrompt(Wire):
    """The last message of the answer to a prompt."""

    info: AssistantMessage
    parts: list[Part]


# --- sessions of all projects -----------------------------------------------------------------------------------


class ProjectSummary(Wire):
    """The project of a session."""

    id: ProjectID
    name: str | UnsetType = UNSET
    worktree: str


class GlobalSession(Session):
    """A session with its project, if that is known."""

    project: ProjectSummary | None


# --- files ------------------------------------------------------------------------------------------------------

Count = Annotated[int, Meta(ge=0)]


class File(Wire):
    """A file that differs from the commit; ``path`` is relative to the directory, the counts are lines."""

    path: str
    added: Count
    removed: Count
    status: Literal["added", "deleted", "modified"]


class FoundText(Wire):
    """A piece of text."""

    text: str


class FoundPiece(Wire):
    """A hit within a line: bytes ``start`` to ``end``."""

    match: FoundText
    start: Count
    end: Count


class FoundLine(Wire):
    """A line that matches, as ripgrep tells of it."""

    path: FoundText
    lines: FoundText
    line_number: Count = field(name="line_number")
    absolute_offset: Count = field(name="absolute_offset")
    submatches: list[FoundPiece]


class SymbolLocation(Wire):
    """Where a symbol is."""

    uri: str
    range: Range


class Symbol(Wire):
    """Something that has a name in the code; ``kind`` is that of the Language Server Protocol."""

    name: str
    kind: Count
    location: SymbolLocation


# --- terminal interfaces ----------------------------------------------------------------------------------------


class EventTuiPromptAppend(Wire, tag_field="type", tag="tui.prompt.append"):
    """The event of that name."""

    properties: TuiPromptAppend


class EventTuiCommandExecute(Wire, tag_field="type", tag="tui.command.execute"):
    """The event of that name."""

    properties: TuiCommandExecute


class EventTuiToastShow(Wire, tag_field="type", tag="tui.toast.show"):
    """The event of that name."""

    properties: TuiToastShow


class EventTuiSessionSelect(Wire, tag_field="type", tag="tui.session.select"):
    """The event of that name."""

    properties: TuiSessionSelect


TuiEvent = EventTuiPromptAppend | EventTuiCommandExecute | EventTuiToastShow | EventTuiSessionSelect


# --- tools ------------------------------------------------------------------------------------------------------


class ToolListItem(Wire):
    """A tool as a model sees it; ``parameters`` is a JSON schema."""

    id: str
    description: str
    parameters: Any


ToolIDs = Annotated[list[str], Meta(extra_json_schema=component("ToolIDs"))]
ToolList = Annotated[list[ToolListItem], Meta(extra_json_schema=component("ToolList"))]


# --- language servers, formatters, MCP --------------------------------------------------------------------------


class LSPStatus(Wire):
    """A language server that runs."""

    id: str
    name: str
    root: str
    status: Literal["connected", "error"]


class FormatterStatus(Wire):
    """A formatter, and whether it is in use."""

    name: str
    extensions: list[str]
    enabled: bool


class MCPStatusConnected(Wire, tag_field="status", tag="connected"):
    """In use."""


class MCPStatusDisabled(Wire, tag_field="status", tag="disabled"):
    """Switched off."""


class MCPStatusFailed(Wire, tag_field="status", tag="failed"):
    """Could not be reached."""

    error: str


class MCPStatusNeedsAuth(Wire, tag_field="status", tag="needs_auth"):
    """The user has to sign in."""


class MCPStatusNeedsClientRegistration(Wire, tag_field="status", tag="needs_client_registration"):
    """The server wants to know its clients beforehand."""

    error: str


MCPStatus = (
    MCPStatusConnected | MCPStatusDisabled | MCPStatusFailed | MCPStatusNeedsAuth | MCPStatusNeedsClientRegistration
)


class McpResource(Wire):
    """A resource of an MCP server."""

    name: str
    uri: str
    description: str | UnsetType = UNSET
    mime_type: str | UnsetType = UNSET
    client: str


# --- experimental -----------------------------------------------------------------------------------------------


class ExperimentalCapabilities(Wire):
    """What the server can do beyond the usual."""

    background_subagents: bool = False


class ConsoleState(Wire):
    """The account at OpenCode's console: this server has none."""

    console_managed_providers: list[str] = []
    active_org_name: str | UnsetType = UNSET
    switchable_org_count: int = 0


class Workspace(Wire):
    """A workspace."""

    id: WorkspaceID
    type: str
    name: str
    branch: str | None = None
    directory: str | None = None
    extra: Any = None
    project_id: ProjectID
    time_used: Number


class WorkspaceEventConnectionStatus(Wire):
    """Whether a workspace can be reached."""

    workspace_id: WorkspaceID
    status: Literal["connected", "connecting", "disconnected", "error"]


class WorkspaceAdapter(Wire):
    """A way to make workspaces."""

    type: str
    name: str
    description: str


# --- queries ----------------------------------------------------------------------------------------------------

QueryFlag = Annotated[
    bool, Meta(extra_json_schema={"anyOf": [{"type": "boolean"}, {"type": "string", "enum": ["true", "false"]}]})
]
"""``true``, ``1``; ``false``, ``0`` or nothing."""

QueryCount = Annotated[int, Meta(extra_json_schema={"type": "number"})]
"""How many."""


class DirectoryQuery(Wire):
    """Accepted from clients that send it everywhere, and without meaning where no instance is opened."""

    directory: str | UnsetType = UNSET
    workspace: str | UnsetType = UNSET
