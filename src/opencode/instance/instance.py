"""Everything the server holds for one directory.

What the fields are made of is half of the program: it is loaded with the first directory, not with the server.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from opencode.agent.service import AgentService
    from opencode.command.service import CommandService
    from opencode.config.schema import Config
    from opencode.event.bus import EventPublisher
    from opencode.loop.command import CommandRunner
    from opencode.loop.prompt import PromptService
    from opencode.permission.service import PermissionService
    from opencode.project.schema import Project
    from opencode.project.vcs import Vcs
    from opencode.provider.service import ProviderService
    from opencode.provider.sign_in.service import SignIns
    from opencode.question.service import QuestionService
    from opencode.session.service import SessionService
    from opencode.session.share import ShareService
    from opencode.skill.service import SkillService
    from opencode.snapshot.service import SnapshotService
    from opencode.tool.registry import ToolRegistry


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """The object graph of one directory; lives until the directory is disposed."""

    directory: Path
    worktree: Path
    project: Project
    config: Config
    events: EventPublisher
    sessions: SessionService
    shares: ShareService
    prompts: PromptService
    snapshots: SnapshotService
    permissions: PermissionService
    questions: QuestionService
    agents: AgentService
    commands: CommandService
    command_runner: CommandRunner
    skills: SkillService
    providers: ProviderService
    sign_ins: SignIns
    tools: ToolRegistry
    vcs: Vcs
