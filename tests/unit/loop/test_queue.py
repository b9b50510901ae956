"""The rows of prompts that wait: what is told of them, what becomes of them, and what is refused."""

from typing import Any

import pytest

from opencode.core.ids import MessageID, ModelID, PartID, ProviderID, SessionID
from opencode.core.wire import replace
from opencode.loop.queue import (
    LIMIT,
    PREVIEW_CHARACTERS,
    AdmittedPrompt,
    PromptCancelled,
    PromptQueue,
    PromptTakenUp,
    QueuedPrompt,
    QueuedPromptNotFound,
    QueueFull,
    SessionQueueChanged,
    steering,
)
from opencode.session.changes import PutMessage
from opencode.session.errors import MessageTaken, SessionNotFound
from opencode.session.schema import CreatedTime, PromptModel, TextPart
from tests.support.event_world import DIRECTORY, NOW
from tests.support.loop_world import ID, LoopWorld
from tests.support.records import assistant_message, text_part, user_message

MODEL = PromptModel(provider_id=ProviderID("p"), model_id=ModelID("m"))

NEWEST = "msg_f00000000001AAAAAAAAAAAAAA"


@pytest.fixture
def queue(place: LoopWorld) -> PromptQueue:
    return queue_of(place, DIRECTORY)


def queue_of(place: LoopWorld, directory: str) -> PromptQueue:
    world = place.world
    queue = PromptQueue(world.database, place.store, world.events, place.ids, world.clock, directory)
    world.events.subscribe_function(SessionQueueChanged, place.told.append)
    return queue


def prompt(id: str, *texts: str, session: str = ID, own: bool = True) -> AdmittedPrompt:
    parts = [text_part(session, id, f"prt_{id}_{number}", text) for number, text in enumerate(texts or ["Go"])]
    return AdmittedPrompt(message=user_message(session, id), parts=list(parts), has_own_id=own)


def shown(id: str, text: str = "Go", *, created: int = NOW, state: Any = "waiting") -> QueuedPrompt:
    return QueuedPrompt(
        id=MessageID(id), session_id=ID, delivery="queue", state=state, text=text, agent="build", model=MODEL,
        time=CreatedTime(created=created),
    )  # fmt: skip


def last_told(place: LoopWorld) -> list[str]:
    """The queue as clients have heard of it last."""
    event = place.heard(SessionQueueChanged)[-1]
    assert event.session_id == ID
    return [prompt.id for prompt in event.queue]


async def noted(queue: PromptQueue, *prompts: AdmittedPrompt) -> list[str]:
    """Add them; the ids, as ``on_stored`` has noted them."""
    stored: list[str] = []
    for one in prompts:
        await queue.add(one, lambda id=one.message.id: stored.append(id))  # type: ignore[misc]
    return stored


# --- what waits ------------------------------------------------------------------------------------------------------


async def test_prompts_wait_in_their_order_and_are_told_as_they_are_stored(
    place: LoopWorld, queue: PromptQueue
) -> None:
    assert await noted(queue, prompt("msg_9", "Nine"), prompt("msg_5", "Five")) == ["msg_9", "msg_5"]
    expected = [shown("msg_9", "Nine"), shown("msg_5", "Five")]
    assert queue.of(ID) == expected
    assert place.heard(SessionQueueChanged) == [
        SessionQueueChanged(session_id=ID, queue=expected[:1]),
        SessionQueueChanged(session_id=ID, queue=expected),
    ]
    assert queue.of(SessionID("ses_2")) == []


async def test_the_time_of_a_queued_prompt_is_when_it_was_sent(place: LoopWorld, queue: PromptQueue) -> None:
    place.clock.now += 7
    await noted(queue, prompt("msg_5"))
    assert queue.of(ID) == [shown("msg_5", created=NOW + 7)]


async def test_a_preview_is_what_a_person_said_and_not_too_long(place: LoopWorld, queue: PromptQueue) -> None:
    said = prompt("msg_5", "One", "Two")
    aside = text_part(ID, "msg_5", "prt_3", "aside", synthetic=True)
    await noted(queue, replace(said, parts=[*said.parts, aside]), prompt("msg_6", "x" * 300))
    assert [one.text for one in queue.of(ID)] == ["One\nTwo", "x" * PREVIEW_CHARACTERS]


def test_a_prompt_that_joins_the_running_turn_is_shown_likewise() -> None:
    message = user_message(ID, "msg_5", created=42)
    parts = [TextPart(id=PartID("prt_1"), session_id=ID, message_id=message.id, text="Also this")]
    assert steering(message, parts) == replace(shown("msg_5", "Also this", created=42), delivery="steer")


async def test_every_directory_knows_its_own_queues_in_order(place: LoopWorld, queue: PromptQueue) -> None:
    other = queue_of(place, "/home/u/other")
    await noted(queue, prompt("msg_9"), prompt("msg_5"))
    await noted(other, prompt("msg_7"))
    await queue.hold(ID, True)
    await noted(queue, prompt("msg_6"))
    assert queue.all() == [(ID, "msg_9", True), (ID, "msg_5", True), (ID, "msg_6", False)]
    assert other.all() == [(ID, "msg_7", True)]


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refused", "error"),
    [
        (prompt("msg_5", session="ses_none"), SessionNotFound(SessionID("ses_none"))),
        (prompt("msg_9"), MessageTaken(MessageID("msg_9"))),
    ],
)
async def test_what_cannot_wait_is_refused_and_nobody_hears_of_it(
    place: LoopWorld, queue: PromptQueue, refused: AdmittedPrompt, error: Exception
) -> None:
    await noted(queue, prompt("msg_9"))
    place.told.clear()
    stored: list[str] = []
    with pytest.raises(type(error)) as raised:
        await queue.add(refused, lambda: stored.append("stored"))
    assert str(raised.value) == str(error)
    assert (stored, place.told, queue.of(ID)) == ([], [], [shown("msg_9")])


async def test_a_session_has_only_so_many_prompts_waiting(place: LoopWorld, queue: PromptQueue) -> None:
    await noted(queue, *(prompt(f"msg_{number:03}") for number in range(LIMIT)))
    with pytest.raises(QueueFull) as error:
        await noted(queue, prompt("msg_more"))
    assert error.value.message == f"{LIMIT} prompts wait in session {ID} already"
    assert error.value.data["sessionID"] == ID
    assert len(queue.of(ID)) == LIMIT


def test_refusals_name_the_prompt() -> None:
    id = MessageID("msg_5")
    unknown = QueuedPromptNotFound(ID, id)
    assert (unknown.message, unknown.data["sessionID"], unknown.data["messageID"]) == (
        "Queued prompt not found: msg_5", ID, id,
    )  # fmt: skip
    taken = PromptTakenUp(id)
    assert taken.message == "The prompt msg_5 is being answered, or was. To stop the session, abort it."
    assert taken.data["messageID"] == id
    cancelled = PromptCancelled(id)
    assert (cancelled.message, cancelled.data["messageID"]) == ("The prompt msg_5 was cancelled before its turn", id)


# --- its turn --------------------------------------------------------------------------------------------------------


async def test_a_prompt_that_is_taken_up_becomes_the_newest_message_under_a_new_id(
    place: LoopWorld, queue: PromptQueue
) -> None:
    await noted(queue, prompt("msg_1a", "Go", "on", own=False), prompt("msg_6"))
    place.clock.now += 5
    await place.store.commit(PutMessage(assistant_message(ID, NEWEST, "msg_1")))
    id = await queue.take_up(ID, MessageID("msg_1a"), AdmittedPrompt.changes)
    message = place.store.message(ID, id)
    assert message is not None
    assert id > NEWEST
    assert message.info == user_message(ID, id, created=NOW + 5)
    assert [part.text for part in message.parts if isinstance(part, TextPart)] == ["Go", "on"]
    assert {part.message_id for part in message.parts} == {id}
    assert {part.id for part in message.parts}.isdisjoint({"prt_msg_1a_0", "prt_msg_1a_1"})
    assert (queue.of(ID), last_told(place)) == ([shown("msg_6")], ["msg_6"])


async def test_an_id_that_the_client_chose_stays(place: LoopWorld, queue: PromptQueue) -> None:
    await noted(queue, prompt("msg_1a"))
    place.clock.now += 5
    assert await queue.take_up(ID, MessageID("msg_1a"), AdmittedPrompt.changes) == "msg_1a"
    message = place.store.message(ID, MessageID("msg_1a"))
    assert message is not None
    assert (message.info.time.created, [part.id for part in message.parts]) == (NOW + 5, ["prt_msg_1a_0"])


async def test_what_does_not_wait_cannot_be_taken_up(place: LoopWorld, queue: PromptQueue) -> None:
    with pytest.raises(QueuedPromptNotFound, match="msg_5"):
        await queue.take_up(ID, MessageID("msg_5"), AdmittedPrompt.changes)
    assert place.heard(SessionQueueChanged) == []


# --- out, and back ---------------------------------------------------------------------------------------------------


async def test_a_prompt_that_is_taken_out_is_gone_and_that_is_told(place: LoopWorld, queue: PromptQueue) -> None:
    await noted(queue, prompt("msg_5"), prompt("msg_6"))
    removed: list[str] = []
    await queue.remove(ID, MessageID("msg_5"), lambda: removed.append("msg_5"))
    assert (removed, queue.of(ID), last_told(place)) == (["msg_5"], [shown("msg_6")], ["msg_6"])
    await queue.remove(ID, MessageID("msg_6"))
    assert last_told(place) == []


@pytest.mark.parametrize(("session", "id"), [(ID, "msg_6"), ("ses_2", "msg_5")])
async def test_only_what_waits_in_the_session_can_be_taken_out(
    place: LoopWorld, queue: PromptQueue, session: str, id: str
) -> None:
    await noted(queue, prompt("msg_5"))
    place.told.clear()
    removed: list[str] = []
    with pytest.raises(QueuedPromptNotFound) as error:
        await queue.remove(SessionID(session), MessageID(id), lambda: removed.append(id))
    assert error.value.message == f"Queued prompt not found: {id}"
    assert (removed, place.told, queue.of(ID)) == ([], [], [shown("msg_5")])


async def test_a_queue_is_held_and_released_and_each_is_told_once(place: LoopWorld, queue: PromptQueue) -> None:
    await noted(queue, prompt("msg_5"), prompt("msg_6"))
    place.told.clear()
    await queue.hold(ID, True)
    await queue.hold(ID, True)
    held = [shown("msg_5", state="held"), shown("msg_6", state="held")]
    assert queue.of(ID) == held
    assert place.heard(SessionQueueChanged) == [SessionQueueChanged(session_id=ID, queue=held)]
    await queue.hold(ID, False)
    assert queue.of(ID) == [shown("msg_5"), shown("msg_6")]
    await queue.hold(SessionID("ses_2"), True)
    assert len(place.heard(SessionQueueChanged)) == 2
