"""One answer of a model: its stream of events becomes stored parts (spec: LLM and errors, sections 2 and 5)."""

import random
import time
from collections.abc import Awaitable, Callable
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
from opencode.core.wire import UNSET, replace, set_or
from opencode.loop.budgets import BudgetExceeded, Budgets
from opencode.loop.failures import Retry, aborted, message_error, retry_delay, with_note
from opencode.loop.fallback import Fallbacks, ModelSwitched, is_for_another, switch_note
from opencode.loop.model_calls import ModelCalls
from opencode.loop.open_parts import OpenPart, OpenParts
from opencode.loop.retry_budget import RetryBudgets
from opencode.loop.status import SessionStatuses
from opencode.loop.step_snapshots import StepSnapshots
from opencode.loop.tool_calls import ToolCalls
from opencode.loop.usage import tokens_and_cost
from opencode.provider.errors import ApiCallFailed
from opencode.provider.request import ModelRequest
from opencode.provider.schema import ModelRef
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
    BudgetExceededError,
    ContentFilterError,
    ContextOverflowError,
    CreatedTime,
    MessageError,
    MessageText,
    MessageTime,
    MessageWithParts,
    Part,
    PartTime,
    PatchPart,
    ReasoningPart,
    RetryPart,
    SessionErrored,
    StepFinishPart,
    StepStartPart,
    TextPart,
    Tokens,
    UnansweredError,
)
from opencode.session.store import SessionStore
from opencode.session.totals import added_usd, with_usage
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
    retries: RetryBudgets = field(default_factory=RetryBudgets)
    fallbacks: Fallbacks = field(default_factory=Fallbacks)
    budgets: Budgets | None = None

    def end_turn(self, session_id: SessionID) -> None:
        """The next turn may lose as much again, and begins with the model it asks for."""
        self.retries.end(session_id)
        self.fallbacks.end(session_id)


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


@dataclass(frozen=True, slots=True)
class Prepared:
    """A call of a model that is ready to be made, and what its answer needs."""

    language_model: LanguageModel
    request: ModelRequest
    calls: ToolCalls
    is_full: IsFull | None = None


NextModel = Callable[[], Awaitable[Prepared | None]]
"""The same call for the model that goes on where one cannot be reached; None when there is no other."""


class StepProcessor:
    """Calls the model for one assistant message, and again after failures that may pass."""

    def __init__(
        self,
        services: StepServices,
        message: AssistantMessage,
        calls: ToolCalls,
        is_full: IsFull | None = None,
        conclude: Conclude | None = None,
        next_model: NextModel | None = None,
    ) -> None:
        """Without ``is_full`` a history that is too long is an error like any other."""
        self._services = services
        self._calls = calls
        self._is_full = is_full
        self._conclude = conclude
        self._next_model = next_model
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
            began = time.monotonic()
            try:
                await self._call(language_model, request)
            except Exception as caught:  # noqa: BLE001 - an edge: every failure of a step ends on its message
                failure = unwrap(caught)
                self._services.retries.of(self.message.session_id).lost(time.monotonic() - began)
                attempt += 1
                retry, error = self._retry(failure, message_error(failure), attempt)
                if retry is not None:
                    await self._wait_to_retry(retry, attempt)
                elif (following := await self._following(failure)) is not None:
                    await self._switch(following, error)
                    language_model, request, attempt = following.language_model, following.request, 0
                else:
                    self._log(failure)
                    return error
            else:
                return None

    async def _call(self, language_model: LanguageModel, request: ModelRequest) -> None:
        if self._services.budgets is not None:
            self._services.budgets.require(request)
        self._finish = None
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
                    await self._give_up_attempt()
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
        total = added_usd(self.message.cost, cost)
        self.message = replace(self.message, finish=finish.reason, cost=total, tokens=tokens)
        add = ChangeSession(self.message.session_id, lambda session: with_usage(session, tokens, cost), silent=True)
        budgets = self._services.budgets
        counted = [] if budgets is None else budgets.spent(self.message.session_id, tokens, cost)
        await self._services.store.commit(PutPart(part), PutMessage(self.message), add, *counted)
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
            changes += _told(self.message.session_id, error)
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

    def _retry(self, failure: BaseException, error: MessageError, attempt: int) -> tuple[Retry | None, MessageError]:
        """Whether to try again, and the error, which says so where only the turn's budget is against it."""
        if self._calls.started:
            return None, error
        headers = failure.headers if isinstance(failure, ApiCallFailed) else None
        budget, now_ms = self._services.retries.of(self.message.session_id), self._services.clock.now_ms()
        retry = retry_delay(error, attempt, headers, random.random, now_ms=now_ms, most=budget.limits.attempts)
        if retry is None:
            return None, error
        if (refusal := budget.refusal(retry)) is not None:
            return None, with_note(error, refusal)
        budget.take(retry)
        return retry, error

    async def _wait_to_retry(self, retry: Retry, attempt: int) -> None:
        # What the failed attempt has said stays until the next one speaks: it may be all that comes.
        await self._services.open_parts.save_all(self.message.session_id)
        next_ms = self._services.clock.now_ms() + round(retry.delay_seconds * 1000)
        status = self._services.statuses.retry(self.message.session_id, attempt, retry.message, next_ms)
        await self._services.store.commit(status)
        await anyio.sleep(retry.delay_seconds)

    async def _following(self, failure: BaseException) -> Prepared | None:
        """The model that goes on; none once a tool has started."""
        if self._next_model is None or self._calls.started or not is_for_another(failure):
            return None
        return await self._next_model()

    async def _switch(self, following: Prepared, error: MessageError) -> None:
        """Let another model go on with the message. Publishes ``session.model.switched``, ``message.updated``."""
        services, message, model = self._services, self.message, following.request.model
        failed = ModelRef(provider_id=message.provider_id, model_id=message.model_id)
        chosen = ModelRef(provider_id=model.provider_id, model_id=model.id)
        now, note = services.clock.now_ms(), switch_note(error, failed, chosen)
        text = f"{failed.provider_id}/{failed.model_id}: {note.data.message}. Next: {chosen.provider_id}/{model.id}"
        self.message = replace(
            message,
            provider_id=chosen.provider_id,
            model_id=chosen.model_id,
            variant=message.variant if set_or(message.variant, "") in set_or(model.variants, {}) else UNSET,
        )
        await services.open_parts.save_all(message.session_id)
        await services.store.commit(
            *[DeletePart(part.session_id, part.message_id, part.id) for part in self._calls.forget()],
            PutPart(RetryPart(**self._ids(), attempt=self._tries, error=note, time=CreatedTime(created=now))),
            PutMessage(self.message),
            Tell(
                ModelSwitched(
                    session_id=message.session_id, message_id=message.id, failed=failed, model=chosen, error=error
                )
            ),
            services.statuses.retry(message.session_id, self._tries, text, now),
        )
        self._calls, self._is_full = following.calls, following.is_full

    async def _give_up_attempt(self) -> None:
        """Remove what the failed attempt wrote, so that nothing is said twice."""
        for opened in self._open.values():
            self._services.open_parts.forget(opened)
        self._open.clear()
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


def _told(session_id: SessionID, error: MessageError) -> list[Change]:
    """The events of a message that ends with an error."""
    told: list[Change] = [Tell(SessionErrored(session_id=session_id, error=error))]
    if isinstance(error, BudgetExceededError):
        data = error.data
        event = BudgetExceeded(session_id=session_id, limit=data.limit, allowed=data.allowed, spent=data.spent)
        told.append(Tell(event))
    return told
