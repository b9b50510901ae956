"""A context for tools that allows everything and remembers what was asked and shown."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from opencode.core.clock import SystemClock
from opencode.core.ids import IdGenerator, MessageID, SessionID
from opencode.tool.tool import ToolContext
from opencode.tool.truncate import OutputLimits, OutputTruncator


@dataclass
class Recorded:
    """What a tool asked for and showed."""

    asks: list[dict[str, Any]] = field(default_factory=list)
    reports: list[dict[str, Any]] = field(default_factory=list)
    refusal: Exception | None = None

    async def ask(self, permission: str, **wanted: Any) -> None:
        self.asks.append({"permission": permission, **wanted})
        if self.refusal is not None:
            raise self.refusal

    async def report(self, title: str | None = None, metadata: dict[str, Any] | None = None) -> None:
        self.reports.append(metadata or {})


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    directory.mkdir()
    return directory


@pytest.fixture
def context(recorded: Recorded, project: Path) -> ToolContext:
    return ToolContext(
        session_id=SessionID("ses_1"),
        message_id=MessageID("msg_1"),
        call_id="call_1",
        agent="build",
        directory=project,
        worktree=project,
        model=None,
        history=[],
        ask=recorded.ask,
        report=recorded.report,
    )


@pytest.fixture
def truncator(tmp_path: Path) -> OutputTruncator:
    return OutputTruncator(OutputLimits(), tmp_path / "tool-output", IdGenerator(SystemClock()).tool_output)
