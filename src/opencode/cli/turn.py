"""One turn of a session, followed on the event stream until it is over."""

from collections.abc import Awaitable, Callable
from typing import Final

import anyio
import msgspec

from opencode.cli.asker import Asker
from opencode.cli.decisions import Decisions
from opencode.cli.render import Output, error_message
from opencode.client.client import OpenCodeClient
from opencode.client.schema import ServerResync
from opencode.client.stream import EventStream
from opencode.core.tasks import task_group
from opencode.core.wire import UNSET, UnsetType
from opencode.event.schema import Event
from opencode.permission.schema import PermissionAsked, PermissionReplied
from opencode.question.schema import QuestionAsked, QuestionRejected, QuestionReplied
from opencode.session.schema import (
    AssistantMessage,
    MessageError,
    MessagePartDelta,
    MessagePartUpdated,
    MessageUpdated,
    MessageWithParts,
    Part,
    PartTime,
    ReasoningPart,
    SessionCreated,
    SessionErrored,
    SessionStatus,
    SessionStatusChanged,
    StatusIdle,
    StatusRetry,
    StepFinishPart,
    StepStartPart,
    TextPart,
    ToolPart,
    ToolStateCompleted,
    ToolStateError,
    UserMessage,
)

_LAST_EVENTS_SECONDS: Final = 5.0


class Turn:
    """Shows what happens in a session while a prompt is answered, and has its requests decided.

    It is over when the server has answered the prompt and the stream has told that the session went idle after that
    answer was complete: whichever comes first, the other is waited for, so that the last part is shown.
    """

    def __init__(self, client: OpenCodeClient, session_id: str, output: Output, asker: Asker) -> None:
        self._client = client
        self._session_id = session_id
        self._output = output
        self._asker = asker
        self._family = {session_id}  # with the sessions of its subagents, whose requests are ours to decide
        self._open_texts: set[str] = set()
        self._shown: set[str] = set()
        self._completed: set[str] = set()
        self._settled: set[str] = set()  # messages that were complete when the session went idle
        self._answer: str | None = None
        self._over = anyio.Event()
        self.failed = False
        """Whether an error was shown."""

    async def run(self, stream: EventStream, prompt: Callable[[], Awaitable[MessageWithParts]]) -> None:
        """Send the prompt and show the turn. ``stream`` was opened before. Raises what the prompt raises."""
        async with task_group() as tasks:
            decisions = Decisions(self._client, self._output, self._asker, tasks)
            tasks.start_soon(self._follow, stream, decisions)
            answer = await prompt()
            self._answer = answer.info.id
            self._check_over()
            with anyio.move_on_after(_LAST_EVENTS_SECONDS):
                await self._over.wait()
            tasks.cancel_scope.cancel()
        self._show_rest(answer)

    async def _follow(self, stream: EventStream, decisions: Decisions) -> None:
        async for event in stream:
            await self._see(event, decisions)
            self._check_over()

    def _check_over(self) -> None:
        if self._answer in self._settled:
            self._over.set()

    async def _see(self, event: Event, decisions: Decisions) -> None:
        match event:
            case ServerResync():
                await self._reload(decisions)
            case SessionCreated(info=info) if info.parent_id in self._family:
                self._family.add(info.id)
            case PermissionAsked() if event.session_id in self._family:
                decisions.permission(event)
            case QuestionAsked() if event.session_id in self._family:
                decisions.question(event)
            case PermissionReplied() | QuestionReplied() | QuestionRejected():
                decisions.settled(event.request_id)
            case _ if getattr(event, "session_id", None) == self._session_id:
                self._see_own(event)

    def _see_own(self, event: Event) -> None:
        match event:
            case SessionStatusChanged(status=status):
                self._see_status(status)
            case MessageUpdated(info=AssistantMessage() as info):
                self._see_message(info)
            case MessagePartUpdated(part=part):
                self._see_part(part)
            case MessagePartDelta() if event.part_id in self._open_texts:
                self._output.delta(event)
            case SessionErrored(error=error):
                self._show_error(error)

    def _see_status(self, status: SessionStatus) -> None:
        match status:
            case StatusIdle():
                self._settled |= self._completed
            case StatusRetry():
                self._output.notice(f"Retrying ({status.attempt}): {status.message}")

    def _see_message(self, info: AssistantMessage) -> None:
        self._output.header(info.agent, info.model_id)
        if info.time.completed is not UNSET:
            self._completed.add(info.id)

    def _see_part(self, part: Part) -> None:
        if is_finished(part):
            self._show(part)
        elif isinstance(part, TextPart):
            # Deltas do not say what they are part of; reasoning streams in the same field as text.
            self._open_texts.add(part.id)

    def _show(self, part: Part) -> None:
        if part.id not in self._shown:
            self._shown.add(part.id)
            self._open_texts.discard(part.id)
            self._output.part(part)

    def _show_error(self, error: MessageError | UnsetType) -> None:
        self.failed = True
        if isinstance(error, UnsetType):
            self._output.error(None, "The turn failed")
        else:
            self._output.error(error, error_message(error))

    def _show_rest(self, answer: MessageWithParts) -> None:
        """What the stream did not bring in time."""
        if not isinstance(answer.info, AssistantMessage):
            return
        for part in answer.parts:
            if is_finished(part):
                self._show(part)
        if answer.info.error is not UNSET and not self.failed:
            self._show_error(answer.info.error)

    async def _reload(self, decisions: Decisions) -> None:
        """Make good for missed events: the parts of the current turn, the requests that wait, the status."""
        for message in current_turn(await self._client.messages(self._session_id)):
            if isinstance(message.info, AssistantMessage):
                self._see_message(message.info)
            for part in message.parts:
                self._see_part(part)
        for request in await self._client.permissions():
            if request.session_id in self._family:
                decisions.permission(PermissionAsked(**msgspec.structs.asdict(request)))
        statuses = await self._client.statuses()
        self._see_status(statuses.get(self._session_id, StatusIdle()))


def is_finished(part: Part) -> bool:
    """Whether nothing more comes of the part, and it is one to show."""
    match part:
        case StepStartPart() | StepFinishPart():
            return True
        case ToolPart(state=ToolStateCompleted() | ToolStateError()):
            return True
        case TextPart(time=PartTime(end=int())) | ReasoningPart(time=PartTime(end=int())):
            return True
    return False


def current_turn(messages: list[MessageWithParts]) -> list[MessageWithParts]:
    """The answers after the last message of a person."""
    start = max((n for n, message in enumerate(messages) if isinstance(message.info, UserMessage)), default=-1)
    return messages[start + 1 :]
