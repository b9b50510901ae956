"""Everything the server holds for one directory.

What the fields are made of is half of the program: it is loaded with the first directory, not with the server.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from opencode.core.process import still_run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from opencode.agent.service import AgentService
    from opencode.command.service import CommandService
    from opencode.config.schema import Config
    from opencode.event.bus import EventPublisher
    from opencode.file.browser import FileBrowser
    from opencode.file.lookup import FileLookup
    from opencode.instance.chat import ChatService
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
    from opencode.snapshot.working_copy import WorkingCopy
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
    files: FileBrowser
    lookup: FileLookup
    working_copy: WorkingCopy
    chat: ChatService
    environ: Mapping[str, str]
    """For commands; by it those are found that still run."""

    async def is_at_rest(self) -> bool:
        """Whether nothing runs or waits here, and nobody watches."""
        if self.prompts.is_busy or self.permissions.pending() or self.questions.pending():
            return False
        return not (self.sign_ins.has_begun or self.events.is_watched or await still_run(self.environ))
