"""Subtasks of a prompt: the ``task`` tool runs at once, no model decides it (spec: prompt loop, section 7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from opencode.core.log import Logger
from opencode.core.rejection import Rejected
from opencode.core.wire import UNSET, replace, set_or
from opencode.loop.failures import aborted
from opencode.loop.processor import CLEANUP_SECONDS, StepServices
from opencode.loop.turn import UNFINISHED
from opencode.provider.schema import Model, ModelRef
from opencode.session.changes import Change, PutMessage, PutPart, Tell
from opencode.session.schema import (
    AssistantMessage,
    CreatedTime,
    MessagePath,
    MessageTime,
    MessageWithParts,
    SessionErrored,
    SpanTime,
    StartTime,
    SubtaskPart,
    TextPart,
    ToolPart,
    ToolState,
    ToolStateCompleted,
    ToolStateError,
    ToolStateRunning,
    ToolTime,
    UserMessage,
)
from opencode.tool.builtin.task import NAMED_BY_USER
from opencode.tool.tool import ToolContext, ToolError, ToolResult
from opencode.tool.wrapper import WrappedTool

log = Logger("session.loop")

CANCELLED = "Cancelled"
GO_ON = "The result of the task stands above. Sum it up for the user, then go on with what was asked."


@dataclass(frozen=True, slots=True)
class Subtask:
    """A subtask and the message it came with."""

    user: UserMessage
    part: SubtaskPart


def pending_subtask(history: Sequence[MessageWithParts]) -> Subtask | None:
    """The oldest subtask nothing was done for yet; those from before the newest final answer are past."""
    settled = max((n for n, message in enumerate(history) if _is_settled(message)), default=-1)
    begun = [m.info.parent_id for m in history[settled + 1 :] if isinstance(m.info, AssistantMessage)]
    for message in history[settled + 1 :]:
        if isinstance(user := message.info, UserMessage):
            # Every subtask gets a message of its own, in their order, before the model says anything.
            waiting = [part for part in message.parts if isinstance(part, SubtaskPart)][begun.count(user.id) :]
            if waiting:
                return Subtask(user, waiting[0])
    return None


class SubtaskRunner:
    """Runs the subtasks of prompts in one directory."""

    def __init__(self, services: StepServices, tool: WrappedTool, directory: Path, worktree: Path) -> None:
        self._services = services
        self._tool = tool
        self._directory = directory
        self._worktree = worktree

    async def run(self, subtask: Subtask, model: Model, history: Sequence[MessageWithParts]) -> None:
        """Store the call and what comes of it; a failure is told to the model like that of any tool."""
        call = self._call(subtask, history)
        await self._services.store.commit(PutMessage(call.message), PutPart(call.part))
        try:
            result = await self._tool.call(call.input, self._context(call, subtask, model, history))
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(CLEANUP_SECONDS, shield=True):
                await self._services.store.commit(*call.cancelled(self._now()))
            raise
        except (ToolError, Rejected) as error:
            changes = call.failed(str(error), self._now())
        except Exception as error:  # an edge: a defect must not leave the call open
            log.exception("subtask failed", session=call.part.session_id)
            changes = call.failed(str(error) or type(error).__name__, self._now())
        else:
            changes = call.completed(result, self._now())
        await self._services.store.commit(*changes, *self._go_on(subtask, call))

    def _call(self, subtask: Subtask, history: Sequence[MessageWithParts]) -> "SubtaskCall":
        ids, user, part, now_ms = self._services.ids, subtask.user, subtask.part, self._now()
        turn_model = ModelRef(provider_id=user.model.provider_id, model_id=user.model.model_id)
        model: ModelRef = set_or(part.model, turn_model)
        message = AssistantMessage(
            id=ids.message(after=max(message.info.id for message in history)),
            session_id=user.session_id,
            parent_id=user.id,
            mode=part.agent,
            agent=part.agent,
            path=MessagePath(cwd=str(self._directory), root=str(self._worktree)),
            model_id=model.model_id,
            provider_id=model.provider_id,
            time=MessageTime(created=now_ms),
            variant=user.model.variant if model == turn_model else UNSET,
        )
        given = {"prompt": part.prompt, "description": part.description, "subagent_type": part.agent}
        if part.command is not UNSET:
            given["command"] = part.command
        tool_part = ToolPart(
            id=ids.part(),
            session_id=user.session_id,
            message_id=message.id,
            call_id=ids.call(),
            tool=self._tool.id,
            state=ToolStateRunning(input=given, time=StartTime(start=now_ms)),
        )
        return SubtaskCall(message, tool_part, given, now_ms)

    def _context(
        self, call: "SubtaskCall", subtask: Subtask, model: Model, history: Sequence[MessageWithParts]
    ) -> ToolContext:
        async def report(title: str | None = None, metadata: dict[str, Any] | None = None) -> None:
            call.show(title, metadata)
            await self._services.store.commit(PutPart(call.part))

        return ToolContext(
            session_id=call.message.session_id,
            message_id=call.message.id,
            call_id=call.part.call_id,
            agent=subtask.user.agent,
            directory=self._directory,
            worktree=self._worktree,
            model=model,
            history=list(history),
            ask=_granted,
            report=report,
            extra={NAMED_BY_USER: {subtask.part.agent}},
        )

    def _go_on(self, subtask: Subtask, call: "SubtaskCall") -> list[Change]:
        """After a command the model is asked to take up the result; otherwise the prompt itself asks."""
        if subtask.part.command is UNSET:
            return []
        user, ids = subtask.user, self._services.ids
        message = UserMessage(
            id=ids.message(after=call.message.id),
            session_id=user.session_id,
            time=CreatedTime(created=self._now()),
            agent=user.agent,
            model=user.model,
            variant=user.variant,
        )
        text = TextPart(id=ids.part(), session_id=user.session_id, message_id=message.id, text=GO_ON, synthetic=True)
        return [PutMessage(message), PutPart(text)]

    def _now(self) -> int:
        return self._services.clock.now_ms()


class SubtaskCall:
    """The message and the tool part of one subtask, from running to settled."""

    def __init__(self, message: AssistantMessage, part: ToolPart, given: dict[str, Any], start_ms: int) -> None:
        self.message = message
        self.part = part
        self.input = given
        self._start_ms = start_ms
        self._shown: dict[str, Any] | None = None

    def show(self, title: str | None, metadata: dict[str, Any] | None) -> None:
        """What clients see of the running call."""
        self._shown = metadata or self._shown
        time = StartTime(start=self._start_ms)
        shown = UNSET if self._shown is None else self._shown
        self.part = replace(
            self.part, state=ToolStateRunning(input=self.input, title=title or UNSET, metadata=shown, time=time)
        )

    def completed(self, result: ToolResult, now_ms: int) -> list[Change]:
        """The task gave a result."""
        time = ToolTime(start=self._start_ms, end=now_ms)
        state = ToolStateCompleted(
            input=self.input, output=result.output, title=result.title, metadata=result.metadata, time=time
        )
        return self._settled(state, now_ms)

    def failed(self, reason: str, now_ms: int) -> list[Change]:
        """The task failed, and the model shall hear of it."""
        return self._settled(self._error(f"Tool execution failed: {reason}", now_ms), now_ms)

    def cancelled(self, now_ms: int) -> list[Change]:
        """The run was stopped."""
        time = MessageTime(created=self.message.time.created, completed=now_ms)
        message = replace(self.message, error=aborted(), time=time)
        part = replace(self.part, state=self._error(CANCELLED, now_ms))
        errored = Tell(SessionErrored(session_id=message.session_id, error=aborted()))
        return [PutPart(part), errored, PutMessage(message)]

    def _settled(self, state: ToolState, now_ms: int) -> list[Change]:
        time = MessageTime(created=self.message.time.created, completed=now_ms)
        message = replace(self.message, finish="tool-calls", time=time)
        return [PutMessage(message), PutPart(replace(self.part, state=state))]

    def _error(self, text: str, now_ms: int) -> ToolStateError:
        metadata = UNSET if self._shown is None else self._shown
        time = SpanTime(start=self._start_ms, end=now_ms)
        return ToolStateError(input=self.input, error=text, metadata=metadata, time=time)


def _is_settled(message: MessageWithParts) -> bool:
    """Whether this is the end of a turn: a final answer, or one that failed or was stopped."""
    info = message.info
    if not isinstance(info, AssistantMessage):
        return False
    return info.error is not UNSET or (info.finish is not UNSET and info.finish not in UNFINISHED)


async def _granted(*_: object, **__: object) -> None:
    """The user asked for the subtask: nothing is asked again."""
