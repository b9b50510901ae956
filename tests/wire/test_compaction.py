"""Compaction: a history that no longer fits is condensed, and the work goes on from the summary."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import httpx2 as httpx
import pytest

from opencode.instance.shared import Shared
from opencode.session.schema import SessionCompacted, SessionErrored
from tests.support.scripted_model.script import Call, Fail, Tokens, Wait, turn
from tests.support.scripted_model.server import RecordedRequest
from tests.wire.delegating import PATIENCE_SECONDS, Json, Script, scripted

FULL = Tokens(input=95_000)
SUMMARY = "## Goal\nTo say hello."
TOO_LONG = Fail(400, "This model's maximum context length is 100000 tokens", code="context_length_exceeded")


@pytest.fixture
async def script(client: httpx.AsyncClient, shared: Shared, project: Path) -> AsyncIterator[Script]:
    async with scripted(client, shared, project) as script:
        yield script


def is_summary(request: RecordedRequest) -> bool:
    return not request.is_title and "## Discoveries" in request.raw.decode()


def sent_by_user(request: RecordedRequest) -> list[str]:
    return [str(message["content"]) for message in request.body["messages"] if message["role"] == "user"]


def markers(messages: list[Json]) -> list[Json]:
    return [part for message in messages for part in message["parts"] if part["type"] == "compaction"]


async def test_a_step_that_fills_the_model_is_followed_by_a_summary_and_the_work_goes_on(script: Script) -> None:
    script.model.push("Before.")
    script.model.push(turn(Call("read", {"filePath": "hello.txt"}), tokens=FULL))
    script.model.push_for(is_summary, SUMMARY)
    script.model.push("I went on.")
    session = await script.session()
    await script.prompt(session, "Earlier words")
    answer = await script.prompt(session, "Long words")

    assert answer["parts"][1]["text"] == "I went on."
    messages = await script.messages(session)
    [marker] = markers(messages)
    assert marker["auto"] is True
    [summary] = [message for message in messages if message["info"].get("summary") is True]
    assert (summary["info"]["agent"], summary["info"]["mode"]) == ("compaction", "compaction")
    assert [part["text"] for part in summary["parts"] if part["type"] == "text"] == [SUMMARY]
    assert [event.session_id for event in script.heard(SessionCompacted)] == [session]
    last = script.model.turns[-1]
    assert SUMMARY in last.raw.decode().encode().decode("unicode_escape")
    assert not any("Earlier words" in text for text in sent_by_user(last))


async def test_a_prompt_the_model_refuses_as_too_long_is_asked_again_after_the_summary(script: Script) -> None:
    script.model.push("Before.", turn(TOO_LONG))
    script.model.push_for(is_summary, SUMMARY)
    script.model.push("It fits.")
    session = await script.session()
    await script.prompt(session, "Earlier words")
    answer = await script.prompt(session, "Too many words")

    assert answer["parts"][1]["text"] == "It fits."
    [marker] = markers(await script.messages(session))
    assert (marker["auto"], marker["overflow"]) == (True, True)
    assert sent_by_user(script.model.turns[-1])[-1] == "Too many words"


async def test_a_user_condenses_a_session_with_a_model_of_their_choice(script: Script) -> None:
    script.model.push("Before.")
    script.model.push_for(is_summary, SUMMARY)
    session = await script.session()
    await script.prompt(session, "Earlier words")
    assert await script.post(session, "summarize", {"providerID": "scripted", "modelID": "m2"}) is True

    [request] = [request for request in script.model.turns if is_summary(request)]
    assert request.body["model"] == "m2"
    assert "Earlier words" in request.raw.decode()
    [marker] = markers(await script.messages(session))
    assert marker["auto"] is False


async def test_a_second_summary_is_given_the_first_one(script: Script) -> None:
    script.model.push_for(is_summary, SUMMARY, "The second.")
    session = await script.session()
    for text in ("One", "Two"):
        await script.prompt(session, text)
        await script.post(session, "summarize", {"providerID": "scripted", "modelID": "m1"})
    second = [request for request in script.model.turns if is_summary(request)][1]
    assert "To say hello." in second.raw.decode()


async def test_a_summary_that_fails_loses_nothing_and_is_tried_again_with_the_next_prompt(script: Script) -> None:
    script.model.push("Before.")
    script.model.push_for(is_summary, turn(Fail(401, "no")), SUMMARY)
    session = await script.session()
    await script.prompt(session, "Earlier words")
    before = await script.messages(session)
    await script.post(session, "summarize", {"providerID": "scripted", "modelID": "m1"})
    assert script.heard(SessionCompacted) == []
    assert script.heard(SessionErrored)[-1].session_id == session
    assert (await script.messages(session))[: len(before)] == before
    script.model.push("Still here.")
    answer = await script.prompt(session, "Go on")
    assert answer["parts"][1]["text"] == "Still here."
    assert len(script.heard(SessionCompacted)) == 1
    assert "To say hello." in script.model.turns[-1].raw.decode()


async def test_a_summary_that_its_user_stops_is_not_made_up_for_with_the_next_prompt(script: Script) -> None:
    reached = anyio.Event()
    script.model.push("Before.")
    script.model.push_for(is_summary, turn("So far", Wait(anyio.Event(), reached)))
    session = await script.session()
    await script.prompt(session, "Earlier words")
    with anyio.fail_after(PATIENCE_SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(script.post, session, "summarize", {"providerID": "scripted", "modelID": "m1"})
            await reached.wait()
            await script.post(session, "abort")
    script.model.push("Still here.")
    answer = await script.prompt(session, "Go on")
    assert answer["parts"][1]["text"] == "Still here."
    assert script.heard(SessionCompacted) == []
    assert sent_by_user(script.model.turns[-1]) == ["Earlier words", "Go on"]


@pytest.mark.parametrize(
    ("session", "model", "status"), [("ses_none", "m1", 404), ("mine", "none", 400), ("mine", "m1", 400)]
)
async def test_what_cannot_be_condensed_is_refused(script: Script, session: str, model: str, status: int) -> None:
    target = await script.session() if session == "mine" else session
    await script.post(target, "summarize", {"providerID": "scripted", "modelID": model}, status=status)
