"""One step: what the model is told, what it may call, and its answer, stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from opencode.agent.schema import Agent
from opencode.agent.service import AgentService
from opencode.core.ids import MessageID
from opencode.core.wire import UNSET, set_or
from opencode.loop.doom_loop import DoomLoopGuard
from opencode.loop.failures import message_error
from opencode.loop.instructions import InstructionFiles
from opencode.loop.model_messages import to_model_messages
from opencode.loop.processor import IsFull, StepProcessor, StepResult, StepServices
from opencode.loop.reminders import Reminders
from opencode.loop.repair import Interruption, message_repairs
from opencode.loop.request import RequestBuilder
from opencode.loop.subtask import Subtask, SubtaskRunner
from opencode.loop.system_prompt import SystemPrompt
from opencode.loop.tool_calls import ABORTED, ToolCalls, ToolContexts
from opencode.loop.turn import Turn
from opencode.permission.schema import PermissionRuleset, ToolCallRef
from opencode.permission.service import PermissionService
from opencode.provider.schema import Model
from opencode.provider.service import ProviderService
from opencode.session.changes import PutMessage
from opencode.session.schema import (
    AgentPart,
    AssistantMessage,
    MessagePath,
    MessageTime,
    MessageWithParts,
    Session,
    ToolPart,
    ToolStateRunning,
    UserMessage,
)
from opencode.tool.builtin.task import NAMED_BY_USER
from opencode.tool.registry import ToolRegistry
from opencode.tool.tool import ToolContext
from opencode.tool.wrapper import WrappedTool


@dataclass(frozen=True, slots=True)
class Abilities:
    """Who can answer and what they can use, in one instance."""

    agents: AgentService
    providers: ProviderService
    tools: ToolRegistry
    permissions: PermissionService


@dataclass(frozen=True, slots=True)
class Writing:
    """What words go to the model, in one instance."""

    system_prompt: SystemPrompt
    instructions: InstructionFiles
    reminders: Reminders
    requests: RequestBuilder


class StepRunner:
    """Runs one step of a turn in one directory."""

    def __init__(
        self, services: StepServices, abilities: Abilities, writing: Writing, directory: Path, worktree: Path
    ) -> None:
        self._services = services
        self._abilities = abilities
        self._writing = writing
        self._directory = directory
        self._worktree = worktree

    async def run_subtask(self, turn: Turn, subtask: Subtask, model: Model) -> None:
        """Do a subtask of a prompt. The message that tells of it is complete when this returns."""
        runner = SubtaskRunner(self._services, self._abilities.tools.get("task"), self._directory, self._worktree)
        await runner.run(subtask, model, turn.history)

    async def begin(self, turn: Turn, agent: Agent) -> AssistantMessage:
        """Store the empty answer. Publishes ``message.updated``."""
        services, user = self._services, turn.user
        message = AssistantMessage(
            id=services.ids.message(after=_greatest_id(turn.history)),
            session_id=user.session_id,
            parent_id=user.id,
            mode=agent.name,
            agent=agent.name,
            path=MessagePath(cwd=str(self._directory), root=str(self._worktree)),
            model_id=user.model.model_id,
            provider_id=user.model.provider_id,
            time=MessageTime(created=services.clock.now_ms()),
            variant=_variant(user) or UNSET,
        )
        # Not interruptible: a message that is stored must be known here, or nobody completes it.
        with anyio.CancelScope(shield=True):
            await services.store.commit(PutMessage(message))
        return message

    async def give_up(self, message: AssistantMessage, error: BaseException) -> None:
        """Complete a message that was begun and that no step completed, with what kept it from that."""
        services = self._services
        stored = services.store.message(message.session_id, message.id)
        if stored is not None:
            why = Interruption(message_error(error), ABORTED)
            changes = message_repairs(stored, services.clock.now_ms(), why)
            if changes:
                await services.store.commit(*changes)

    async def run(
        self,
        session: Session,
        turn: Turn,
        message: AssistantMessage,
        agent: Agent,
        model: Model,
        step: int,
        is_full: IsFull | None,
    ) -> StepResult:
        """Call the model once and run the tools it calls. The message is complete when this returns."""
        abilities = self._abilities
        rules = [agent.permission, set_or(session.permission, [])]
        switches: dict[str, bool] = set_or(turn.user.tools, {})
        offered = abilities.tools.for_model(model, rules, switches)
        out_of_steps = agent.steps is not UNSET and step >= agent.steps
        history = self._writing.reminders.insert(turn.history, agent.name)
        messages = to_model_messages(history, model)
        if out_of_steps:
            messages.append(self._writing.reminders.out_of_steps(prefill=not model.capabilities.reasoning))
        request = self._writing.requests.turn(
            session=session,
            provider_options=abilities.providers.provider_options(model.provider_id),
            model=model,
            agent=agent,
            variant=_variant(turn.user),
            system=await self._writing.system_prompt.text(agent, model, set_or(turn.user.system, None)),
            messages=messages,
            tools=[tool.definition for tool in offered],
            out_of_steps=out_of_steps,
        )
        executable = abilities.tools.executable(offered)
        calls = self._calls(session, turn, message, agent, model, rules, executable)
        processor = StepProcessor(self._services, message, calls, is_full)
        try:
            return await processor.run(abilities.providers.language_model(model), request)
        finally:
            self._writing.instructions.release(message.id)

    def _calls(
        self,
        session: Session,
        turn: Turn,
        message: AssistantMessage,
        agent: Agent,
        model: Model,
        rules: Sequence[PermissionRuleset],
        executable: Mapping[str, WrappedTool],
    ) -> ToolCalls:
        services = self._services

        async def ask(part: ToolPart, permission: str, **wanted: Any) -> None:
            await self._abilities.permissions.ask(
                session_id=session.id,
                permission=permission,
                patterns=wanted.get("patterns", []),
                always=wanted.get("always", []),
                metadata=wanted.get("metadata", {}),
                tool=ToolCallRef(message_id=message.id, call_id=part.call_id),
                rulesets=rules,
            )

        async def ask_doom_loop(part: ToolPart) -> None:
            given = part.state.input if isinstance(part.state, ToolStateRunning) else {}
            await self._abilities.permissions.ask(
                session_id=session.id,
                permission="doom_loop",
                patterns=[part.tool],
                always=[part.tool],
                metadata={"tool": part.tool, "input": given},
                tool=None,
                rulesets=[agent.permission],
            )

        context = ToolContext(
            session_id=session.id,
            message_id=message.id,
            call_id="",
            agent=agent.name,
            directory=self._directory,
            worktree=self._worktree,
            model=model,
            history=list(turn.history),
            ask=_not_yet,
            report=_not_yet,
            extra={NAMED_BY_USER: _named_agents(session, turn)},
        )
        return ToolCalls(
            message,
            executable,
            ToolContexts(context, ask),
            services.store,
            services.ids,
            services.clock,
            DoomLoopGuard([], ask_doom_loop),
        )


async def _not_yet(*_: object, **__: object) -> None:
    raise RuntimeError("a tool context is used without a call")


def _named_agents(session: Session, turn: Turn) -> frozenset[str]:
    """The agents that a person called with ``@`` in this turn; prompts of child sessions are no person's."""
    named = frozenset(part.name for part in turn.user_parts.parts if isinstance(part, AgentPart))
    return named if session.parent_id is UNSET else frozenset()


def _variant(user: UserMessage) -> str | None:
    if user.model.variant is not UNSET:
        return user.model.variant
    return None if user.variant is UNSET else user.variant


def _greatest_id(history: Sequence[MessageWithParts]) -> MessageID:
    return max(message.info.id for message in history)
