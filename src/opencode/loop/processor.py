"""One answer of a model: its stream of events becomes stored parts (spec: LLM and errors, sections 2 and 5)."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypedDict

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup

from opencode.core.clock import Clock
from opencode.core.ids import IdGenerator, MessageID, PartID, SessionID
from opencode.core.log import Logger
from opencode.core.rejection import Rejected
from opencode.core.tasks import task_group, unwrap
from opencode.core.wire import UNSET, replace
from opencode.loop.failures import Retry, aborted, message_error, retry_delay
from opencode.loop.model_calls import ModelCalls
from opencode.loop.open_parts import OpenPart, OpenParts
from opencode.loop.status import SessionStatuses
from opencode.loop.step_snapshots import StepSnapshots
from opencode.loop.tool_calls import ToolCalls
from opencode.loop.usage import tokens_and_cost
from opencode.provider.errors import ApiCallFailed
from opencode.provider.request import ModelRequest
from opencode.provider.stream import (
    LanguageModel,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    StepFinish,
    StreamEvent,
    TextDelta,
    TextEnd,
    TextStart,
    ToolCall,
    ToolInputDelta,
    ToolInputStart,
    Usage,
)
from opencode.session.changes import Change, ChangeSession, DeletePart, PutMessage, PutPart, Tell
from opencode.session.schema import (
    AssistantMessage,
    ContentFilterError,
    ContextOverflowError,
    MessageError,
    MessageText,
    MessageTime,
    MessageWithParts,
    Part,
    PartTime,
    PatchPart,
    ReasoningPart,
    SessionErrored,
    StepFinishPart,
    StepStartPart,
    TextPart,
    Tokens,
    UnansweredError,
)
from opencode.session.store import SessionStore
from opencode.session.totals import with_usage
from opencode.snapshot.service import SnapshotService

log = Logger("session.loop")

BREATH_SECONDS = 0.002
"""How long a fast stream may run before event streams get their turn."""
CLEANUP_SECONDS = 5.0


class _PartIds(TypedDict):
    id: PartID
    session_id: SessionID
    message_id: MessageID


@dataclass(frozen=True, slots=True)
class StepServices:
    """What every processor of an instance needs."""

    store: SessionStore
    open_parts: OpenParts
    statuses: SessionStatuses
    snapshots: SnapshotService
    ids: IdGenerator
    clock: Clock
    calls: ModelCalls = field(default_factory=ModelCalls)


@dataclass(frozen=True, slots=True)
class StepResult:
    """The completed message, whether the turn goes on, and whether the history must be condensed first."""

    message: AssistantMessage
    goes_on: bool
    is_full: bool = False


IsFull = Callable[[Tokens], bool]
"""Whether a step with this usage leaves no room for another."""
Conclude = Callable[[MessageWithParts], AssistantMessage]
"""What a step that went well makes of its message; an ``error`` or ``structured`` in it ends the turn."""


class StepProcessor:
    """Calls the model for one assistant message, and again after failures that may pass."""

    def __init__(
        self,
        services: StepServices,
        message: AssistantMessage,
        calls: ToolCalls,
        is_full: IsFull | None = None,
        conclude: Conclude | None = None,
    ) -> None:
        """Without ``is_full`` a history that is too long is an error like any other."""
        self._services = services
        self._calls = calls
        self._is_full = is_full
        self._conclude = conclude
        self._snapshots = StepSnapshots(services.snapshots)
        self.message = message
        self._open: dict[tuple[str, str], OpenPart] = {}
        self._attempt_parts: list[Part] = []
        self._finish: StepFinish | None = None
        self._breathed_at = time.monotonic()
        self._tries = 0

    async def run(self, language_model: LanguageModel, request: ModelRequest) -> StepResult:
        """Stream one answer to its end. Whatever happens, the message is completed and no part stays open."""
        try:
            error = await self._call_until_settled(language_model, request) or self._refusal()
            overflowed = self._is_full is not None and isinstance(error, ContextOverflowError)
            if overflowed:
                told = SessionErrored(session_id=self.message.session_id, error=error or UNSET)
                await self._services.store.commit(Tell(told))
            if error is None:
                self._draw_conclusion()
            await self._complete(None if overflowed else error)
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(CLEANUP_SECONDS, shield=True):
                await self._complete(aborted())
            raise
        if overflowed:
            return StepResult(self.message, goes_on=True, is_full=True)
        goes_on = self.message.structured is UNSET and self.message.error is UNSET and error is None
        is_full = goes_on and self._is_full is not None and self._is_full(self.message.tokens)
        return StepResult(self.message, goes_on=goes_on and not self._calls.rejected, is_full=is_full)

    async def _call_until_settled(self, language_model: LanguageModel, request: ModelRequest) -> MessageError | None:
        attempt = 0
        while True:
            try:
                await self._call(language_model, request)
            except Exception as caught:  # noqa: BLE001 - an edge: every failure of a step ends on its message
                failure = unwrap(caught)
                error = message_error(failure)
                attempt += 1
                retry = None if self._calls.started else self._retry(failure, error, attempt)
                if retry is None:
                    self._log(failure)
                    return error
                await self._wait_to_retry(retry, attempt)
            else:
                return None

    async def _call(self, language_model: LanguageModel, request: ModelRequest) -> None:
        await self._services.store.commit(self._services.statuses.busy(self.message.session_id))
        begun, self._tries = False, self._tries + 1
        async with (
            task_group() as tool_tasks,
            self._services.calls.begun(self.message, self._tries, self._services.clock) as call,
            language_model.stream(request) as events,
        ):
            tool_tasks.start_soon(self._snapshots.take_before)
            async for event in events:
                call.heard()
                if not begun:
                    begun = True
                    await self._put(StepStartPart(**self._ids(), snapshot=await self._snapshots.before() or UNSET))
                await self._handle(event, tool_tasks)
                await self._breathe()
        if self._finish is None:
            raise ApiCallFailed("The model's answer ended early", is_retryable=True)
        await self._finish_step(self._finish, request)

    # --- events -----------------------------------------------------------------------------------------------------

    async def _handle(self, event: StreamEvent, tool_tasks: TaskGroup) -> None:
        match event:
            case TextDelta(id=key, text=text):
                await self._append("text", key, text)
            case ReasoningDelta(id=key, text=text):
                await self._append("reasoning", key, text)
            case TextStart(id=key, metadata=metadata):
                start = PartTime(start=self._services.clock.now_ms())
                await self._begin("text", key, TextPart(**self._ids(), text="", time=start, metadata=metadata or UNSET))
            case ReasoningStart(id=key, metadata=metadata):
                start = PartTime(start=self._services.clock.now_ms())
                thought = ReasoningPart(**self._ids(), text="", time=start, metadata=metadata or UNSET)
                await self._begin("reasoning", key, thought)
            case TextEnd(id=key, metadata=metadata):
                await self._end("text", key, metadata)
            case ReasoningEnd(id=key, metadata=metadata):
                await self._end("reasoning", key, metadata)
            case ToolInputStart(call_id=call_id, name=name):
                await self._calls.announce(call_id, name)
            case ToolCall():
                await self._calls.start(event, tool_tasks)
            case StepFinish():
                self._finish = event
            case ToolInputDelta() | Usage():
                pass
            case _:
                log.warning("unknown stream event", kind=type(event).__name__)

    async def _begin(self, kind: str, key: str, part: TextPart | ReasoningPart) -> None:
        if (kind, key) not in self._open:
            self._attempt_parts.append(part)
            self._open[kind, key] = await self._services.open_parts.open(part)

    async def _append(self, kind: str, key: str, text: str) -> None:
        if (part := self._open.get((kind, key))) is not None:
            await part.append(text)

    async def _end(self, kind: str, key: str, metadata: dict[str, object] | None) -> None:
        if (part := self._open.pop((kind, key), None)) is not None:
            await part.close(metadata)

    async def _breathe(self) -> None:
        """A model that answers at once must not keep the loop from delivering what it said."""
        now = time.monotonic()
        if now - self._breathed_at > BREATH_SECONDS:
            await anyio.lowlevel.checkpoint()
            self._breathed_at = time.monotonic()

    # --- the end ----------------------------------------------------------------------------------------------------

    async def _finish_step(self, finish: StepFinish, request: ModelRequest) -> None:
        await self._close_open()
        tokens, cost = tokens_and_cost(finish.usage, request.model.cost, finish.metadata)
        tree = await self._snapshots.after()
        part = StepFinishPart(**self._ids(), reason=finish.reason, snapshot=tree or UNSET, cost=cost, tokens=tokens)
        self.message = replace(self.message, finish=finish.reason, cost=self.message.cost + cost, tokens=tokens)
        add = ChangeSession(self.message.session_id, lambda session: with_usage(session, tokens, cost), silent=True)
        await self._services.store.commit(PutPart(part), PutMessage(self.message), add)
        await self._tell_patch(tree)

    def _refusal(self) -> MessageError | None:
        """What the user is told when the provider ended the answer itself, or nobody was there to let it go on."""
        if self._calls.unanswered is not None:
            return message_error(self._calls.unanswered)
        if self.message.finish != "content-filter":
            return None
        return ContentFilterError(data=MessageText(message="The provider's content filter blocked the answer"))

    def _draw_conclusion(self) -> None:
        if self._conclude is None:
            return
        stored = self._services.store.message(self.message.session_id, self.message.id)
        if stored is not None:
            self.message = self._conclude(replace(stored, info=self.message))

    async def _tell_patch(self, tree: str | None = None) -> None:
        patch = await self._snapshots.patch(tree)
        if patch is not None:
            await self._services.store.commit(PutPart(PatchPart(**self._ids(), hash=patch.hash, files=patch.files)))

    async def _complete(self, error: MessageError | None) -> None:
        await self._close_open()
        await self._calls.settle_open()
        await self._tell_patch()
        changes: list[Change] = []
        if error is not None and (
            self.message.finish is UNSET or isinstance(error, ContentFilterError | UnansweredError)
        ):
            self.message = replace(self.message, error=error)
            changes.append(Tell(SessionErrored(session_id=self.message.session_id, error=error)))
        elif error is not None:
            # Cut off after the step: the summary that would tell of its tokens and cost does not come.
            changes.append(ChangeSession(self.message.session_id, lambda session: session))
        time_ = MessageTime(created=self.message.time.created, completed=self._services.clock.now_ms())
        self.message = replace(self.message, time=time_)
        await self._services.store.commit(*changes, PutMessage(self.message))

    async def _close_open(self) -> None:
        for key in list(self._open):
            await self._open.pop(key).close()

    # --- trying again -----------------------------------------------------------------------------------------------

    def _retry(self, failure: BaseException, error: MessageError, attempt: int) -> Retry | None:
        headers = failure.headers if isinstance(failure, ApiCallFailed) else None
        return retry_delay(error, attempt, headers, random.random, now_ms=self._services.clock.now_ms())

    async def _wait_to_retry(self, retry: Retry, attempt: int) -> None:
        await self._give_up_attempt()
        next_ms = self._services.clock.now_ms() + round(retry.delay_seconds * 1000)
        status = self._services.statuses.retry(self.message.session_id, attempt, retry.message, next_ms)
        await self._services.store.commit(status)
        await anyio.sleep(retry.delay_seconds)

    async def _give_up_attempt(self) -> None:
        """Remove what the failed attempt wrote, so that nothing is said twice."""
        for opened in self._open.values():
            self._services.open_parts.forget(opened)
        self._open.clear()
        self._finish = None
        parts: list[Part] = [*self._attempt_parts, *self._calls.forget()]
        self._attempt_parts.clear()
        if parts:
            await self._services.store.commit(*[DeletePart(p.session_id, p.message_id, p.id) for p in parts])

    # --- small things -----------------------------------------------------------------------------------------------

    async def _put(self, part: StepStartPart) -> None:
        self._attempt_parts.append(part)
        await self._services.store.commit(PutPart(part))

    def _ids(self) -> _PartIds:
        message = self.message
        return {"id": self._services.ids.part(), "session_id": message.session_id, "message_id": message.id}

    def _log(self, failure: BaseException) -> None:
        if isinstance(failure, Rejected):
            return
        log.warning("step failed", session=self.message.session_id, error=str(failure), kind=type(failure).__name__)
