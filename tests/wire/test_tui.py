"""``/tui``: what other programs tell a terminal interface."""

from typing import Any

import anyio
import httpx2 as httpx
import pytest

from opencode.instance.shared import Shared

CASES = [
    ("append-prompt", {"text": "typed"}, "tui.prompt.append", {"text": "typed"}),
    ("open-help", None, "tui.command.execute", {"command": "help.show"}),
    ("open-sessions", None, "tui.command.execute", {"command": "session.list"}),
    ("open-themes", None, "tui.command.execute", {"command": "theme.switch"}),
    ("open-models", None, "tui.command.execute", {"command": "model.list"}),
    ("submit-prompt", None, "tui.command.execute", {"command": "prompt.submit"}),
    ("clear-prompt", None, "tui.command.execute", {"command": "prompt.clear"}),
    ("execute-command", {"command": "session_new"}, "tui.command.execute", {"command": "session.new"}),
    (
        "execute-command",
        {"command": "messages_half_page_up"},
        "tui.command.execute",
        {"command": "session.half.page.up"},
    ),
    ("execute-command", {"command": "mine.own"}, "tui.command.execute", {"command": "mine.own"}),
    (
        "show-toast",
        {"message": "Hello", "variant": "success"},
        "tui.toast.show",
        {"message": "Hello", "variant": "success", "duration": 5000},
    ),
    (
        "publish",
        {"type": "tui.toast.show", "properties": {"message": "x", "variant": "error", "duration": 1}},
        "tui.toast.show",
        {"message": "x", "variant": "error", "duration": 1},
    ),
]


async def told(shared: Shared, client: httpx.AsyncClient, path: str, body: Any) -> bytes:
    """What the streams of the directory got of one request."""
    directory = (await client.get("/path")).json()["directory"]
    async with shared.bus.subscribe(directory) as stream:
        answer = await client.post(f"/tui/{path}", json=body)
        assert (answer.status_code, answer.json()) == (200, True), answer.text
        batches = stream.batches()
        await anext(batches)
        with anyio.fail_after(10):
            sent = await anext(batches)
        await batches.aclose()
    return sent


@pytest.mark.parametrize(("path", "body", "kind", "properties"), CASES)
async def test_each_request_is_an_event(
    shared: Shared, client: httpx.AsyncClient, path: str, body: Any, kind: str, properties: dict[str, Any]
) -> None:
    """Source: golden trace ``tui``."""
    message = (await told(shared, client, path, body)).partition(b"data: ")[2]
    event = httpx.Response(200, content=message).json()
    assert (event["type"], event["properties"]) == (kind, properties)


async def test_a_session_is_selected_if_there_is_one(shared: Shared, client: httpx.AsyncClient) -> None:
    session = (await client.post("/session", json={})).json()["id"]
    assert session.encode() in await told(shared, client, "select-session", {"sessionID": session})
    assert (await client.post("/tui/select-session", json={"sessionID": "ses_missing"})).status_code == 404
    assert (await client.post("/tui/select-session", json={"sessionID": "wrong"})).status_code == 400


async def test_what_is_no_event_of_an_interface_is_refused(client: httpx.AsyncClient) -> None:
    for path, body in (
        ("publish", {"type": "session.deleted", "properties": {}}),
        ("publish", {"type": "tui.prompt.append", "properties": {}}),
        ("show-toast", {"message": "x", "variant": "odd"}),
        ("append-prompt", {}),
    ):
        refused = await client.post(f"/tui/{path}", json=body)
        assert (refused.status_code, refused.json()["name"]) == (400, "BadRequest"), path


async def test_a_request_goes_to_one_interface_and_its_answer_comes_back(
    shared: Shared, client: httpx.AsyncClient
) -> None:
    answers: list[Any] = []

    async def ask(path: str) -> None:
        answers.append(await shared.tui.call(path, {"n": 1}))

    await client.post("/tui/control/response", json="nobody asked")
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, "/question")
            taken = await client.get("/tui/control/next")
            assert taken.json() == {"path": "/question", "body": {"n": 1}}
            assert (await client.post("/tui/control/response", json={"body": "yes"})).json() is True
    assert answers == [{"body": "yes"}]


async def test_a_request_is_not_lost_with_an_interface_that_leaves_nor_kept_for_one_that_asks_no_more(
    shared: Shared, client: httpx.AsyncClient
) -> None:
    with anyio.move_on_after(0.05):
        await shared.tui.next()  # leaves before there is anything
    with anyio.move_on_after(0.05):
        await shared.tui.call("/forgotten", None)
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(shared.tui.call, "/wanted", None)
            assert (await client.get("/tui/control/next")).json()["path"] == "/wanted"
            await client.post("/tui/control/response", json=None)
