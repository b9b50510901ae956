"""Answers that are long in coming."""

from typing import Any

import anyio
import httpx2 as httpx
import pytest

from opencode.core.errors import NotFound
from opencode.core.wire import Wire
from opencode.http.answer import Message
from opencode.http.app import Application
from opencode.http.operation import operation
from opencode.http.patience import PatientAnswer
from opencode.http.server import serving
from opencode.http.table import OperationTable


async def sent_by(answer: PatientAnswer, release: anyio.Event | None = None) -> list[Message]:
    """What the answer sends; ``release`` is set once the third message is out."""
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)
        if release is not None and len(messages) == 3:
            release.set()

    async def receive() -> Message:
        raise AssertionError

    with anyio.fail_after(5):
        await answer({"method": "POST", "path": "/x"}, receive, send)
    return messages


async def value() -> str:
    return "done"


async def missing() -> str:
    raise NotFound("Not here")


async def after(event: anyio.Event, error: Exception | None = None) -> str:
    await event.wait()
    if error is not None:
        raise error
    return "done"


async def test_a_quick_result_is_answered_like_any_other() -> None:
    start, body = await sent_by(PatientAnswer(value(), 200))
    assert (start["status"], body["body"]) == (200, b'"done"')
    assert (b"content-length", b"6") in start["headers"]


async def test_a_quick_error_has_its_status() -> None:
    start, body = await sent_by(PatientAnswer(missing(), 200))
    assert (start["status"], b"NotFoundError" in body["body"]) == (404, True)


async def test_a_slow_result_is_preceded_by_spaces() -> None:
    event = anyio.Event()
    start, *spaces, body = await sent_by(PatientAnswer(after(event), 200, quiet_seconds=0.001), event)
    assert start["status"] == 200
    assert len(spaces) >= 2
    assert all((space["body"], space["more_body"]) == (b" ", True) for space in spaces)
    assert body == {"type": "http.response.body", "body": b'"done"'}


async def test_a_late_error_is_told_in_the_body() -> None:
    event = anyio.Event()
    work = after(event, NotFound("Not here"))
    *_, body = await sent_by(PatientAnswer(work, 200, quiet_seconds=0.001), event)
    assert b'"name":"NotFoundError"' in body["body"]


@operation("slow.get", "GET", "/slow", slow=True)
async def slow(shared: anyio.Event) -> str:
    """Never done."""
    shared.set()
    await anyio.sleep_forever()
    raise AssertionError


async def test_a_server_that_stops_says_so_to_who_waits(registry: Any) -> None:
    waits = anyio.Event()
    application = Application(OperationTable([slow]), registry, working_directory="/", shared=waits)
    answers: list[httpx.Response] = []

    async def ask(client: httpx.AsyncClient, url: str) -> None:
        answers.append(await client.get(f"{url}/slow"))

    with anyio.fail_after(10):
        async with (
            httpx.AsyncClient() as client,
            anyio.create_task_group() as tasks,
            serving(application) as server,
        ):
            tasks.start_soon(ask, client, server.url)
            await waits.wait()
    assert [(answer.status_code, answer.json()["name"]) for answer in answers] == [(503, "ServiceUnavailableError")]


class Wish(Wire):
    is_large: bool


@operation("wish", "POST", "/wish", slow=lambda wish: wish.is_large)
async def wish(body: Wish) -> str:
    """Whatever it is."""
    return "granted"


@pytest.mark.parametrize("is_large", [True, False])
async def test_only_a_body_that_takes_long_is_answered_with_patience(
    registry: Any, monkeypatch: pytest.MonkeyPatch, is_large: bool
) -> None:
    patient: list[object] = []

    class Noted(PatientAnswer):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            patient.append(self)

    monkeypatch.setattr("opencode.http.performer.PatientAnswer", Noted)
    application = Application(OperationTable([wish]), registry, working_directory="/")
    async with httpx.AsyncClient() as client, serving(application) as server:
        answer = await client.post(f"{server.url}/wish", json={"isLarge": is_large})
    assert answer.json() == "granted"
    assert len(patient) == is_large
