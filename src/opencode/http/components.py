"""The types that have a name in the document. All others stand where they are used, as in the official one."""

from types import MappingProxyType
from typing import Any

from opencode.agent.schema import Agent
from opencode.auth.schema import ApiAuth, Auth, OAuth, WellKnownAuth
from opencode.command.schema import Command, CommandExecuted
from opencode.config.schema import Config
from opencode.core.wire import Wire
from opencode.event.schema import Event
from opencode.event.server_events import (
    GlobalDisposed,
    ModelsDevRefreshed,
    ServerConnected,
    ServerHeartbeat,
    ServerInstanceDisposed,
    ServerResync,
)
from opencode.event.unattended import AskDeadlineChanged
from opencode.file.schema import FileContent, FileEdited, FileNode, FileWatcherUpdated
from opencode.http import schema as api
from opencode.http.json_schema import JsonSchema, SchemaWriter
from opencode.instance import tui
from opencode.loop import waits
from opencode.loop.budgets import BudgetExceeded, BudgetState
from opencode.loop.fallback import ModelSwitched
from opencode.loop.queue import QueuedPrompt, SessionQueueChanged
from opencode.permission import schema as permission
from opencode.project import schema as project
from opencode.provider import schema as provider
from opencode.provider.sign_in.schema import ProviderAuthAuthorization, ProviderAuthMethod
from opencode.question import schema as question
from opencode.session import schema as session

EVENTS: tuple[type[Event], ...] = (
    session.SessionCreated,
    session.SessionUpdated,
    session.SessionDeleted,
    session.SessionStatusChanged,
    session.SessionIdle,
    session.SessionErrored,
    session.SessionCompacted,
    session.SessionDiff,
    session.MessageUpdated,
    session.MessageRemoved,
    session.MessagePartUpdated,
    session.MessagePartDelta,
    session.MessagePartRemoved,
    session.TodoUpdated,
    CommandExecuted,
    permission.PermissionAsked,
    permission.PermissionReplied,
    question.QuestionAsked,
    question.QuestionReplied,
    question.QuestionRejected,
    AskDeadlineChanged,
    SessionQueueChanged,
    ModelSwitched,
    BudgetExceeded,
    FileEdited,
    FileWatcherUpdated,
    tui.TuiPromptAppend,
    tui.TuiCommandExecute,
    tui.TuiToastShow,
    tui.TuiSessionSelect,
    project.ProjectUpdated,
    project.VcsBranchUpdated,
    ServerConnected,
    ServerHeartbeat,
    ServerResync,
    ServerInstanceDisposed,
    GlobalDisposed,
    ModelsDevRefreshed,
)
"""Every event there is."""


_UNDER_THEIR_OWN_NAMES: tuple[type[Wire], ...] = (
    Agent,
    ApiAuth,
    Command,
    FileContent,
    FileNode,
    ProviderAuthAuthorization,
    ProviderAuthMethod,
    api.ConsoleState,
    api.ExperimentalCapabilities,
    api.File,
    api.FormatterStatus,
    api.GlobalEvent,
    api.GlobalSession,
    api.LSPStatus,
    api.MCPStatusConnected,
    api.MCPStatusDisabled,
    api.MCPStatusFailed,
    api.MCPStatusNeedsAuth,
    api.MCPStatusNeedsClientRegistration,
    api.McpResource,
    api.ProjectSummary,
    api.Symbol,
    api.ToolListItem,
    api.Workspace,
    api.WorkspaceEventConnectionStatus,
    project.ProjectCommands,
    project.ProjectIcon,
    project.ProjectTime,
    project.VcsInfo,
    api.EventTuiCommandExecute,
    api.EventTuiPromptAppend,
    api.EventTuiSessionSelect,
    api.EventTuiToastShow,
    OAuth,
    WellKnownAuth,
    Config,
    QueuedPrompt,
    waits.Release,
    waits.SessionWhy,
    BudgetState,
    waits.WaitCompaction,
    waits.WaitModel,
    waits.WaitPermission,
    waits.WaitQuestion,
    waits.WaitQueue,
    waits.WaitRetry,
    waits.WaitStopping,
    waits.WaitStorage,
    waits.WaitSubagent,
    waits.WaitTool,
    waits.WaitWork,
    permission.PermissionRequest,
    permission.PermissionRule,
    provider.Model,
    provider.Provider,
    question.QuestionInfo,
    question.QuestionOption,
    question.QuestionRequest,
    question.QuestionTool,
    session.APIError,
    session.AgentPart,
    session.AgentPartInput,
    session.AssistantMessage,
    session.CompactionPart,
    session.ContentFilterError,
    session.ContextOverflowError,
    session.FilePart,
    session.FilePartInput,
    session.FilePartSourceText,
    session.FileSource,
    session.MessageAbortedError,
    session.MessageOutputLengthError,
    session.OutputFormatJsonSchema,
    session.OutputFormatText,
    session.PatchPart,
    session.ProviderAuthError,
    session.Range,
    session.ReasoningPart,
    session.ResourceSource,
    session.RetryPart,
    session.Session,
    session.SnapshotFileDiff,
    session.SnapshotPart,
    session.StepFinishPart,
    session.StepStartPart,
    session.StructuredOutputError,
    session.SubtaskPart,
    session.SubtaskPartInput,
    session.SymbolSource,
    session.TextPart,
    session.TextPartInput,
    session.Todo,
    session.ToolPart,
    session.ToolStateCompleted,
    session.ToolStateError,
    session.ToolStatePending,
    session.ToolStateRunning,
    session.UnansweredError,
    session.BudgetExceededError,
    session.UnknownError,
    session.UserMessage,
)

COMPONENTS: MappingProxyType[str, Any] = MappingProxyType(
    {
        **{kind.__name__: kind for kind in _UNDER_THEIR_OWN_NAMES},
        "Auth": Auth,
        "Event": Event,
        "FilePartSource": session.FilePartSource,
        "MCPStatus": api.MCPStatus,
        "Message": session.Message,
        "OutputFormat": session.OutputFormat,
        "Path": api.PathInfo,
        "Part": session.Part,
        "PermissionAction": permission.PermissionAction,
        "PermissionRuleset": permission.PermissionRuleset,
        "Project": project.ProjectAnswer,
        "ProjectVcs": project.ProjectVcs,
        "SessionStatus": session.SessionStatus,
        "SessionWait": waits.SessionWait,
        "ToolState": session.ToolState,
    }
)


REFERRED: MappingProxyType[str, Any] = MappingProxyType(
    {
        "JSONSchema": dict[str, Any],
        "ProjectDirectories": list[project.ProjectDirectory],
        "QuestionAnswer": list[str],
        "ToolIDs": list[str],
        "ToolList": list[api.ToolListItem],
    }
)
"""Names of types that other types are equal to: only an annotation with a ``$ref`` uses them."""


def event_components(writer: SchemaWriter) -> None:
    """The component ``Event``, with one ``Event...`` for each type of event."""
    writer.add("Event", {"anyOf": [writer.add(component_name(kind), _event(kind, writer)) for kind in EVENTS]})


def component_name(kind: type[Event]) -> str:
    """``message.part.updated`` is documented as ``EventMessagePartUpdated``.

    Events that clients send, too, have that name as they send them; with their id ``tui.toast.show`` is documented as
    ``Event.tui.toast.show``.
    """
    if kind.type.startswith("tui."):
        return f"Event.{kind.type}"
    return "Event" + "".join(word[0].upper() + word[1:] for word in kind.type.split("."))


def _event(kind: type[Event], writer: SchemaWriter) -> JsonSchema:
    properties = {
        "id": {"type": "string", "pattern": "^evt_"},
        "type": {"type": "string", "enum": [kind.type]},
        "properties": writer.schema(kind),
    }
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
