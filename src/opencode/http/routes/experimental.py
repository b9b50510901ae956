"""``/experimental``: tools as models see them, sessions of all projects, and what newer clients ask for at start."""

from opencode.core.ids import ModelID, ProviderID
from opencode.core.wire import UNSET, UnsetType, Wire, set_or
from opencode.http.answer import Header, Raw
from opencode.http.operation import operation
from opencode.http.schema import (
    ConsoleState,
    ExperimentalCapabilities,
    GlobalSession,
    QueryCount,
    QueryFlag,
    ToolIDs,
    ToolList,
    ToolListItem,
    Workspace,
    WorkspaceAdapter,
    WorkspaceEventConnectionStatus,
)
from opencode.instance.instance import Instance
from opencode.provider.request import ToolDefinition
from opencode.session.inputs import GlobalSessionFilter
from opencode.session.schema import Number


class ToolQuery(Wire):
    """The model that would get the tools."""

    provider: ProviderID
    model: ModelID


class GlobalSessionQuery(Wire):
    """Which sessions of all projects to list. ``cursor``: updated before, in ms."""

    directory: str | UnsetType = UNSET
    roots: QueryFlag | UnsetType = UNSET
    start: Number | UnsetType = UNSET
    cursor: Number | UnsetType = UNSET
    search: str | UnsetType = UNSET
    limit: QueryCount | UnsetType = UNSET
    archived: QueryFlag | UnsetType = UNSET


@operation("tool.ids", "GET", "/experimental/tool/ids", errors=("BadRequest",))
def tool_ids(instance: Instance) -> ToolIDs:
    """Ids of all tools."""
    return instance.tools.ids()


@operation("tool.list", "GET", "/experimental/tool", errors=("BadRequest",))
def list_tools(instance: Instance, query: ToolQuery) -> ToolList:
    """Tools as a model would get them."""
    tools = instance.tools.listed(instance.providers.model(query.provider, query.model))
    return [_tool_item(tool.definition) for tool in tools]


@operation("experimental.session.list", "GET", "/experimental/session")
async def list_sessions(instance: Instance, query: GlobalSessionQuery) -> Raw[list[GlobalSession]]:
    """Sessions of all projects, newest update first."""
    wanted = GlobalSessionFilter(
        directory=str(instance.directory) if set_or(query.directory, "") else None,
        roots=set_or(query.roots, False),
        start=set_or(query.start, None),
        cursor=set_or(query.cursor, None),
        search=set_or(query.search, None),
        limit=set_or(query.limit, None),
        archived=set_or(query.archived, False),
    )
    page = await instance.sessions.list_global(wanted)
    return Raw(page.body, _cursor(page.next_cursor))


def _tool_item(tool: ToolDefinition) -> ToolListItem:
    return ToolListItem(id=tool.name, description=tool.description, parameters=tool.parameters)


def _cursor(next_cursor: str | None) -> tuple[Header, ...]:
    return () if next_cursor is None else ((b"x-next-cursor", next_cursor.encode()),)


@operation("experimental.capabilities.get", "GET", "/experimental/capabilities")
def get_capabilities(instance: Instance) -> ExperimentalCapabilities:
    """What the server can do beyond the usual."""
    return ExperimentalCapabilities()


@operation(
    "experimental.console.get", "GET", "/experimental/console", errors=("effect_HttpApiError_InternalServerError",)
)
def get_console(instance: Instance) -> ConsoleState:
    """The account at OpenCode's console: none."""
    return ConsoleState()


@operation("experimental.workspace.list", "GET", "/experimental/workspace")
def list_workspaces(instance: Instance) -> list[Workspace]:
    """Workspaces: none."""
    return []


@operation("experimental.workspace.status", "GET", "/experimental/workspace/status")
def workspace_status(instance: Instance) -> list[WorkspaceEventConnectionStatus]:
    """Connections to workspaces: none."""
    return []


@operation("experimental.workspace.adapter.list", "GET", "/experimental/workspace/adapter")
def list_adapters(instance: Instance) -> list[WorkspaceAdapter]:
    """Ways to make workspaces: none."""
    return []


operations = (
    tool_ids,
    list_tools,
    list_sessions,
    get_capabilities,
    get_console,
    list_workspaces,
    workspace_status,
    list_adapters,
)
