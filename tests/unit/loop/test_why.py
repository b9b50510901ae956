"""What a session waits for, word for word: every field, and every request that would release it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypeVar

import anyio
import anyio.lowlevel
import pytest

from opencode.core.ids import MessageID, SessionID
from opencode.loop.budgets import BudgetState
from opencode.loop.waits import (
    Release,
    SessionWait,
    WaitModel,
    WaitPermission,
    WaitQuestion,
    WaitQueue,
    WaitTool,
)
from opencode.session.schema import AssistantMessage, StatusBusy, ToolPart
from tests.support.opened_instance import Opened, open_instance_in, said
from tests.support.scripted_model.script import Call, Wait, turn

W = TypeVar("W", bound=SessionWait)
LOOP = {"command": "until [ -e go ]; do sleep 0.02; done", "description": "Waits", "timeout": 60_000}
QUESTION = {"question": "Which?", "header": "Which", "options": [{"label": "This", "description": "This"}]}
CONFIG: dict[str, Any] = {
    "permission": {"edit": "ask"},
    "server": {"unattended": {"policy": "deny", "afterSeconds": 3600}},
    "budget": {"session_usd": 5},
}


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opened]:
    with anyio.fail_after(30):
        async with open_instance_in(tmp_path, **CONFIG) as opened:
            yield opened


async def waits(opened: Opened, session: SessionID, kind: type[W], count: int = 1) -> list[W]:
    """What the session waits for of that kind, as soon as it is so much."""
    while True:
        found = [wait for wait in opened.prompts.why(session).waits if isinstance(wait, kind)]
        if len(found) >= count:
            return found
        await anyio.lowlevel.checkpoint()


async def begun(opened: Opened, *turns: Any) -> SessionID:
    opened.model.push(*turns)
    session = await opened.session()
    await opened.prompts.prompt_async(session, said("Go"))
    return session


def abort(session: SessionID) -> list[Release]:
    return [Release(method="POST", path=f"/session/{session}/abort", does="stop the turn")]


async def called(opened: Opened, session: SessionID) -> ToolPart:
    [part] = [p for m in await opened.messages(session) for p in m.parts if isinstance(p, ToolPart)]
    return part


async def test_a_session_at_rest_tells_what_it_may_spend(opened: Opened) -> None:
    why = opened.prompts.why(await opened.session())
    assert (why.waits, why.budgets) == ([], [BudgetState(limit="session_usd", allowed=5, spent=0)])


async def test_a_model_that_has_not_answered_yet(opened: Opened) -> None:
    gate, reached = anyio.Event(), anyio.Event()
    session = await begun(opened, turn(Wait(gate, reached), "Said."))
    await reached.wait()
    [wait] = await waits(opened, session, WaitModel)
    [answer] = [m.info for m in await opened.messages(session) if isinstance(m.info, AssistantMessage)]
    assert wait == WaitModel(
        provider_id=answer.provider_id, model_id=answer.model_id, message_id=answer.id, attempt=1,
        phase="first-byte", since=wait.since, until=wait.until, release=abort(session),
    )  # fmt: skip
    assert isinstance(wait.since, int) and isinstance(wait.until, int)
    assert wait.until > wait.since
    assert opened.prompts.why(session).status == StatusBusy()
    gate.set()


async def test_a_question_is_answered_or_dismissed(opened: Opened) -> None:
    session = await begun(opened, turn(Call("question", {"questions": [QUESTION]})))
    [wait] = await waits(opened, session, WaitQuestion)
    path = f"/question/{wait.request_id}"
    assert wait == WaitQuestion(
        request_id=wait.request_id, questions=["Which?"], policy="deny", since=wait.since, until=wait.until,
        release=[
            Release(method="POST", path=f"{path}/reply", does="answer"),
            Release(method="POST", path=f"{path}/reject", does="dismiss"),
        ],
    )  # fmt: skip
    assert isinstance(wait.since, int) and isinstance(wait.until, int)
    assert wait.until - wait.since >= 3_600_000
    assert [type(other) for other in opened.prompts.why(session).waits] == [WaitQuestion]
    await opened.prompts.abort(session)


async def test_a_permission_is_given_or_refused(opened: Opened) -> None:
    session = await begun(opened, turn(Call("write", {"filePath": "new.txt", "content": "x"})))
    [wait] = await waits(opened, session, WaitPermission)
    reply = Release(method="POST", path=f"/permission/{wait.request_id}/reply", does="allow once or always, or reject")
    assert wait == WaitPermission(
        request_id=wait.request_id, permission="edit", patterns=["new.txt"], policy="deny",
        since=wait.since, until=wait.until, release=[reply],
    )  # fmt: skip
    assert isinstance(wait.since, int) and isinstance(wait.until, int)
    assert wait.until - wait.since >= 3_600_000
    await opened.prompts.abort(session)


async def test_a_tool_is_waited_for_until_its_limit(opened: Opened) -> None:
    session = await begun(opened, turn(Call("bash", LOOP)), "Done.")
    [wait] = await waits(opened, session, WaitTool)
    part = await called(opened, session)
    assert wait == WaitTool(
        tool="bash", title=wait.title, call_id="call_1", message_id=part.message_id, part_id=part.id,
        since=wait.since, until=wait.until, release=abort(session),
    )  # fmt: skip
    assert isinstance(wait.since, int) and isinstance(wait.until, int)
    assert wait.until - wait.since >= 60_000
    await opened.prompts.abort(session)


async def test_queued_prompts_wait_and_one_that_joins_the_turn_does_not(opened: Opened) -> None:
    gate, reached = anyio.Event(), anyio.Event()
    session = await begun(opened, turn("One ", Wait(gate, reached)))
    await reached.wait()
    await opened.prompts.prompt_async(session, said("Joins"))
    ids = [MessageID(f"msg_00000000000{n}AAAAAAAAAAAAAA") for n in (1, 2)]
    for id in ids:
        await opened.prompts.prompt_async(session, said("Later", message_id=id, delivery="queue"))
    queue = f"/session/{session}/queue"
    cancels = [Release(method="DELETE", path=f"{queue}/{id}", does="take the prompt out of the queue") for id in ids]
    found = await waits(opened, session, WaitQueue, 2)
    created = [prompt.time.created for prompt in (await opened.prompts.queue(session))[1:]]
    assert found == [
        WaitQueue(message_id=id, held=False, since=round(since), release=[cancel])
        for id, since, cancel in zip(ids, created, cancels, strict=True)
    ]
    await opened.prompts.abort(session)
    resume = Release(method="POST", path=queue, does="go on with the queue")
    held = await waits(opened, session, WaitQueue, 2)
    assert [(wait.held, wait.release) for wait in held] == [(True, [resume, cancel]) for cancel in cancels]
    assert [type(wait) for wait in opened.prompts.why(session).waits] == [WaitQueue, WaitQueue]
    gate.set()
