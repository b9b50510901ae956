"""A project directory with the file tools on it, and a record of what they asked, reported and announced."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from opencode.core.clock import SystemClock
from opencode.core.ids import MessageID, SessionID
from opencode.event.schema import Event
from opencode.file.announcer import FileAnnouncer
from opencode.file.diagnostics import AfterWrite
from opencode.file.editor import FileEditor
from opencode.file.search import FileSearch
from opencode.file.walk import PythonSearch
from opencode.permission.errors import PermissionDenied
from opencode.tool.arguments import check_arguments
from opencode.tool.builtin.apply_patch import ApplyPatchTool
from opencode.tool.builtin.edit import EditTool
from opencode.tool.builtin.glob import GlobTool
from opencode.tool.builtin.grep import GrepTool
from opencode.tool.builtin.list import ListTool
from opencode.tool.builtin.read import NestedInstructions, ReadTool
from opencode.tool.builtin.write import WriteTool
from opencode.tool.file_time import FileTimes
from opencode.tool.tool import Tool, ToolContext, ToolResult

SESSION = SessionID("ses_1")


class FileBench:
    """Calls tools as the loop does. ``asks``, ``reports`` and ``events`` hold what came out of it, in order.

    ``denied``: paths that a rule forbids to change.
    """

    def __init__(
        self,
        directory: Path,
        *,
        after_write: AfterWrite | None = None,
        guard: bool = True,
        search: FileSearch | None = None,
        nested_instructions: NestedInstructions | None = None,
    ) -> None:
        self.directory = directory
        self.asks: list[tuple[str, list[str], dict[str, Any]]] = []
        self.reports: list[dict[str, Any]] = []
        self.events: list[tuple[str, ...]] = []
        self.on_ask: list[Callable[[], object]] = []
        self.denied: list[str] = []
        self.times = FileTimes(SystemClock(), enabled=guard)
        self.editor = FileEditor(FileAnnouncer(self), after_write)
        search = search or FileSearch(PythonSearch())
        self.tools: dict[str, Tool[Any]] = {
            "read": ReadTool(self.times, nested_instructions),
            "write": WriteTool(self.editor, self.times),
            "edit": EditTool(self.editor, self.times),
            "apply_patch": ApplyPatchTool(self.editor, self.times),
            "glob": GlobTool(search),
            "grep": GrepTool(search),
            "list": ListTool(search),
        }

    async def call(self, name: str, extra: dict[str, Any] | None = None, **arguments: Any) -> ToolResult:
        """Run a tool with the model's arguments."""
        tool = self.tools[name]
        return await tool.run(check_arguments(name, tool.params, arguments), self.context(extra or {}))

    def context(self, extra: dict[str, Any]) -> ToolContext:
        """What the tool is given."""
        return ToolContext(
            session_id=SESSION,
            message_id=MessageID("msg_1"),
            call_id="call_1",
            agent="build",
            directory=self.directory,
            worktree=self.directory,
            model=None,
            history=[],
            ask=self._ask,
            report=self._report,
            extra=extra,
        )

    def write(self, name: str, content: str | bytes) -> Path:
        """Put a file into the project, behind the tools' back."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def publish(self, *events: Event) -> None:
        """Record events: their type, then the values of their properties, with paths as in the project."""
        for event in events:
            values = (str(getattr(event, name)) for name in event.__struct_fields__)
            self.events.append((event.type, *(value.replace(f"{self.directory}/", "") for value in values)))

    async def _ask(
        self,
        permission: str,
        *,
        patterns: list[str],
        always: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        rules_only: bool = False,
    ) -> None:
        if any(pattern in self.denied for pattern in patterns):
            raise PermissionDenied([])
        if rules_only:
            return
        assert always == (patterns if permission == "external_directory" else ["*"])
        assert metadata is not None
        self.asks.append((permission, patterns, metadata))
        for act in self.on_ask:
            act()

    async def _report(self, title: str | None = None, metadata: dict[str, Any] | None = None) -> None:
        self.reports.append(metadata or {})
