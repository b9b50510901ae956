"""Which subtask of a conversation is to be run next, and what is stored of one that runs."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from opencode.core.ids import MessageID, ModelID, PartID, ProviderID, SessionID
from opencode.core.rejection import Rejected
from opencode.core.wire import UNSET, UnsetType, replace
from opencode.loop.failures import aborted
from opencode.loop.subtask import GO_ON, Subtask, SubtaskRunner, pending_subtask
from opencode.provider.schema import ModelRef
from opencode.session.schema import (
    AssistantMessage,
    CreatedTime,
    MessageAbortedError,
    MessagePath,
    MessageText,
    MessageTime,
    MessageWithParts,
    PromptModel,
    SessionErrored,
    SpanTime,
    StartTime,
    SubtaskPart,
    TextPart,
    ToolPart,
    ToolStateCompleted,
    ToolStateError,
    ToolStateRunning,
    ToolTime,
    UserMessage,
)
from opencode.tool.builtin.task import NAMED_BY_USER, TaskParams
from opencode.tool.tool import Tool, ToolContext, ToolError, ToolResult
from opencode.tool.truncate import OutputLimits, OutputTruncator
from opencode.tool.wrapper import WrappedTool
from tests.support.event_world import NOW
from tests.support.loop_world import ID, MODEL, LoopWorld
from tests.support.records import user_message

S = SessionID("ses_1")


def asks(id: str, *prompts: str) -> MessageWithParts:
    """A prompt with subtasks."""
    message = MessageID(id)
    user = UserMessage(
        id=message,
        session_id=S,
        time=CreatedTime(created=1),
        agent="build",
        model=PromptModel(provider_id=ProviderID("p"), model_id=ModelID("m")),
    )
    parts = [
        SubtaskPart(id=PartID("prt_1"), session_id=S, message_id=message, prompt=p, description=p, agent="general")
        for p in prompts
    ]
    return MessageWithParts(info=user, parts=list(parts))


def answers(parent: str, finish: str | UnsetType = "tool-calls", *, aborted: bool = False) -> MessageWithParts:
    """A step that answers a prompt."""
    info = AssistantMessage(
        id=MessageID("msg_9"),
        session_id=S,
        parent_id=MessageID(parent),
        mode="build",
        agent="build",
        path=MessagePath(cwd="/", root="/"),
        model_id=ModelID("m"),
        provider_id=ProviderID("p"),
        time=MessageTime(created=1),
        finish=finish,
        error=MessageAbortedError(data=MessageText(message="Aborted")) if aborted else UNSET,
    )
    return MessageWithParts(info=info, parts=[])


def pending(*history: MessageWithParts) -> tuple[str, str] | None:
    subtask = pending_subtask(history)
    return None if subtask is None else (subtask.user.id, subtask.part.prompt)


def test_subtasks_of_a_prompt_come_one_after_the_other() -> None:
    prompt = asks("msg_1", "a", "b")
    assert pending() is None
    assert pending(asks("msg_1")) is None
    assert pending(prompt) == ("msg_1", "a")
    assert pending(prompt, answers("msg_1")) == ("msg_1", "b")
    assert pending(prompt, answers("msg_1"), answers("msg_1")) is None


def test_prompts_that_came_meanwhile_are_taken_in_their_order() -> None:
    history = [asks("msg_1", "a"), asks("msg_2"), asks("msg_3", "c")]
    assert pending(*history) == ("msg_1", "a")
    assert pending(*history, answers("msg_1")) == ("msg_3", "c")
    assert pending(*history, answers("msg_1"), answers("msg_3")) is None


def test_a_subtask_that_comes_while_the_model_works_is_next() -> None:
    assert pending(asks("msg_1"), answers("msg_1"), asks("msg_2", "a")) == ("msg_2", "a")
    assert pending(asks("msg_1"), asks("msg_2", "a"), answers("msg_1")) == ("msg_2", "a")


def test_what_was_stopped_or_answered_is_not_taken_up_again() -> None:
    assert pending(asks("msg_1", "a"), answers("msg_1", UNSET, aborted=True), asks("msg_2")) is None
    assert pending(asks("msg_1", "a", "b"), answers("msg_1", UNSET, aborted=True)) is None
    assert pending(asks("msg_1", "a"), answers("msg_1"), answers("msg_1", "stop"), asks("msg_2")) is None


def test_a_shell_command_of_the_user_answers_no_subtask() -> None:
    assert pending(asks("msg_1", "a"), asks("msg_2"), answers("msg_2", UNSET)) == ("msg_1", "a")


# --- running one ----------------------------------------------------------------------------------------------------

Act = Callable[[ToolContext], Awaitable[ToolResult]]
GIVEN = {"prompt": "Look around.", "description": "Look", "subagent_type": "explore"}
USER = replace(
    user_message(ID, "msg_1"),
    model=PromptModel(provider_id=ProviderID("p"), model_id=ModelID("m"), variant="high"),
    variant="low",
)
DONE = ToolResult(title="Looked", output="Nothing there.", metadata={"sessionId": "ses_2"})


class TaskTool(Tool[TaskParams]):
    """Does what a test says instead of the work."""

    id, params, description = "task", TaskParams, "Does what the test says."

    def __init__(self, act: Act) -> None:
        self._act = act

    async def run(self, params: TaskParams, context: ToolContext) -> ToolResult:
        return await self._act(context)


async def runs(place: LoopWorld, act: Act, **fields: Any) -> list[MessageWithParts]:
    """Run a subtask in a session with one prompt; the clock moves on by five while it works. What is stored then."""
    tool = WrappedTool(TaskTool(act), OutputTruncator(OutputLimits(), place.directory, place.ids.tool_output))
    runner = SubtaskRunner(place.services, tool, Path("/home/u/p/sub"), Path("/home/u/p"))
    part = SubtaskPart(
        id=PartID("prt_1"), session_id=ID, message_id=USER.id, prompt="Look around.", description="Look",
        agent="explore", **fields,
    )  # fmt: skip
    history = [MessageWithParts(info=USER, parts=[part])]
    await runner.run(Subtask(USER, part), MODEL, history)
    return since(place)


def since(place: LoopWorld) -> list[MessageWithParts]:
    """What is stored after the prompt and the open answer with which the session begins."""
    return place.store.history(ID)[2:]


def worked(place: LoopWorld, *, reported: bool = False, then: BaseException | None = None) -> Act:
    """Work for five milliseconds; report before, give the result or raise after."""

    async def act(context: ToolContext) -> ToolResult:
        place.clock.now += 5
        if reported:
            await context.report(title="Looking", metadata={"sessionId": "ses_2"})
            await context.report(title=None, metadata=None)
        if then is not None:
            raise then
        return DONE

    return act


def call_of(message: MessageWithParts) -> ToolPart:
    [part] = message.parts
    assert isinstance(part, ToolPart)
    return part


async def test_a_subtask_becomes_a_message_with_the_call_and_its_result(place: LoopWorld) -> None:
    [message] = await runs(place, worked(place))
    assert message.info == AssistantMessage(
        id=message.info.id,
        session_id=ID,
        parent_id=USER.id,
        mode="explore",
        agent="explore",
        path=MessagePath(cwd="/home/u/p/sub", root="/home/u/p"),
        model_id=ModelID("m"),
        provider_id=ProviderID("p"),
        time=MessageTime(created=NOW, completed=NOW + 5),
        variant="high",
        finish="tool-calls",
    )
    assert message.info.id > USER.id
    call = call_of(message)
    state = ToolStateCompleted(
        input=GIVEN,
        output="Nothing there.",
        title="Looked",
        metadata={"sessionId": "ses_2", "truncated": False},
        time=ToolTime(start=NOW, end=NOW + 5),
    )
    where = {"id": call.id, "session_id": ID, "message_id": message.info.id, "call_id": call.call_id}
    assert call == ToolPart(**where, tool="task", state=state)  # type: ignore[arg-type]


async def test_after_a_command_the_model_is_asked_to_take_up_the_result(place: LoopWorld) -> None:
    answer, asked = await runs(place, worked(place), command="look")
    assert call_of(answer).state.input == {**GIVEN, "command": "look"}
    assert asked.info == UserMessage(
        id=asked.info.id,
        session_id=ID,
        time=CreatedTime(created=NOW + 5),
        agent="build",
        model=USER.model,
        variant="low",
    )
    assert asked.info.id > answer.info.id
    [text] = asked.parts
    assert text == TextPart(id=text.id, session_id=ID, message_id=asked.info.id, text=GO_ON, synthetic=True)


async def test_a_subtask_with_a_model_of_its_own_has_no_variant(place: LoopWorld) -> None:
    [message] = await runs(place, worked(place), model=ModelRef(provider_id=ProviderID("p"), model_id=ModelID("big")))
    assert isinstance(message.info, AssistantMessage)
    assert (message.info.provider_id, message.info.model_id, message.info.variant) == ("p", "big", UNSET)


async def test_the_tool_learns_who_asked_where_and_that_nothing_needs_permission(place: LoopWorld) -> None:
    seen: list[ToolContext] = []

    async def act(context: ToolContext) -> ToolResult:
        await context.ask("task", patterns=["explore"])
        seen.append(context)
        return DONE

    [message] = await runs(place, act)
    [context] = seen
    assert (context.session_id, context.message_id, context.call_id) == (ID, message.info.id, call_of(message).call_id)
    assert (context.agent, context.model, context.extra) == ("build", MODEL, {NAMED_BY_USER: {"explore"}})
    assert (context.directory, context.worktree) == (Path("/home/u/p/sub"), Path("/home/u/p"))
    assert [message.info.id for message in context.history] == [USER.id]


async def test_clients_see_what_a_running_subtask_shows_and_go_on_seeing_it(place: LoopWorld) -> None:
    states: list[Any] = []

    async def act(context: ToolContext) -> ToolResult:
        place.clock.now += 5
        for title, metadata in (("Looking", {"sessionId": "ses_2"}), (None, None)):
            await context.report(title=title, metadata=metadata)
            states.append(call_of(since(place)[0]).state)
        return DONE

    await runs(place, act)
    shown = ToolStateRunning(input=GIVEN, title="Looking", metadata={"sessionId": "ses_2"}, time=StartTime(start=NOW))
    assert states == [shown, replace(shown, title=UNSET)]


async def test_a_subtask_runs_before_its_tool_has_said_anything(place: LoopWorld) -> None:
    states: list[Any] = []

    async def act(context: ToolContext) -> ToolResult:
        states.append(call_of(since(place)[0]).state)
        return DONE

    await runs(place, act)
    assert states == [ToolStateRunning(input=GIVEN, time=StartTime(start=NOW))]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ToolError("No such agent."), "No such agent."),
        (Rejected("You may not."), "You may not."),
        (ValueError("a defect"), "a defect"),
        (ValueError(), "ValueError"),
    ],
)
async def test_a_subtask_that_fails_says_why_and_the_turn_goes_on(
    place: LoopWorld, error: Exception, reason: str
) -> None:
    answer, asked = await runs(place, worked(place, reported=True, then=error), command="look")
    assert isinstance(answer.info, AssistantMessage)
    assert (answer.info.finish, answer.info.error, answer.info.time.completed) == ("tool-calls", UNSET, NOW + 5)
    assert call_of(answer).state == ToolStateError(
        input={**GIVEN, "command": "look"},
        error=f"Tool execution failed: {reason}",
        metadata={"sessionId": "ses_2"},
        time=SpanTime(start=NOW, end=NOW + 5),
    )
    assert isinstance(asked.info, UserMessage)


async def test_a_subtask_that_is_stopped_leaves_a_stopped_message_and_asks_nothing_more(place: LoopWorld) -> None:
    began = anyio.Event()

    async def act(context: ToolContext) -> ToolResult:
        place.clock.now += 5
        began.set()
        await anyio.sleep_forever()
        return DONE

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: runs(place, act, command="look"))
        with anyio.fail_after(10):
            await began.wait()
        tasks.cancel_scope.cancel()
    [message] = since(place)
    assert isinstance(message.info, AssistantMessage)
    assert (message.info.error, message.info.finish) == (aborted(), UNSET)
    assert message.info.time == MessageTime(created=NOW, completed=NOW + 5)
    state = call_of(message).state
    assert isinstance(state, ToolStateError)
    assert (state.error, state.metadata, state.time) == ("Cancelled", UNSET, SpanTime(start=NOW, end=NOW + 5))
    assert place.heard(SessionErrored) == [SessionErrored(session_id=ID, error=aborted())]
