"""What callers send about sessions: the bodies and filters of the session operations."""

from typing import Any, Literal

from opencode.core.ids import MessageID, ModelID, PartID, ProviderID, SessionID, WorkspaceID
from opencode.core.wire import UNSET, UnsetType, Wire
from opencode.permission.schema import PermissionRuleset
from opencode.provider.schema import ModelRef
from opencode.session.schema import FilePartInput, Number, OutputFormat, PartInput, SessionModel


class CreateSession(Wire):
    """Body of ``session.create``."""

    parent_id: SessionID | UnsetType = UNSET
    title: str | UnsetType = UNSET
    agent: str | UnsetType = UNSET
    model: SessionModel | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    permission: PermissionRuleset | UnsetType = UNSET
    workspace_id: WorkspaceID | UnsetType = UNSET


class ForkSession(Wire):
    """Body of ``session.fork``. ``message_id``: the first message that is not copied."""

    message_id: MessageID | UnsetType = UNSET


class UpdateSessionTime(Wire):
    """When the session was archived, in ms."""

    archived: Number | UnsetType = UNSET


class UpdateSession(Wire):
    """Body of ``session.update``: given fields are set, rules are appended."""

    title: str | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    permission: PermissionRuleset | UnsetType = UNSET
    time: UpdateSessionTime | UnsetType = UNSET


class SessionFilter(Wire):
    """Which sessions of a project to list, newest update first."""

    directory: str | None = None
    roots: bool = False
    start: Number | None = None
    search: str | None = None
    limit: int | None = None
    scope: Literal["project"] | None = None
    path: str | None = None


class GlobalSessionFilter(Wire):
    """Which sessions of all projects to list, newest update first. ``cursor``: updated before, in ms."""

    directory: str | None = None
    roots: bool = False
    start: Number | None = None
    cursor: Number | None = None
    search: str | None = None
    limit: int | None = None
    archived: bool = False


Delivery = Literal["steer", "queue"]
"""What a prompt for a busy session does: join the running turn at its next step, or wait for a turn of its own."""


class PromptInput(Wire):
    """Body of ``session.prompt`` and ``session.prompt_async``. ``delivery``: ours; ``steer`` when absent."""

    message_id: MessageID | UnsetType = UNSET
    model: ModelRef | UnsetType = UNSET
    agent: str | UnsetType = UNSET
    no_reply: bool | UnsetType = UNSET
    tools: dict[str, bool] | UnsetType = UNSET
    format: OutputFormat | UnsetType = UNSET
    system: str | UnsetType = UNSET
    variant: str | UnsetType = UNSET
    delivery: Delivery | UnsetType = UNSET
    parts: list[PartInput]


class ShellInput(Wire):
    """Body of ``session.shell``."""

    message_id: MessageID | UnsetType = UNSET
    agent: str | UnsetType = UNSET
    model: ModelRef | UnsetType = UNSET
    command: str


class AttachedFile(FilePartInput, tag_field="type", tag="file"):
    """A file that comes with a command. A class of its own because the document describes it in place."""


class CommandInput(Wire):
    """Body of ``session.command``. ``model``: ``provider/model``; ``delivery``: as for prompts."""

    message_id: MessageID | UnsetType = UNSET
    agent: str | UnsetType = UNSET
    model: str | UnsetType = UNSET
    arguments: str
    command: str
    variant: str | UnsetType = UNSET
    delivery: Delivery | UnsetType = UNSET
    parts: list[AttachedFile] | UnsetType = UNSET


class InitInput(Wire):
    """Body of ``session.init``."""

    model_id: ModelID
    provider_id: ProviderID
    message_id: MessageID


class RevertInput(Wire):
    """Body of ``session.revert``: the message, or the part of it, to go back to."""

    message_id: MessageID
    part_id: PartID | UnsetType = UNSET


class SummarizeInput(Wire):
    """Body of ``session.summarize``. ``auto``: go on by itself when the history is condensed."""

    provider_id: ProviderID
    model_id: ModelID
    auto: bool | UnsetType = UNSET


class MessagePage(Wire):
    """Messages as JSON, oldest first, and the cursor of older ones if there are any."""

    body: bytes
    next_cursor: str | None = None


class GlobalPage(Wire):
    """Sessions as JSON, and the cursor of older ones if there are any."""

    body: bytes
    next_cursor: str | None = None
