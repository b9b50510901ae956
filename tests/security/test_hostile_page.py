"""A web page of another site in the user's browser."""

import pytest

from tests.security.conftest import World

PAGE = "https://evil.example"
EMBEDDED = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:4096", "localhost.evil.example", "127.0.0.1.evil.example"]
)
async def test_a_name_that_was_rebound_to_this_machine_is_refused(world: World, host: str) -> None:
    async with world.open() as server:
        answer = await server.client.get("/session", headers={"host": host})
    assert answer.status_code == 403


@pytest.mark.parametrize("origin", [PAGE, "null", "", "http://127.0.0.1.evil.example", "http://localhost", "file://"])
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_forms_of_a_page_change_nothing(world: World, origin: str, kind: str) -> None:
    """These content types need no preflight, and bodies are read whatever their type."""
    async with world.open() as server:
        headers = {"origin": origin, "content-type": kind}
        answer = await server.client.post("/session", content=b'{"title": "x"}', headers=headers)
        sessions = await server.get("/session")
    assert answer.status_code == 403
    assert sessions == []


async def test_a_page_cannot_make_the_server_open_a_directory(world: World) -> None:
    """``<img src=".../config?directory=...">`` has no ``Origin``; what it is for says the browser."""
    async with world.open() as server:
        image = await server.client.get("/config", headers=EMBEDDED)
        script = await server.client.get("/config", headers={**EMBEDDED, "origin": PAGE, "sec-fetch-mode": "cors"})
        frame = await server.client.get(
            "/doc", headers={**EMBEDDED, "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}
        )
    assert [answer.status_code for answer in (image, script, frame)] == [403, 403, 403]


@pytest.mark.parametrize("path", ["/v1/chat/stream?message=hi", "/config", "/event", "/session?x=/doc"])
async def test_a_page_cannot_send_its_reader_where_something_is_done(world: World, path: str) -> None:
    """``location = ...`` needs nobody's click, and looks to the server as a link that was followed."""
    sent = {**EMBEDDED, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    async with world.open() as server:
        answer = await server.client.get(path, headers=sent)
        sessions = await server.get("/session")
    assert answer.status_code == 403
    assert sessions == []


async def test_people_and_the_official_web_app_are_let_in(world: World) -> None:
    async with world.open() as server:
        get = server.client.get
        link = await get("/doc", headers={**EMBEDDED, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"})
        web = await get("/config", headers={**EMBEDDED, "origin": "https://app.opencode.ai", "sec-fetch-mode": "cors"})
        typed = await get("/doc", headers={"sec-fetch-site": "none", "sec-fetch-mode": "navigate"})
        tool = await get("/config")
    assert [answer.status_code for answer in (link, web, typed, tool)] == [200, 200, 200, 200]


async def test_a_page_may_read_no_answer(world: World) -> None:
    async with world.open() as server:
        preflight = await server.client.options("/session", headers={"origin": PAGE})
        answer = await server.client.get("/session", headers={"origin": PAGE})
    assert "access-control-allow-origin" not in preflight.headers
    assert "access-control-allow-origin" not in answer.headers
