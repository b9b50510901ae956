"""The tool calls of one step: from the model's request to the stored result."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from anyio.abc import TaskGroup

from opencode.core.clock import Clock
from opencode.core.ids import IdGenerator
from opencode.core.log import Logger
from opencode.core.rejection import Rejected, UnansweredFailure
from opencode.core.wire import UNSET, replace, set_or
from opencode.loop.doom_loop import DoomLoopGuard
from opencode.provider.stream import ToolCall
from opencode.session.changes import PutPart
from opencode.session.schema import (
    AssistantMessage,
    FilePart,
    SpanTime,
    StartTime,
    ToolPart,
    ToolState,
    ToolStateCompleted,
    ToolStateError,
    ToolStatePending,
    ToolStateRunning,
    ToolTime,
)
from opencode.session.store import SessionStore
from opencode.tool.tool import Attachment, ToolContext, ToolError, ToolResult
from opencode.tool.wrapper import PARTIAL_RESULT

log = Logger("session.loop")

AskOfCall = Callable[..., Awaitable[None]]
"""``await ask(part, permission, patterns=..., always=..., metadata=...)``."""
ReportOfCall = Callable[[str | None, dict[str, Any] | None], Awaitable[None]]


class CallableTool(Protocol):
    """What a call of the model may reach."""

    async def call(self, arguments: Any, context: ToolContext) -> ToolResult:
        """Run it with the arguments as the model gave them."""
        ...


ABORTED = "Tool execution aborted"
INVALID = "invalid"


class ToolCalls:
    """Runs the calls of one assistant message side by side, each in its own task.

    A call is stored as running before its tool starts. ``rejected`` says whether a person refused one, which
    ends the turn; ``unanswered``, that nobody was there to do either, which fails it.
    """

    def __init__(
        self,
        message: AssistantMessage,
        tools: Mapping[str, CallableTool],
        contexts: "ToolContexts",
        store: SessionStore,
        ids: IdGenerator,
        clock: Clock,
        doom_loop: DoomLoopGuard,
        *,
        goes_on_when_refused: bool = False,
    ) -> None:
        self._message = message
        self._tools = tools
        self._contexts = contexts
        self._store = store
        self._ids = ids
        self._clock = clock
        self._doom_loop = doom_loop
        self._goes_on_when_refused = goes_on_when_refused
        self._parts: dict[str, ToolPart] = {}
        self._ids_of_model: dict[str, str] = {}
        self._running: dict[str, ToolContext] = {}
        self.started = False
        self.rejected = False
        self.unanswered: UnansweredFailure | None = None

    async def announce(self, call_id: str, name: str) -> None:
        """The model began to write a call: the part appears, pending.

        Some models give several calls of one answer the same id; from the second on they get one of ours.
        """
        given, call_id = call_id, call_id if call_id not in self._parts else self._ids.call()
        self._ids_of_model[given] = call_id
        part = ToolPart(
            id=self._ids.part(),
            session_id=self._message.session_id,
            message_id=self._message.id,
            call_id=call_id,
            tool=name,
            state=ToolStatePending(),
        )
        await self._put(part)

    async def start(self, call: ToolCall, tasks: TaskGroup) -> None:
        """The call is complete: store it as running and start its tool."""
        if not self._is_pending(call.call_id):
            await self.announce(call.call_id, call.name)
        name, given = self._repaired(call)
        part = replace(
            self._parts[self._ids_of_model[call.call_id]],
            tool=name,
            state=ToolStateRunning(input=given, time=StartTime(start=self._clock.now_ms())),
            metadata=call.metadata or UNSET,
        )
        await self._put(part)
        self.started = True
        await self._doom_loop.check(part, list(self._parts.values()))
        tasks.start_soon(self._run, part, given if name == INVALID else call.input, name=f"tool {name}")

    async def settle_open(self) -> None:
        """Calls without a result end: with what their tool left behind, else as aborted."""
        for part in list(self._parts.values()):
            if not isinstance(part.state, ToolStatePending | ToolStateRunning):
                continue
            context = self._running.get(part.call_id)
            partial = None if context is None else context.extra.get(PARTIAL_RESULT)
            if isinstance(partial, ToolResult):
                await self._complete(part.call_id, partial)
                continue
            if isinstance(partial, ToolError):
                await self._fail(part.call_id, str(partial))
                continue
            await self._put(replace(part, state=interrupted(part.state, self._clock.now_ms(), ABORTED)))

    def forget(self) -> list[ToolPart]:
        """The parts so far, given up because the step is tried again."""
        parts = list(self._parts.values())
        self._parts.clear()
        self._ids_of_model.clear()
        return parts

    def _is_pending(self, given: str) -> bool:
        part = self._parts.get(self._ids_of_model.get(given, given))
        return part is not None and isinstance(part.state, ToolStatePending)

    # --- one call -------------------------------------------------------------------------------------------------

    async def _run(self, part: ToolPart, given: Any) -> None:
        call_id = part.call_id
        context = self._contexts.of(part, lambda title, metadata: self._report(call_id, title, metadata))
        self._running[call_id] = context
        try:
            result = await self._tools[part.tool].call(given, context)
        except Rejected as refusal:
            self.rejected = self.rejected or (refusal.stops_turn and not self._goes_on_when_refused)
            if isinstance(refusal, UnansweredFailure):
                self.unanswered = refusal
            await self._fail(call_id, str(refusal))
        except ToolError as error:
            await self._fail(call_id, str(error))
        except Exception as error:  # an edge: one tool's defect must not end the turn
            log.exception("tool failed", tool=part.tool, session=part.session_id)
            await self._fail(call_id, str(error) or type(error).__name__)
        else:
            await self._complete(call_id, result)

    async def _report(self, call_id: str, title: str | None, metadata: dict[str, Any] | None) -> None:
        part = self._parts[call_id]
        if not isinstance(part.state, ToolStateRunning):
            return
        state = part.state
        if title is not None:
            state = replace(state, title=title)
        if metadata is not None:
            state = replace(state, metadata=metadata)
        await self._put(replace(part, state=state))

    async def _complete(self, call_id: str, result: ToolResult) -> None:
        part = self._parts[call_id]
        files = [self._file_part(attachment) for attachment in result.attachments]
        start, given = _begun(part.state)
        state = ToolStateCompleted(
            input=given,
            output=result.output,
            title=result.title,
            metadata=result.metadata,
            time=ToolTime(start=start, end=self._clock.now_ms()),
            attachments=files or UNSET,
        )
        await self._put(replace(part, state=state))

    async def _fail(self, call_id: str, text: str) -> None:
        part = self._parts[call_id]
        start, given = _begun(part.state)
        metadata = part.state.metadata if isinstance(part.state, ToolStateRunning) else UNSET
        time = SpanTime(start=start, end=self._clock.now_ms())
        await self._put(replace(part, state=ToolStateError(input=given, error=text, metadata=metadata, time=time)))

    async def _put(self, part: ToolPart) -> None:
        self._parts[part.call_id] = part
        await self._store.commit(PutPart(part))

    def _file_part(self, attachment: Attachment) -> FilePart:
        return FilePart(
            id=self._ids.part(),
            session_id=self._message.session_id,
            message_id=self._message.id,
            mime=attachment.mime,
            url=attachment.url,
            filename=UNSET if attachment.filename is None else attachment.filename,
        )

    def _repaired(self, call: ToolCall) -> tuple[str, dict[str, Any]]:
        """The tool to run and its input as stored (spec: LLM and errors, 1.4)."""
        name = call.name if call.name in self._tools else call.name.lower()
        if name not in self._tools:
            known = ", ".join(sorted(self._tools))
            fault = f"Model tried to call unavailable tool '{call.name}'. Available tools: {known}."
            return INVALID, {"tool": call.name, "error": fault}
        if call.fault is not None:
            return INVALID, {"tool": call.name, "error": f"Invalid input for tool {call.name}: {call.fault}"}
        return name, call.input if isinstance(call.input, dict) else {"value": call.input}


class ToolContexts:
    """Makes the context of each call of one step."""

    def __init__(self, base: ToolContext, ask: AskOfCall) -> None:
        self._base = base
        self._ask = ask

    def of(self, part: ToolPart, report: ReportOfCall) -> ToolContext:
        """The context of one call."""
        return self._base.for_call(
            call_id=part.call_id,
            ask=lambda permission, **wanted: self._ask(part, permission, **wanted),
            report=lambda title=None, metadata=None: report(title, metadata),
        )


def interrupted(state: ToolStatePending | ToolStateRunning, now_ms: int, why: str) -> ToolStateError:
    """The end of a call that gives no result any more."""
    start, given = _begun(state) if isinstance(state, ToolStateRunning) else (now_ms, state.input)
    shown: dict[str, Any] = set_or(state.metadata, {}) if isinstance(state, ToolStateRunning) else {}
    metadata = {**shown, "interrupted": True}
    return ToolStateError(input=given, error=why, metadata=metadata, time=SpanTime(start=start, end=now_ms))


def _begun(state: ToolState) -> tuple[int, dict[str, Any]]:
    if isinstance(state, ToolStateRunning):
        return state.time.start, state.input
    raise RuntimeError(f"a tool call ended from state {type(state).__name__}")
