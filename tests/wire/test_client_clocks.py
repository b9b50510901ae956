"""Clients whose clocks are wrong and who make message ids of their own, which carry their time."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import httpx2 as httpx
import pytest

from opencode.core.clock import SystemClock
from opencode.core.ids import IdGenerator
from opencode.instance.shared import Shared
from tests.support.scripted_model.script import Wait, turn
from tests.wire.delegating import PATIENCE_SECONDS, Json, Script, scripted

TEN_MINUTES_MS = 600_000
OFFSETS = pytest.mark.parametrize("offset_ms", [-TEN_MINUTES_MS, TEN_MINUTES_MS], ids=["behind", "ahead"])


class SkewedClock(SystemClock):
    """A clock that is off."""

    def __init__(self, offset_ms: int) -> None:
        self._offset_ms = offset_ms

    def now_ms(self) -> int:
        return super().now_ms() + self._offset_ms


@pytest.fixture
async def script(client: httpx.AsyncClient, shared: Shared, project: Path) -> AsyncIterator[Script]:
    with anyio.fail_after(PATIENCE_SECONDS):
        async with scripted(client, shared, project) as script:
            yield script


def text_of(message: Json) -> str:
    return "".join(part["text"] for part in message["parts"] if part["type"] == "text")


async def exchanges(script: Script, session: str) -> list[tuple[str, list[str]]]:
    """Each prompt in order, with the answers that name it as their parent."""
    messages = await script.messages(session)
    return [
        (text_of(prompt), [text_of(m) for m in messages if m["info"].get("parentID") == prompt["info"]["id"]])
        for prompt in messages
        if prompt["info"]["role"] == "user"
    ]


@OFFSETS
async def test_each_prompt_is_answered_once_in_order(script: Script, offset_ms: int) -> None:
    """By turns from the client with the wrong clock and from one that leaves the ids to the server."""
    session, ids = await script.session(), IdGenerator(SkewedClock(offset_ms))
    for number in range(6):
        script.model.push(f"Answer {number}")
        own = {"messageID": ids.message()} if number % 2 else {}
        answer = await script.prompt(session, f"Prompt {number}", **own)
        assert text_of(answer) == f"Answer {number}"
    expected = [(f"Prompt {number}", [f"Answer {number}"]) for number in range(6)]
    assert await exchanges(script, session) == expected
    roles = [message["info"]["role"] for message in await script.messages(session)]
    assert roles == ["user", "assistant"] * 6
    assert len(script.model.turns) == 6


@OFFSETS
async def test_a_prompt_sent_again_is_not_answered_again(script: Script, offset_ms: int) -> None:
    session, message_id = await script.session(), IdGenerator(SkewedClock(offset_ms)).message()
    script.model.push("Once.")
    for _ in range(2):
        assert text_of(await script.prompt(session, "Say it", messageID=message_id)) == "Once."
    assert await exchanges(script, session) == [("Say it", ["Once."])]


@OFFSETS
@pytest.mark.parametrize("delivery", ["steer", "queue"])
async def test_prompts_for_a_busy_session_too(script: Script, offset_ms: int, delivery: str) -> None:
    """Those that join the turn are answered together, by the newest; queued ones one by one."""
    session, ids = await script.session(), IdGenerator(SkewedClock(offset_ms))
    gate, reached = anyio.Event(), anyio.Event()
    script.model.push(turn("First ", Wait(gate, reached), "answer"), "Answer 1", "Answer 2", "Answer 3")
    answers: dict[int, str] = {}

    async def send(number: int) -> None:
        own = {"messageID": ids.message(), "delivery": delivery} if number else {}
        answers[number] = text_of(await script.prompt(session, f"Prompt {number}", **own))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(send, 0)
        await reached.wait()
        for number in (1, 2, 3):
            tasks.start_soon(send, number)
            while len(await script.get(f"/session/{session}/queue")) < number:
                await anyio.lowlevel.checkpoint()
        gate.set()
    said = await exchanges(script, session)
    assert [prompt for prompt, _ in said] == [f"Prompt {number}" for number in range(4)]
    if delivery == "queue":
        assert [texts for _, texts in said] == [["First answer"], ["Answer 1"], ["Answer 2"], ["Answer 3"]]
        assert answers == {0: "First answer", 1: "Answer 1", 2: "Answer 2", 3: "Answer 3"}
    else:
        assert [texts for _, texts in said] == [["First answer"], [], [], ["Answer 1"]]
        assert answers == dict.fromkeys(range(4), "Answer 1")
    assert len(script.model.turns) == (4 if delivery == "queue" else 2)


@OFFSETS
async def test_what_the_model_reads_is_in_the_order_in_which_it_was_said(script: Script, offset_ms: int) -> None:
    session, ids = await script.session(), IdGenerator(SkewedClock(offset_ms))
    script.model.push("One", "Two", "Three")
    for text, own in (("a", {}), ("b", {"messageID": ids.message()}), ("c", {})):
        await script.prompt(session, text, **own)
    contents = [
        message["content"] for message in script.model.turns[-1].body["messages"] if message["role"] != "system"
    ]
    assert contents == ["a", "One", "b", "Two", "c"]
