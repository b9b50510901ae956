"""What callers can do with a session, and what they hear of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from opencode.core.ids import MessageID, SessionID
from opencode.core.wire import UNSET, decode
from opencode.session.errors import MessageNotFound, SessionBusy, SessionNotFound
from opencode.session.inputs import RevertInput, ShellInput
from opencode.session.schema import (
    AssistantMessage,
    MessageAbortedError,
    MessageWithParts,
    SessionIdle,
    SessionStatusChanged,
    StatusBusy,
    StatusIdle,
    TextPart,
)
from tests.support.opened_instance import Opened, open_instance_in, said
from tests.support.scripted_model.script import Fail, Wait, turn

NOBODY = SessionID("ses_nobody")
NOTHING = MessageID("msg_nothing")


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opened]:
    with anyio.fail_after(30):
        async with open_instance_in(tmp_path) as opened:
            yield opened


class Answering:
    """An answer that waits in its middle until it may end."""

    def __init__(self, opened: Opened) -> None:
        self.gate = anyio.Event()
        self.reached = anyio.Event()
        opened.model.push(turn("So far, ", Wait(self.gate, self.reached), "and no further."))


async def test_a_prompt_gives_the_whole_answer(opened: Opened) -> None:
    opened.model.push("Hello.")
    session = await opened.session()
    answer = decode(await opened.prompts.prompt(session, said("Hi")), MessageWithParts)
    prompt, stored = await opened.messages(session)
    assert answer == stored
    assert isinstance(answer.info, AssistantMessage)
    assert (answer.info.parent_id, answer.info.finish) == (prompt.info.id, "stop")
    assert [part.text for part in answer.parts if isinstance(part, TextPart)] == ["Hello."]
    statuses = [event.status for event in opened.heard(SessionStatusChanged)]
    assert (statuses[0], statuses[-1], len(opened.heard(SessionIdle))) == (StatusBusy(), StatusIdle(), 1)
    assert opened.prompts.statuses() == {}


async def test_an_asynchronous_prompt_is_stored_when_it_is_accepted_and_answered_after_that(opened: Opened) -> None:
    answering = Answering(opened)
    session = await opened.session()
    await opened.prompts.prompt_async(session, said("Hi"))
    assert (await opened.texts(session))[0] == ["Hi"]
    await answering.reached.wait()
    assert opened.prompts.statuses() == {session: StatusBusy()}
    answering.gate.set()
    await opened.rests()
    assert await opened.texts(session) == [["Hi"], ["So far, and no further."]]


async def test_notes_are_not_answered(opened: Opened) -> None:
    session = await opened.session()
    await opened.prompts.prompt_async(session, said("Just so you know", no_reply=True))
    assert opened.prompts.statuses() == {}
    assert (await opened.texts(session), opened.model.requests) == ([["Just so you know"]], [])


async def test_who_reads_a_growing_answer_gets_all_of_it_so_far(opened: Opened) -> None:
    answering = Answering(opened)
    session = await opened.session()
    await opened.prompts.prompt_async(session, said("Hi"))
    await answering.reached.wait()
    while (await opened.texts(session))[1:] != [["So far, "]]:
        await anyio.lowlevel.checkpoint()
    growing = (await opened.messages(session))[1]
    one = await opened.prompts.message(session, growing.info.id)
    assert decode(one, MessageWithParts) == growing
    await opened.prompts.abort(session)


async def test_abort_returns_when_the_answer_has_been_stopped(opened: Opened) -> None:
    answering = Answering(opened)
    session = await opened.session()
    await opened.prompts.prompt_async(session, said("Hi"))
    await answering.reached.wait()
    await opened.prompts.abort(session)
    info = (await opened.messages(session))[1].info
    assert isinstance(info, AssistantMessage)
    assert isinstance(info.error, MessageAbortedError)
    assert info.time.completed is not UNSET
    assert (opened.prompts.statuses(), len(opened.heard(SessionIdle))) == ({}, 1)


async def test_abort_of_a_session_at_rest_tells_that_it_rests(opened: Opened) -> None:
    session = await opened.session()
    await opened.prompts.abort(session)
    assert opened.told == [
        SessionStatusChanged(session_id=session, status=StatusIdle()),
        SessionIdle(session_id=session),
    ]


async def test_a_session_that_was_interrupted_goes_on_when_it_is_resumed(opened: Opened) -> None:
    session = await opened.session()
    await opened.prompts.prompt(session, said("Hi", no_reply=True))
    opened.model.push("Hello.")
    await opened.prompts.resume(session)
    await opened.rests()
    assert await opened.texts(session) == [["Hi"], ["Hello."]]


async def test_a_session_at_work_refuses_what_needs_rest(opened: Opened) -> None:
    answering = Answering(opened)
    session = await opened.session()
    await opened.prompts.prompt_async(session, said("Hi"))
    await answering.reached.wait()
    prompt = (await opened.messages(session))[0].info.id
    for refused in (
        opened.prompts.shell(session, ShellInput(command="true")),
        opened.prompts.revert(session, RevertInput(message_id=prompt)),
        opened.prompts.unrevert(session),
        opened.prompts.delete_message(session, prompt),
    ):
        with pytest.raises(SessionBusy):
            await refused
    await opened.prompts.abort(session)
    await opened.prompts.delete_message(session, prompt)
    assert len(await opened.messages(session)) == 1


async def test_deleting_a_session_stops_it_first(opened: Opened) -> None:
    answering = Answering(opened)
    session = await opened.session()
    await opened.prompts.prompt_async(session, said("Hi"))
    await answering.reached.wait()
    await opened.prompts.delete_session(session)
    assert opened.prompts.statuses() == {}
    with pytest.raises(SessionNotFound):
        await opened.messages(session)
    await opened.model.requests[0].ended.wait()


async def test_children_go_with_their_session(opened: Opened) -> None:
    parent = await opened.session()
    child = await opened.session(parent_id=parent)
    answering = Answering(opened)
    await opened.prompts.prompt_async(child, said("Hi"))
    await answering.reached.wait()
    await opened.prompts.delete_session(parent)
    with pytest.raises(SessionNotFound):
        await opened.sessions.get(child)
    assert opened.prompts.statuses() == {}


async def test_what_is_not_there_is_said_to_be_missing(opened: Opened) -> None:
    prompts = opened.prompts
    for attempt in (
        prompts.prompt(NOBODY, said("x")),
        prompts.prompt_async(NOBODY, said("x")),
        prompts.shell(NOBODY, ShellInput(command="true")),
        prompts.abort(NOBODY),
        prompts.revert(NOBODY, RevertInput(message_id=NOTHING)),
        prompts.unrevert(NOBODY),
        prompts.diff(NOBODY, None),
        prompts.delete_session(NOBODY),
        prompts.delete_message(NOBODY, NOTHING),
        prompts.messages(NOBODY, None, None),
    ):
        with pytest.raises(SessionNotFound):
            await attempt
    session = await opened.session()
    with pytest.raises(MessageNotFound):
        await prompts.message(session, NOTHING)
    with pytest.raises(MessageNotFound):
        await prompts.delete_message(session, NOTHING)


async def test_a_message_without_changes_of_files_has_no_diff(opened: Opened) -> None:
    opened.model.push("Hello.")
    session = await opened.session()
    await opened.prompts.prompt(session, said("Hi"))
    prompt, answer = await opened.messages(session)
    for message_id in (None, prompt.info.id, answer.info.id, NOTHING):
        assert await opened.prompts.diff(session, message_id) == []


async def test_a_prompt_makes_a_pending_revert_final(opened: Opened) -> None:
    opened.model.push("One.", "Two.")
    session = await opened.session()
    await opened.prompts.prompt(session, said("First"))
    prompt = (await opened.messages(session))[0].info.id
    reverted = await opened.prompts.revert(session, RevertInput(message_id=prompt))
    assert reverted.revert is not UNSET
    assert len(await opened.messages(session)) == 2
    await opened.prompts.prompt(session, said("Second"))
    assert await opened.texts(session) == [["Second"], ["Two."]]
    assert (await opened.sessions.get(session)).revert is UNSET


async def test_a_revert_that_is_taken_back_leaves_everything_as_it_was(opened: Opened) -> None:
    opened.model.push("One.")
    session = await opened.session()
    await opened.prompts.prompt(session, said("First"))
    messages = await opened.messages(session)
    await opened.prompts.revert(session, RevertInput(message_id=messages[0].info.id))
    assert (await opened.prompts.unrevert(session)).revert is UNSET
    assert await opened.messages(session) == messages


async def test_older_messages_are_read_page_by_page(opened: Opened) -> None:
    session = await opened.session()
    for text in ("One", "Two"):
        await opened.prompts.prompt(session, said(text, no_reply=True))
    newest = await opened.prompts.messages(session, 1, None)
    assert newest.next_cursor is not None
    older = await opened.prompts.messages(session, 1, newest.next_cursor)
    texts = [
        part.text for m in decode(older.body, list[MessageWithParts]) for part in m.parts if isinstance(part, TextPart)
    ]
    assert (texts, older.next_cursor) == (["One"], None)


async def at_work(opened: Opened, session: SessionID) -> None:
    """Let the session work on a prompt that only an abort ends."""
    reached = anyio.Event()
    opened.model.push(turn("Begun", Wait(anyio.Event(), reached)))
    await opened.prompts.prompt_async(session, said("Go on"))
    await reached.wait()


async def test_a_queued_prompt_makes_a_revert_final_that_came_before_its_turn(opened: Opened) -> None:
    session = await opened.session()
    opened.model.push("First answer.")
    await opened.prompts.prompt(session, said("First"))
    first = (await opened.messages(session))[0]
    await at_work(opened, session)
    await opened.prompts.prompt_async(session, said("Later", delivery="queue"))
    await opened.prompts.abort(session)
    await opened.prompts.revert(session, RevertInput(message_id=first.info.id))
    opened.told.clear()
    opened.model.push("Later answer.")
    await opened.prompts.resume_queue(session)
    await opened.rests()
    assert await opened.texts(session) == [["Later"], ["Later answer."]]
    assert (await opened.sessions.get(session)).revert is UNSET


async def test_who_waits_for_a_queued_prompt_is_given_the_answer_that_failed(opened: Opened) -> None:
    session, answers = await opened.session(), list[MessageWithParts]()

    async def later() -> None:
        answers.append(decode(await opened.prompts.prompt(session, said("Later", delivery="queue")), MessageWithParts))

    async with anyio.create_task_group() as tasks:
        await at_work(opened, session)
        tasks.start_soon(later)
        while not await opened.prompts.queue(session):
            await anyio.lowlevel.checkpoint()
        opened.model.push(turn(Fail(401, "bad key")))
        await opened.prompts.abort(session)
        await opened.prompts.resume_queue(session)
    [answer] = answers
    prompt, stored = (await opened.messages(session))[-2:]
    assert isinstance(answer.info, AssistantMessage)
    assert (answer, answer.info.parent_id) == (stored, prompt.info.id)
    assert answer.info.error is not UNSET
