"""The tools of one step: which the model is offered, and what becomes of its calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from opencode.agent.schema import Agent
from opencode.core.wire import UNSET, set_or
from opencode.loop.abilities import Abilities
from opencode.loop.doom_loop import DoomLoopGuard
from opencode.loop.processor import StepServices
from opencode.loop.structured import StructuredAnswer
from opencode.loop.tool_calls import CallableTool, ToolCalls, ToolContexts
from opencode.loop.turn import Turn
from opencode.permission.schema import PermissionRuleset, ToolCallRef
from opencode.provider.request import ToolChoice, ToolDefinition
from opencode.provider.schema import Model
from opencode.session.schema import AgentPart, AssistantMessage, Session, ToolPart, ToolStateRunning
from opencode.tool.builtin.task import NAMED_BY_USER
from opencode.tool.tool import ToolContext


@dataclass(frozen=True)
class StepPlan:
    """What is known of a step before its model is called. ``is_last``: the agent's steps are used up."""

    session: Session
    turn: Turn
    message: AssistantMessage
    agent: Agent
    model: Model
    structured: StructuredAnswer | None
    is_last: bool

    @cached_property
    def rules(self) -> list[PermissionRuleset]:
        """What decides about calls: the agent's rules, then the session's."""
        return [self.agent.permission, set_or(self.session.permission, [])]


@dataclass(frozen=True, slots=True)
class StepSettings:
    """What configuration says about steps.

    ``goes_on_when_refused``: a refused call does not end the turn. ``repetitions_across_steps``: the same call in
    several steps of a turn counts as a repetition, too.
    """

    goes_on_when_refused: bool = False
    repetitions_across_steps: bool = False


@dataclass(frozen=True, slots=True)
class ToolOffer:
    """What the model of one step is offered, what a call of it may reach, and whether it has to call."""

    definitions: list[ToolDefinition]
    executable: Mapping[str, CallableTool]
    choice: ToolChoice


class StepTools:
    """Prepares the tools of the steps in one directory."""

    def __init__(
        self, services: StepServices, abilities: Abilities, settings: StepSettings, directory: Path, worktree: Path
    ) -> None:
        self._services = services
        self._abilities = abilities
        self._settings = settings
        self._directory = directory
        self._worktree = worktree

    def offer(self, plan: StepPlan) -> ToolOffer:
        """The tools of a step. Whoever has to answer with an object can do that to the last."""
        tools = self._abilities.tools
        switches: dict[str, bool] = set_or(plan.turn.user.tools, {})
        offered = tools.for_model(plan.model, plan.rules, switches)
        definitions = [tool.definition for tool in offered]
        executable: dict[str, CallableTool] = {**tools.executable(offered)}
        if plan.structured is None:
            return ToolOffer(definitions, executable, "none" if plan.is_last else "auto")
        answer = plan.structured.tool
        executable[answer.id] = answer
        if plan.is_last:
            return ToolOffer([answer.definition], executable, "required")
        definitions = sorted([*definitions, answer.definition], key=lambda tool: tool.name.casefold())
        return ToolOffer(definitions, executable, "required")

    def calls(self, plan: StepPlan, executable: Mapping[str, CallableTool]) -> ToolCalls:
        """What runs the calls of a step."""
        services = self._services
        return ToolCalls(
            plan.message,
            executable,
            self._contexts(plan),
            services.store,
            services.ids,
            services.clock,
            self._doom_loop(plan),
            goes_on_when_refused=self._settings.goes_on_when_refused,
        )

    def _contexts(self, plan: StepPlan) -> ToolContexts:
        async def ask(part: ToolPart, permission: str, **wanted: Any) -> None:
            await self._abilities.permissions.ask(
                session_id=plan.session.id,
                permission=permission,
                patterns=wanted.get("patterns", []),
                always=wanted.get("always", []),
                metadata=wanted.get("metadata", {}),
                tool=ToolCallRef(message_id=plan.message.id, call_id=part.call_id),
                rulesets=plan.rules,
                rules_only=wanted.get("rules_only", False),
            )

        context = ToolContext(
            session_id=plan.session.id,
            message_id=plan.message.id,
            call_id="",
            agent=plan.agent.name,
            directory=self._directory,
            worktree=self._worktree,
            model=plan.model,
            history=list(plan.turn.history),
            ask=_not_yet,
            report=_not_yet,
            extra={NAMED_BY_USER: _named_agents(plan)},
        )
        return ToolContexts(context, ask)

    def _doom_loop(self, plan: StepPlan) -> DoomLoopGuard:
        async def ask(part: ToolPart) -> None:
            given = part.state.input if isinstance(part.state, ToolStateRunning) else {}
            await self._abilities.permissions.ask(
                session_id=plan.session.id,
                permission="doom_loop",
                patterns=[part.tool],
                always=[part.tool],
                metadata={"tool": part.tool, "input": given},
                tool=None,
                rulesets=[plan.agent.permission],
            )

        answers = plan.turn.answers if self._settings.repetitions_across_steps else []
        earlier = [part for answer in answers for part in answer.parts if isinstance(part, ToolPart)]
        return DoomLoopGuard(earlier, ask)


async def _not_yet(*_: object, **__: object) -> None:
    raise RuntimeError("a tool context is used without a call")


def _named_agents(plan: StepPlan) -> frozenset[str]:
    """The agents that a person called with ``@`` in this turn; prompts of child sessions are no person's."""
    named = frozenset(part.name for part in plan.turn.user_parts.parts if isinstance(part, AgentPart))
    return named if plan.session.parent_id is UNSET else frozenset()
