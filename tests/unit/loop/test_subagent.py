"""Child sessions: their rules, and what counts as the result of their work."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import anyio
import pytest

from opencode.agent.schema import Agent
from opencode.agent.service import AgentService
from opencode.core.ids import MessageID, ModelID, PartID, ProjectID, ProviderID, SessionID
from opencode.core.wire import UNSET, encode, replace
from opencode.loop.references import References
from opencode.loop.subagent import Subagents, child_rules, final_text
from opencode.permission.schema import PermissionRule
from opencode.provider.schema import ModelRef
from opencode.session.changes import ChangeSession, PutMessage, PutPart
from opencode.session.errors import SessionBusy
from opencode.session.inputs import PromptInput
from opencode.session.schema import (
    AssistantMessage,
    CreatedTime,
    FilePartInput,
    MessageAbortedError,
    MessageOutputLengthError,
    MessagePath,
    MessageText,
    MessageTime,
    MessageWithParts,
    Part,
    PromptModel,
    Session,
    SpanTime,
    TextPart,
    TextPartInput,
    ToolPart,
    ToolStateCompleted,
    ToolStateError,
    ToolTime,
    UserMessage,
)
from opencode.session.service import SessionPlace, SessionService
from opencode.tool.builtin.task import Delegated, Delegation
from opencode.tool.tool import ToolContext, ToolError
from tests.support.event_world import DIRECTORY
from tests.support.loop_world import ID, LoopWorld
from tests.support.records import assistant_message

CHILD, MESSAGE = SessionID("ses_child"), MessageID("msg_1")
GO_ON = '\nTo go on with it, call the tool with task_id "ses_child".'


def rule(permission: str, action: Any, pattern: str = "*") -> PermissionRule:
    return PermissionRule(permission=permission, pattern=pattern, action=action)


def agent(*rules: PermissionRule) -> Agent:
    return Agent(name="helper", mode="subagent", permission=list(rules), options={})


def test_a_child_delegates_and_plans_only_if_its_agent_speaks_of_it() -> None:
    """Source: golden traces ``tools_task``, ``tools_task_parallel``."""
    plain = agent(rule("*", "allow"))
    assert child_rules([], plain, []) == [rule("todowrite", "deny"), rule("task", "deny")]
    assert child_rules([], agent(rule("todowrite", "deny")), []) == [rule("task", "deny")]
    assert child_rules([], agent(rule("task", "ask", "x"), rule("todowrite", "allow")), []) == []


def test_a_child_inherits_what_its_parent_forbids_and_where_it_may_go() -> None:
    parent = [
        rule("bash", "deny", "rm *"),
        rule("edit", "allow"),
        rule("external_directory", "allow", "/x/*"),
        rule("webfetch", "ask"),
    ]
    closed = agent(rule("task", "deny"), rule("todowrite", "deny"))
    assert child_rules(parent, closed, ["lsp"]) == [parent[0], parent[2], rule("lsp", "deny")]


def text(words: str) -> TextPart:
    return TextPart(id=PartID("prt_1"), session_id=CHILD, message_id=MESSAGE, text=words)


def call(state: ToolStateCompleted | ToolStateError) -> ToolPart:
    return ToolPart(id=PartID("prt_1"), session_id=CHILD, message_id=MESSAGE, call_id="c", tool="bash", state=state)


DONE = call(ToolStateCompleted(input={}, output="", title="", metadata={}, time=ToolTime(start=1, end=2)))
FAILED = call(ToolStateError(input={}, error="Refused.", time=SpanTime(start=1, end=2)))


def answer(*parts: Part, **fields: Any) -> MessageWithParts:
    info = AssistantMessage(
        id=MESSAGE,
        session_id=CHILD,
        parent_id=MessageID("msg_0"),
        mode="general",
        agent="general",
        path=MessagePath(cwd="/", root="/"),
        model_id=ModelID("m"),
        provider_id=ProviderID("p"),
        time=MessageTime(created=1),
        **fields,
    )
    return MessageWithParts(info=info, parts=list(parts))


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([], ""),
        ([text("One."), text("Two.")], "Two."),
        ([text("One."), DONE], "One."),
        ([FAILED, text("Never mind.")], "Never mind."),
    ],
)
def test_the_last_text_is_the_result(parts: list[Part], expected: str) -> None:
    assert final_text(CHILD, answer(*parts)) == expected


@pytest.mark.parametrize(
    ("stopped", "reason"),
    [
        (answer(text("One."), error=MessageAbortedError(data=MessageText(message="Aborted"))), "Aborted"),
        (answer(error=MessageOutputLengthError()), "MessageOutputLengthError"),
        (answer(text("One."), FAILED), "Refused."),
    ],
)
def test_work_that_did_not_end_well_fails_with_the_name_of_the_task(stopped: MessageWithParts, reason: str) -> None:
    with pytest.raises(ToolError) as error:
        final_text(CHILD, stopped)
    assert str(error.value) == f"Task ses_child did not finish: {reason}{GO_ON}"


def test_a_prompt_without_an_answer_is_no_result() -> None:
    model = PromptModel(provider_id=ProviderID("p"), model_id=ModelID("m"), variant=UNSET)
    user = UserMessage(id=MESSAGE, session_id=CHILD, time=CreatedTime(created=1), agent="general", model=model)
    with pytest.raises(ToolError, match="it gave no answer"):
        final_text(CHILD, MessageWithParts(info=user, parts=[]))


# --- at work --------------------------------------------------------------------------------------------------------

CALLING = MessageID("msg_2")
BIG = ModelRef(provider_id=ProviderID("p"), model_id=ModelID("big"))
HELPER = Agent(name="helper", mode="subagent", permission=[rule("*", "allow")], options={}, model=BIG)


class AtWork:
    """Subagents over a real store. ``answer`` stands in for the loop: it is given each prompt of a child session."""

    def __init__(self, place: LoopWorld, *, depth: int = 1) -> None:
        self.place = place
        self.directory = place.directory / "project"
        self.directory.mkdir()
        where = SessionPlace(ProjectID("p"), Path(DIRECTORY), Path(DIRECTORY), "1")
        self.sessions = SessionService(place.store, place.ids, place.clock, where)
        references = References(cast(AgentService, None), self.directory, self.directory, self.directory / "home")
        self.subagents = Subagents(self.sessions, place.store, references, depth=depth, primary_tools=["lsp"])
        self.subagents.prompt, self.subagents.stop = self._prompted, self._stopped
        self.answer: Callable[[SessionID, PromptInput], Awaitable[MessageWithParts]] = self._says_done
        self.prompts: list[tuple[SessionID, PromptInput]] = []
        self.stopped: list[SessionID] = []
        self.shown: list[tuple[str | None, Any]] = []

    async def _prompted(self, session: SessionID, prompt: PromptInput) -> bytes:
        self.prompts.append((session, prompt))
        return encode(await self.answer(session, prompt))

    async def _says_done(self, session: SessionID, prompt: PromptInput) -> MessageWithParts:
        return answer(text("Done."))

    async def _stopped(self, session: SessionID) -> None:
        self.stopped.append(session)

    async def _report(self, title: str | None = None, metadata: dict[str, Any] | None = None) -> None:
        self.shown.append((title, metadata))

    def context(self, session: SessionID = ID, message: MessageID = CALLING) -> ToolContext:
        return ToolContext(
            session_id=session, message_id=message, call_id="call_1", agent="build", directory=self.directory,
            worktree=self.directory, model=None, history=[], ask=self._report, report=self._report,
        )  # fmt: skip

    async def child(self) -> Session:
        """The only child of the session."""
        [child] = await self.sessions.children(ID)
        return child


def work(agent: Agent = HELPER, prompt: str = "Look around.", resumed: SessionID | None = None) -> Delegation:
    return Delegation(agent, "Looks", prompt, resumed)


async def test_work_is_done_in_a_child_session_and_told_while_it_runs(place: LoopWorld) -> None:
    at_work = AtWork(place)
    done = await at_work.subagents.run(work(), at_work.context())
    child = await at_work.child()
    assert (child.parent_id, child.title, child.agent) == (ID, "Looks (@helper subagent)", "helper")
    assert child.permission == child_rules([], HELPER, ["lsp"])
    model = {"modelID": "big", "providerID": "p"}
    metadata = {"parentSessionId": ID, "sessionId": child.id, "model": model}
    assert at_work.shown == [("Looks", metadata)]
    parts = [TextPartInput(text="Look around.")]
    assert at_work.prompts == [(child.id, PromptInput(agent="helper", model=BIG, variant=UNSET, parts=list(parts)))]
    assert done == Delegated(child.id, "Done.", metadata)


async def test_an_agent_without_a_model_has_that_of_the_calling_message_with_its_variant(place: LoopWorld) -> None:
    at_work = AtWork(place)
    await place.store.commit(PutMessage(replace(place.answer, variant="high")))
    plain = replace(HELPER, model=UNSET)
    await at_work.subagents.run(work(plain), at_work.context())
    [(_, prompt)] = at_work.prompts
    assert (prompt.model, prompt.variant) == (ModelRef(provider_id=ProviderID("p"), model_id=ModelID("m")), "high")
    for message in ("msg_1", "msg_gone"):
        with pytest.raises(ToolError, match="belongs to no message"):
            await at_work.subagents.run(work(plain), at_work.context(message=MessageID(message)))


async def test_a_prompt_that_is_refused_fails_the_work_with_the_name_of_the_task(place: LoopWorld) -> None:
    at_work = AtWork(place)

    async def refuses(session: SessionID, prompt: PromptInput) -> MessageWithParts:
        raise SessionBusy(session)

    at_work.answer = refuses
    with pytest.raises(ToolError) as error:
        await at_work.subagents.run(work(), at_work.context())
    child = (await at_work.child()).id
    go_on = f'To go on with it, call the tool with task_id "{child}".'
    assert str(error.value) == f"Task {child} did not finish: {SessionBusy(child).message}\n{go_on}"
    assert at_work.stopped == []


async def test_who_stops_the_caller_stops_the_child(place: LoopWorld) -> None:
    at_work, began = AtWork(place), anyio.Event()

    async def never(session: SessionID, prompt: PromptInput) -> MessageWithParts:
        began.set()
        await anyio.sleep_forever()
        raise AssertionError

    at_work.answer = never
    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(at_work.subagents.run, work(), at_work.context())
            await began.wait()
            tasks.cancel_scope.cancel()
    assert at_work.stopped == [(await at_work.child()).id]


async def test_a_task_is_gone_on_with_in_its_session_and_an_unknown_one_starts_anew(place: LoopWorld) -> None:
    at_work = AtWork(place)
    first = await at_work.subagents.run(work(), at_work.context())
    again = await at_work.subagents.run(work(resumed=first.session_id), at_work.context())
    assert again.session_id == first.session_id == (await at_work.child()).id
    anew = await at_work.subagents.run(work(resumed=SessionID("ses_unknown")), at_work.context())
    assert {child.id for child in await at_work.sessions.children(ID)} == {first.session_id, anew.session_id}


async def test_no_task_is_gone_on_with_by_what_it_waits_for_however_indirectly(place: LoopWorld) -> None:
    at_work, refusals = AtWork(place, depth=3), list[str]()

    async def delegates(session: SessionID, prompt: PromptInput) -> MessageWithParts:
        upper = (await at_work.child()).id
        resumed = None if session == upper else upper
        try:
            await at_work.subagents.run(work(resumed=resumed), at_work.context(session))
        except ToolError as error:
            refusals.append(str(error))
        return answer(text("Done."))

    at_work.answer = delegates
    with anyio.fail_after(10):
        await at_work.subagents.run(work(), at_work.context())
    upper = (await at_work.child()).id
    assert refusals == [f"Task {upper} waits for this very call: start a new one, without `task_id`"]
    # Nobody waits any more.
    at_work.answer = at_work._says_done
    assert (await at_work.subagents.run(work(resumed=upper), at_work.context())).session_id == upper


@pytest.mark.parametrize("depth", [0, 1, 2])
async def test_there_are_only_so_many_levels_of_subagents(place: LoopWorld, depth: int) -> None:
    at_work, refusals = AtWork(place, depth=depth), list[str]()

    async def delegates(session: SessionID, prompt: PromptInput) -> MessageWithParts:
        await one_more(session)
        return answer(text("Done."))

    async def one_more(session: SessionID) -> None:
        try:
            await at_work.subagents.run(work(), at_work.context(session))
        except ToolError as error:
            refusals.append(str(error))

    at_work.answer = delegates
    await one_more(ID)
    assert len(at_work.prompts) == depth
    assert refusals == [
        f"Subagents may be nested {depth} deep here, and this session is at that depth already: do the work yourself"
    ]


async def test_files_come_along_that_agent_and_session_may_read_inside_the_directory(place: LoopWorld) -> None:
    at_work = AtWork(place)
    for name in ("open.txt", "agents.txt", "sessions.txt", "../outside.txt"):
        (at_work.directory / name).write_text(name)
    forbids = ChangeSession(ID, lambda now: replace(now, permission=[rule("read", "deny", "sessions.txt")]))
    await place.store.commit(forbids)
    careful = replace(HELPER, permission=[rule("*", "allow"), rule("read", "deny", "agents.txt")])
    prompt = "See @open.txt, @agents.txt, @sessions.txt and @../outside.txt"
    await at_work.subagents.run(work(careful, prompt), at_work.context())
    [(_, sent)] = at_work.prompts
    assert sent.parts[0] == TextPartInput(text=prompt)
    assert [part.url for part in sent.parts[1:] if isinstance(part, FilePartInput)] == [
        (at_work.directory / "open.txt").as_uri()
    ]
    assert len(sent.parts) == 2


async def test_what_the_subagent_called_is_summed_up(place: LoopWorld) -> None:
    at_work = AtWork(place)

    async def calls(session: SessionID, prompt: PromptInput) -> MessageWithParts:
        message = assistant_message(session, "msg_5", "msg_4")
        parts = [
            replace(part, id=PartID(f"prt_{n}"), session_id=session, message_id=message.id)
            for n, part in enumerate([replace(DONE, state=replace(DONE.state, title="ls")), FAILED])
        ]
        await place.store.commit(PutMessage(message), *(PutPart(part) for part in parts))
        return answer(text("Done."))

    at_work.answer = calls
    done = await at_work.subagents.run(work(), at_work.context())
    assert done.metadata["summary"] == [
        {"id": "prt_0", "tool": "bash", "state": {"status": "completed", "title": "ls"}},
        {"id": "prt_1", "tool": "bash", "state": {"status": "error"}},
    ]
