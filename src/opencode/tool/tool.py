"""What a tool is: parameters, result, context, and the one error the model sees (spec: tools core, section 1)."""

import dataclasses
import os.path
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from opencode.core.ids import MessageID, SessionID
from opencode.core.wire import Wire
from opencode.provider.schema import Model
from opencode.session.schema import MessageWithParts

P = TypeVar("P", bound=Wire)


class ToolError(Exception):
    """Tells the model what to do differently. The tool part ends in state ``error``; the loop goes on."""


class Attachment(Wire):
    """A file that goes back to the model with the result; becomes a file part."""

    mime: str
    url: str
    filename: str | None = None


class ToolResult(Wire):
    """What a tool gives back. ``output`` is for the model; ``title`` and ``metadata`` are for clients."""

    title: str
    output: str
    metadata: dict[str, Any] = {}
    attachments: list[Attachment] = []


Ask = Callable[..., Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """What one call of a tool may know and do.

    ``ask`` is ``await ask(permission, patterns=[...], always=[...], metadata={...})``: returns when allowed,
    raises the rejections of ``permission/errors.py`` otherwise; with ``rules_only=True`` no person is asked, and only
    a rule that denies raises. ``report`` is
    ``await report(title=None, metadata=None)``: rewrites what clients see of the running call. Cancellation is
    abort. ``bypass_permissions``: the call is made for the user's own prompt parts.
    """

    session_id: SessionID
    message_id: MessageID
    call_id: str
    agent: str
    directory: Path
    worktree: Path
    model: Model | None
    history: list[MessageWithParts]
    ask: Ask
    report: Callable[..., Awaitable[None]]
    extra: dict[str, Any] = field(default_factory=dict)

    def for_call(self, *, call_id: str, ask: Ask, report: Callable[..., Awaitable[None]]) -> "ToolContext":
        """The same context for one call."""
        return dataclasses.replace(self, call_id=call_id, ask=ask, report=report, extra=dict(self.extra))

    def resolve(self, path: str | None) -> Path:
        """An absolute path: relative ones are relative to the instance directory."""
        return Path(self.directory) if not path else Path(os.path.normpath(self.directory / Path(path).expanduser()))

    def relative(self, path: Path) -> str:
        """The path relative to the worktree, with ``..`` where it is outside; ``""`` for the worktree itself."""
        base = self.directory if str(self.worktree) == "/" else self.worktree
        shown = os.path.relpath(path, base)
        return "" if shown == "." else shown

    def names(self, path: Path) -> list[str]:
        """What rules about files are asked about: the path relative to the worktree, and where its links lead to."""
        base = self.directory if str(self.worktree) == "/" else self.worktree
        real = os.path.relpath(os.path.realpath(path), os.path.realpath(base))
        return list(dict.fromkeys([self.relative(path), "" if real == "." else real]))

    def contains(self, path: Path) -> bool:
        """Whether the path is inside the project (spec: ids and storage, section 7)."""
        if path.is_relative_to(self.directory):
            return True
        return str(self.worktree) != "/" and path.is_relative_to(self.worktree)


class Tool(ABC, Generic[P]):
    """One tool. Keeps no state between calls; what it needs comes through its constructor."""

    id: ClassVar[str]
    description: str
    params: type[P]
    permission: ClassVar[str | None] = None
    """The permission that decides whether the tool is offered; its id when None."""

    def limit_seconds(self, given: Mapping[str, Any]) -> float | None:
        """How long a call with these arguments may take; None: as long as it needs."""
        return None

    @abstractmethod
    async def run(self, params: P, context: ToolContext) -> ToolResult:
        """Do it. Raises ``ToolError``, or the rejections that ``context.ask`` raises."""
