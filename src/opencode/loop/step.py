"""One step: what the model is told, what it may call, and its answer, stored."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import anyio

from opencode.agent.schema import Agent
from opencode.core.errors import NamedError
from opencode.core.ids import MessageID, SessionID
from opencode.core.log import Logger
from opencode.core.wire import UNSET, set_or
from opencode.loop.abilities import Abilities
from opencode.loop.failures import message_error
from opencode.loop.fallback import name_of
from opencode.loop.instructions import InstructionFiles
from opencode.loop.model_messages import to_model_messages
from opencode.loop.processor import IsFull, Prepared, StepProcessor, StepResult, StepServices
from opencode.loop.reminders import ModeReminders, StepNotes
from opencode.loop.repair import Interruption, message_repairs
from opencode.loop.request import RequestBuilder
from opencode.loop.step_tools import StepPlan, StepTools
from opencode.loop.structured import structured_answer
from opencode.loop.subtask import Subtask, SubtaskRunner
from opencode.loop.system_prompt import SystemPrompt
from opencode.loop.tool_calls import ABORTED
from opencode.loop.turn import Turn
from opencode.provider.request import ModelMessage
from opencode.provider.schema import Model
from opencode.session.changes import PutMessage
from opencode.session.schema import (
    AssistantMessage,
    MessagePath,
    MessageTime,
    MessageWithParts,
    Session,
    UserMessage,
)

log = Logger("session.loop")

Fullness = Callable[[Model], IsFull | None]
"""What tells whether a step of the model leaves no room for another."""


@dataclass(frozen=True, slots=True)
class Writing:
    """What words go to the model, in one instance."""

    system_prompt: SystemPrompt
    instructions: InstructionFiles
    reminders: ModeReminders
    notes: StepNotes
    requests: RequestBuilder


class StepRunner:
    """Runs one step of a turn in one directory."""

    def __init__(
        self,
        services: StepServices,
        abilities: Abilities,
        writing: Writing,
        tools: StepTools,
        directory: Path,
        worktree: Path,
    ) -> None:
        self._services = services
        self._abilities = abilities
        self._writing = writing
        self._tools = tools
        self._directory = directory
        self._worktree = worktree

    async def run_subtask(self, turn: Turn, subtask: Subtask, model: Model) -> None:
        """Do a subtask of a prompt. The message that tells of it is complete when this returns."""
        runner = SubtaskRunner(self._services, self._abilities.tools.get("task"), self._directory, self._worktree)
        await runner.run(subtask, model, turn.history)

    def model(self, session_id: SessionID, asked: Model) -> Model:
        """What answers in this turn: the model that is asked for, or what stands in for it since it failed."""
        return self._services.fallbacks.in_use(session_id, asked)

    def end_turn(self, session_id: SessionID) -> None:
        """The turn is over, and with it what was lost on failures."""
        self._services.end_turn(session_id)

    async def begin(self, turn: Turn, agent: Agent, model: Model) -> AssistantMessage:
        """Store the empty answer. Publishes ``message.updated``."""
        services, user = self._services, turn.user
        message = AssistantMessage(
            id=services.ids.message(after=_greatest_id(turn.history)),
            session_id=user.session_id,
            parent_id=user.id,
            mode=agent.name,
            agent=agent.name,
            path=MessagePath(cwd=str(self._directory), root=str(self._worktree)),
            model_id=model.id,
            provider_id=model.provider_id,
            time=MessageTime(created=services.clock.now_ms()),
            variant=_variant(user) or UNSET if _is_asked_for(model, user) else UNSET,
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
        asked: Model,
        step: int,
        fullness: Fullness,
    ) -> StepResult:
        """Call the model once and run the tools it calls. The message is complete when this returns.

        ``asked``: the model that the prompt names, whose fallbacks count.
        """
        structured = structured_answer(turn)
        is_last = agent.steps is not UNSET and step >= agent.steps
        plan = StepPlan(session, turn, message, agent, model, structured, is_last)

        async def next_model() -> Prepared | None:
            while (other := self._services.fallbacks.next(session.id, asked)) is not None:
                try:
                    return await self._prepared(replace(plan, model=other), fullness)
                except NamedError as error:
                    log.warning("a model cannot stand in", model=name_of(other), error=error.message)
            return None

        conclude = None if structured is None else structured.concluded
        try:
            call = await self._prepared(plan, fullness)
            processor = StepProcessor(self._services, message, call.calls, call.is_full, conclude, next_model)
            return await processor.run(call.language_model, call.request)
        finally:
            self._writing.instructions.release(message.id)

    async def _prepared(self, plan: StepPlan, fullness: Fullness) -> Prepared:
        """The call of the plan's model. Raises ``ProviderInitFailed``."""
        providers, writing, agent, model = self._abilities.providers, self._writing, plan.agent, plan.model
        language_model, offer, user = providers.language_model(model), self._tools.offer(plan), plan.turn.user
        request = writing.requests.turn(
            session=plan.session,
            provider_options=providers.provider_options(model.provider_id),
            model=model,
            agent=agent,
            variant=_variant(user),
            system=await writing.system_prompt.text(
                agent, model, set_or(user.system, None), is_structured=plan.structured is not None
            ),
            messages=await self._messages(plan),
            tools=offer.definitions,
            tool_choice=offer.choice,
        )
        return Prepared(language_model, request, self._tools.calls(plan, offer.executable), fullness(model))

    async def _messages(self, plan: StepPlan) -> list[ModelMessage]:
        writing, model = self._writing, plan.model
        history = await writing.reminders.insert(plan.session, plan.turn.history, plan.agent.name)
        messages = to_model_messages(history, model)
        if plan.structured is not None and plan.structured.was_text:
            messages.append(writing.notes.no_words())
        elif plan.structured is None and plan.is_last:
            messages.append(writing.notes.out_of_steps(prefill=not model.capabilities.reasoning))
        return messages


def _is_asked_for(model: Model, user: UserMessage) -> bool:
    return (model.provider_id, model.id) == (user.model.provider_id, user.model.model_id)


def _variant(user: UserMessage) -> str | None:
    if user.model.variant is not UNSET:
        return user.model.variant
    return None if user.variant is UNSET else user.variant


def _greatest_id(history: Sequence[MessageWithParts]) -> MessageID:
    return max(message.info.id for message in history)
