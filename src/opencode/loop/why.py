"""Explains what a session waits for: since when, until when, and what would release it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from opencode.core.ids import SessionID
from opencode.core.wire import UNSET, UnsetType, set_or
from opencode.loop.abilities import Abilities
from opencode.loop.compaction import pending_marker
from opencode.loop.late_ends import LateEnds
from opencode.loop.model_calls import ModelCall
from opencode.loop.processor import StepServices
from opencode.loop.prompt_turns import PromptTurns
from opencode.loop.run_state import ABORT_PATIENCE_SECONDS, Run, RunState
from opencode.loop.status import SessionStatuses
from opencode.loop.visible_history import visible_history
from opencode.loop.waits import (
    Release,
    SessionWait,
    SessionWhy,
    WaitCompaction,
    WaitModel,
    WaitPermission,
    WaitQuestion,
    WaitQueue,
    WaitRetry,
    WaitStopping,
    WaitStorage,
    WaitSubagent,
    WaitTool,
    WaitWork,
)
from opencode.question.service import QuestionService
from opencode.session.errors import SessionNotFound
from opencode.session.schema import (
    AssistantMessage,
    CompactionPart,
    MessageWithParts,
    StatusIdle,
    StatusRetry,
    ToolPart,
    ToolStateRunning,
)
from opencode.session.store import SessionStore
from opencode.storage.trouble import StorageTrouble

DEEPEST = 8
"""Levels of subagents that are explained."""


class WhyService:
    """Looks at runs, asks, calls and queues of one directory; changes nothing."""

    def __init__(
        self,
        store: SessionStore,
        runs: RunState,
        statuses: SessionStatuses,
        services: StepServices,
        turns: PromptTurns,
        abilities: Abilities,
        questions: QuestionService,
        late_ends: LateEnds,
        trouble: Callable[[], StorageTrouble | None],
    ) -> None:
        self._store = store
        self._runs = runs
        self._statuses = statuses
        self._calls = services.calls
        self._retries = services.retries
        self._budgets = services.budgets
        self._turns = turns
        self._permissions = abilities.permissions
        self._questions = questions
        self._providers = abilities.providers
        self._tools = abilities.tools
        self._late_ends = late_ends
        self._trouble = trouble

    def of(self, session_id: SessionID, depth: int = DEEPEST) -> SessionWhy:
        """What the session waits for now. Raises ``SessionNotFound``."""
        if self._store.session(session_id) is None:
            raise SessionNotFound(session_id)
        run = self._runs.get(session_id)
        running = [] if run is None else list(self._of_run(run, depth))
        waits = [*running, *self._of_people(session_id), *self._of_queue(session_id)]
        if run is not None and not waits:
            waits = [WaitWork(since=self._since(session_id), release=[_abort(session_id)])]
        if (trouble := self._trouble()) is not None and (waits or self._late_ends.misses(session_id)):
            waits.append(WaitStorage(since=trouble.since_ms, error=trouble.error.name, message=trouble.error.message))
        status = self._statuses.current().get(session_id, StatusIdle())
        budgets = [] if self._budgets is None else self._budgets.states(session_id)
        return SessionWhy(session_id=session_id, status=status, waits=waits, budgets=budgets or UNSET)

    def _of_run(self, run: Run, depth: int) -> Iterator[SessionWait]:
        session_id = run.session_id
        abort = [_abort(session_id)]
        if run.stopped_ms is not None:
            yield WaitStopping(since=run.stopped_ms, until=run.stopped_ms + round(ABORT_PATIENCE_SECONDS * 1000))
        status = self._statuses.current().get(session_id)
        if isinstance(status, StatusRetry):
            left = self._retries.of(session_id)
            yield WaitRetry(
                attempt=status.attempt,
                message=status.message,
                attempts_left=left.attempts_left,
                seconds_left=round(left.seconds_left),
                since=self._since(session_id),
                until=round(status.next),
                release=abort,
            )
        history = visible_history(self._store.recent_history(session_id))
        if (marker := pending_marker(history)) is not None:
            is_auto = any(isinstance(part, CompactionPart) and part.auto for part in marker.parts)
            yield WaitCompaction(auto=is_auto, since=round(marker.info.time.created), release=abort)
        for call in self._calls.of(session_id):
            yield self._of_call(call)
        asking = self._asking(session_id)
        for part in _running(history):
            if part.call_id not in asking:
                yield self._of_tool(part, depth)

    def _of_call(self, call: ModelCall) -> SessionWait:
        message = call.message
        first, next_ = self._providers.patience_seconds(message.provider_id)
        limit, start = (first, call.since_ms) if call.heard_ms is None else (next_, call.heard_ms)
        return WaitModel(
            provider_id=message.provider_id,
            model_id=message.model_id,
            message_id=message.id,
            attempt=call.attempt,
            phase="first-byte" if call.heard_ms is None else "stream",
            since=call.since_ms,
            until=_after(start, limit),
            release=[_abort(message.session_id)],
        )

    def _of_tool(self, part: ToolPart, depth: int) -> SessionWait:
        state = part.state
        assert isinstance(state, ToolStateRunning)
        since, abort = round(state.time.start), [_abort(part.session_id)]
        shown: dict[str, Any] = set_or(state.metadata, {})
        child = shown.get("sessionId")
        if depth and isinstance(child, str) and self._store.session(SessionID(child)) is not None:
            why = self.of(SessionID(child), depth - 1)
            return WaitSubagent(call_id=part.call_id, why=why, since=since, release=abort)
        return WaitTool(
            tool=part.tool,
            title=state.title,
            call_id=part.call_id,
            message_id=part.message_id,
            part_id=part.id,
            since=since,
            until=_after(since, self._tools.limit_seconds(part.tool, state.input)),
            release=abort,
        )

    def _of_people(self, session_id: SessionID) -> Iterator[SessionWait]:
        policy = self._permissions.unattended.policy
        for ask in self._permissions.waits(session_id):
            reply = f"/permission/{ask.request.id}/reply"
            yield WaitPermission(
                request_id=ask.request.id,
                permission=ask.request.permission,
                patterns=ask.request.patterns,
                policy=policy,
                since=ask.since_ms,
                until=_set(ask.deadline_ms),
                release=[Release(method="POST", path=reply, does="allow once or always, or reject")],
            )
        for question in self._questions.waits(session_id):
            path = f"/question/{question.request.id}"
            yield WaitQuestion(
                request_id=question.request.id,
                questions=[one.question for one in question.request.questions],
                policy=policy,
                since=question.since_ms,
                until=_set(question.deadline_ms),
                release=[
                    Release(method="POST", path=f"{path}/reply", does="answer"),
                    Release(method="POST", path=f"{path}/reject", does="dismiss"),
                ],
            )

    def _of_queue(self, session_id: SessionID) -> Iterator[SessionWait]:
        queue = f"/session/{session_id}/queue"
        for prompt in self._turns.waiting(session_id):
            if prompt.delivery == "steer":
                continue
            held = prompt.state == "held"
            resume = [Release(method="POST", path=queue, does="go on with the queue")] if held else []
            cancel = Release(method="DELETE", path=f"{queue}/{prompt.id}", does="take the prompt out of the queue")
            created = round(prompt.time.created)
            yield WaitQueue(message_id=prompt.id, held=held, since=created, release=[*resume, cancel])

    def _asking(self, session_id: SessionID) -> set[str]:
        """The calls that wait for a person: the person is what the session waits for, not the tool."""
        tools: list[Any] = [ask.request.tool for ask in self._permissions.waits(session_id)]
        tools += [ask.request.tool for ask in self._questions.waits(session_id)]
        return {tool.call_id for tool in tools if tool is not UNSET}

    def _since(self, session_id: SessionID) -> int | UnsetType:
        return _set(self._statuses.since(session_id))


def _running(history: Sequence[MessageWithParts]) -> list[ToolPart]:
    """The tools that run in the newest answer."""
    newest = next((message for message in reversed(history) if isinstance(message.info, AssistantMessage)), None)
    parts = [] if newest is None else newest.parts
    return [part for part in parts if isinstance(part, ToolPart) and isinstance(part.state, ToolStateRunning)]


def _abort(session_id: SessionID) -> Release:
    return Release(method="POST", path=f"/session/{session_id}/abort", does="stop the turn")


def _after(start_ms: int, seconds: float | None) -> int | UnsetType:
    return UNSET if seconds is None else start_ms + round(seconds * 1000)


def _set(value: int | None) -> int | UnsetType:
    return UNSET if value is None else value
