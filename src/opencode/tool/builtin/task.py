"""``task``: hand work to a subagent (spec: tools core, section 6)."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from opencode.agent.errors import AgentNotFound
from opencode.agent.schema import Agent
from opencode.agent.service import AgentService
from opencode.core.ids import SessionID
from opencode.core.wire import UNSET, UnsetType, Wire, set_or
from opencode.permission.ruleset import evaluate
from opencode.permission.schema import PermissionRule
from opencode.tool.description import prompt_text
from opencode.tool.tool import Tool, ToolContext, ToolError, ToolResult
from opencode.tool.wrapper import PARTIAL_RESULT

NAMED_BY_USER = "agents_named_by_user"
"""In ``context.extra``: names of the agents that the user called in this turn; those need no permission."""
CANCELLED = "Task cancelled"
BACKGROUND = (
    "The subagent works in the background; a message tells you when it is done. Do not wait for it, ask for it or do "
    "its work. Go on with what does not touch the same files, or tell the user what you started and end your turn."
)


@dataclass(frozen=True, slots=True)
class Delegation:
    """Work for a subagent; ``resumed``: in which earlier session it goes on."""

    agent: Agent
    description: str
    prompt: str
    resumed: SessionID | None = None


@dataclass(frozen=True, slots=True)
class Delegated:
    """What came of it: the child session, the last words of the subagent, and what clients show."""

    session_id: SessionID
    text: str
    metadata: dict[str, Any] = field(default_factory=dict)


RunSubagent = Callable[[Delegation, ToolContext], Awaitable[Delegated]]
"""Runs the work in a child session of the caller's; cancelling stops the child too. Raises ``ToolError``."""
StartSubagent = Callable[[Delegation, ToolContext], Awaitable[Delegated]]
"""Starts the work and returns without its end, of which the caller is told by a prompt. Raises ``ToolError``."""


class TaskParams(Wire):
    """Arguments of ``task``."""

    description: Annotated[str, Meta(description="The work in 3 to 5 words.")]
    prompt: Annotated[str, Meta(description="The work in full, for someone who knows nothing yet.")]
    subagent_type: Annotated[str, Meta(description="The name of the subagent.")] = msgspec.field(name="subagent_type")
    task_id: Annotated[str, Meta(description="An earlier task to go on with.")] | UnsetType = msgspec.field(
        default=UNSET, name="task_id"
    )
    command: Annotated[str, Meta(description="The command that led to this task.")] | UnsetType = UNSET


class BackgroundTaskParams(TaskParams):
    """Arguments of ``task`` where subagents may work in the background."""

    background: Annotated[bool, Meta(description="Go on without waiting for the result.")] | UnsetType = UNSET


class TaskTool(Tool[TaskParams]):
    """``task``: the last words of a subagent that did the work in a child session."""

    id = "task"
    params = TaskParams

    def __init__(
        self, agents: AgentService, run_subagent: RunSubagent, start_subagent: StartSubagent | None = None
    ) -> None:
        """With ``start_subagent`` the model may ask for work in the background."""
        self._text = prompt_text("opencode.tool.builtin", "task.md")
        self._agents = agents
        self._run_subagent = run_subagent
        self._start_subagent = start_subagent
        if start_subagent is not None:
            self._text += "\n" + prompt_text("opencode.tool.builtin", "task_background.md")
            self.params = BackgroundTaskParams
        self.description = self.describe(())

    def describe(self, rules: Sequence[PermissionRule]) -> str:
        """With the subagents that an agent of these rules may call, by name."""
        offered = sorted(
            (agent for agent in self._agents.list() if _is_subagent(agent) and _may_call(agent, rules)),
            key=lambda agent: agent.name,
        )
        lines = [f"- {agent.name}: {set_or(agent.description, 'no description')}" for agent in offered]
        return self._text.replace("{agents}", "\n".join(lines) or "(none at present)")

    async def run(self, params: TaskParams, context: ToolContext) -> ToolResult:
        named: Collection[str] = context.extra.get(NAMED_BY_USER, ())
        is_named = params.subagent_type in named
        agent = self._agent(params.subagent_type, may_be_primary=is_named)
        if not is_named:
            await context.ask(
                "task",
                patterns=[agent.name],
                always=["*"],
                metadata={"description": params.description, "subagent_type": agent.name},
            )
        context.extra[PARTIAL_RESULT] = ToolError(CANCELLED)
        resumed = None if params.task_id is UNSET or not params.task_id else SessionID(params.task_id)
        work = Delegation(agent, params.description, params.prompt, resumed)
        if self._start_subagent is not None and isinstance(params, BackgroundTaskParams) and params.background is True:
            started = await self._start_subagent(work, context)
            return ToolResult(title=params.description, output=started_output(started), metadata=started.metadata)
        done = await self._run_subagent(work, context)
        return ToolResult(title=params.description, output=task_output(done), metadata=done.metadata)

    def _agent(self, name: str, *, may_be_primary: bool) -> Agent:
        """A model calls subagents only: otherwise one that may not edit could call one that may."""
        try:
            agent = self._agents.get(name)
        except AgentNotFound:
            agent = None
        if agent is None or not (may_be_primary or _is_subagent(agent)):
            known = ", ".join(sorted(agent.name for agent in self._agents.list() if _is_subagent(agent)))
            raise ToolError(f"Unknown agent type: {name} is not a valid agent type. Valid are: {known}")
        return agent


def task_output(done: Delegated) -> str:
    """What the model reads. Source: golden trace ``tools_task``."""
    return f'<task id="{done.session_id}" state="completed">\n<task_result>\n{done.text}\n</task_result>\n</task>'


def started_output(started: Delegated) -> str:
    """What the model reads of work that goes on in the background."""
    return background_note(started.session_id, "running", "Background task started", BACKGROUND)


def background_note(task: SessionID, state: str, summary: str, text: str) -> str:
    """What a model is told of work in the background, when it starts and when it ends."""
    return (
        f'<task id="{task}" state="{state}">\n<summary>{summary}</summary>\n'
        f"<task_result>\n{text}\n</task_result>\n</task>"
    )


def _is_subagent(agent: Agent) -> bool:
    return agent.mode != "primary"


def _may_call(agent: Agent, rules: Sequence[PermissionRule]) -> bool:
    return evaluate("task", agent.name, rules).action != "deny"
