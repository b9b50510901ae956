"""Answers that end with the client's patience."""

from functools import partial
from typing import Any

import anyio
import httpx2 as httpx

from opencode.core.errors import NotFound
from opencode.core.wire import Wire
from opencode.http.answer import Message
from opencode.http.app import Application
from opencode.http.departure import AnswerWhileWanted
from opencode.http.operation import operation
from opencode.http.server import serving
from opencode.http.table import OperationTable


async def stays() -> Message:
    await anyio.sleep_forever()
    raise AssertionError


async def leaves() -> Message:
    return {"type": "http.disconnect"}


async def sent_by(answer: AnswerWhileWanted, receive: object = stays) -> list[Message]:
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    with anyio.fail_after(10):
        await answer({"method": "POST", "path": "/x"}, receive, send)  # type: ignore[arg-type]
    return messages


async def value() -> str:
    return "done"


async def missing() -> str:
    raise NotFound("Not here")


async def never(started: anyio.Event, stopped: anyio.Event) -> str:
    started.set()
    try:
        await anyio.sleep_forever()
    finally:
        stopped.set()
    raise AssertionError


async def test_a_result_is_answered_like_any_other() -> None:
    start, body = await sent_by(AnswerWhileWanted(value(), 200))
    assert (start["status"], body["body"]) == (200, b'"done"')


async def test_an_error_has_its_status() -> None:
    start, body = await sent_by(AnswerWhileWanted(missing(), 200))
    assert (start["status"], b"NotFoundError" in body["body"]) == (404, True)


async def test_nobody_is_answered_who_has_left() -> None:
    stopped = anyio.Event()
    assert await sent_by(AnswerWhileWanted(never(anyio.Event(), stopped), 200), leaves) == []
    assert stopped.is_set()


@operation("wait.read", "GET", "/read", ends_with_client=True)
async def read() -> str:
    """Soon done."""
    return await value()


async def test_its_head_is_that_of_the_answer() -> None:
    application = Application(OperationTable([read]), None, working_directory="/")  # type: ignore[arg-type]
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        head, answer = await client.head("/read"), await client.get("/read")
    assert head.headers == answer.headers
    assert (head.content, answer.content) == (b"", b'"done"')


class Waiting(Wire):
    """A body."""

    text: str


class Events:
    """What the operation tells."""

    def __init__(self) -> None:
        self.started = anyio.Event()
        self.stopped = anyio.Event()


@operation("wait.forever", "POST", "/wait", ends_with_client=True)
async def wait(shared: Events, body: Waiting) -> str:
    """Never done."""
    return await never(shared.started, shared.stopped)


async def test_over_a_socket_the_work_stops_when_the_client_hangs_up(registry: Any) -> None:
    events = Events()
    application = Application(OperationTable([wait]), registry, working_directory="/", shared=events)
    with anyio.fail_after(20):
        async with serving(application) as server:
            async with httpx.AsyncClient() as client, anyio.create_task_group() as tasks:
                tasks.start_soon(partial(client.post, f"{server.url}/wait", json={"text": "x"}))
                await events.started.wait()
                tasks.cancel_scope.cancel()
            await events.stopped.wait()
