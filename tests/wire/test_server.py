"""What concerns the whole server: health, log, credentials, the document, the streams."""

import json
from pathlib import Path

import anyio
import httpx2 as httpx
import pytest

from opencode.http.app import Application
from opencode.http.server import serving


async def test_health_tells_the_version_of_the_api(client: httpx.AsyncClient) -> None:
    answer = await client.get("/global/health")
    assert (answer.json()["healthy"], answer.json()["version"]) == (True, "1.18.33")


async def test_clients_write_into_the_log(client: httpx.AsyncClient) -> None:
    """Source: golden trace ``log``."""
    entry = {"service": "client", "level": "warn", "message": "note", "extra": {"a": 1}}
    assert (await client.post("/log", json=entry)).json() is True
    wrong = await client.post("/log", json={**entry, "level": "loud"})
    assert (wrong.status_code, wrong.json()["data"]["kind"]) == (400, "Payload")


async def test_credentials_are_stored_and_forgotten(client: httpx.AsyncClient, tmp_path: Path) -> None:
    """Source: golden trace ``auth_store``. Ids may be URLs."""
    stored = tmp_path / "home/.local/share/opencode/auth.json"
    put = await client.put("/auth/https%3A%2F%2Fexample.com", json={"type": "api", "key": "k"})
    assert put.json() is True
    assert json.loads(stored.read_text()) == {"https://example.com": {"type": "api", "key": "k"}}
    assert (await client.put("/auth/bad", json={"type": "magic"})).status_code == 400
    assert (await client.put("/auth/bad", json={"type": "api"})).status_code == 400
    assert (await client.delete("/auth/https%3A%2F%2Fexample.com")).json() is True
    assert (await client.delete("/auth/never")).json() is True
    assert json.loads(stored.read_text()) == {}


@pytest.mark.parametrize("path", ["/doc", "/doc.json", "/openapi.json"])
async def test_the_document_is_json_for_programs(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["info"]["title"] == "opencode"
    assert answer.json()["paths"]["/session"]["get"]["operationId"] == "session.list"


async def test_the_document_is_a_page_for_browsers(client: httpx.AsyncClient) -> None:
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    answer = await client.get("/doc", headers={"accept": browser})
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    start = answer.text.index('type="application/json">') + len('type="application/json">')
    inside = answer.text[start : answer.text.index("</script>", start)]
    assert json.loads(inside) == (await client.get("/openapi.json")).json()


async def test_replies_to_unknown_asks_answer_404(client: httpx.AsyncClient) -> None:
    cases = [
        ("/permission/per_x/reply", {"reply": "once"}, "PermissionNotFoundError", 404),
        ("/session/ses_x/permissions/per_x", {"response": "once"}, "PermissionNotFoundError", 404),
        ("/question/que_x/reply", {"answers": [["a"]]}, "QuestionNotFoundError", 404),
        ("/question/que_x/reject", None, "QuestionNotFoundError", 404),
        ("/permission/wrong/reply", {"reply": "once"}, "BadRequest", 400),
        ("/question/wrong/reply", {"answers": []}, "BadRequest", 400),
        ("/permission/per_x/reply", {"reply": "perhaps"}, "BadRequest", 400),
    ]
    for path, body, tag, status in cases:
        answer = await client.post(path, json=body)
        assert (answer.status_code, answer.json()["_tag"]) == (status, tag), path


async def test_events_of_a_change_reach_both_streams(application: Application, project: Path) -> None:
    async with serving(application) as server, httpx.AsyncClient(base_url=server.url) as client:
        with anyio.fail_after(20):
            async with client.stream("GET", "/event") as own, client.stream("GET", "/global/event") as all_:
                own_events, all_events = own.aiter_lines(), all_.aiter_lines()
                assert '"server.connected"' in await next_data(own_events)
                assert '"server.connected"' in await next_data(all_events)
                created = (await client.post("/session", json={"title": "Seen"})).json()
                event = json.loads(await next_data(own_events))
                assert (event["type"], event["properties"]["info"]) == ("session.created", created)
                while (wrapped := json.loads(await next_data(all_events)))["payload"]["type"] != "session.created":
                    pass
                assert (wrapped["directory"], wrapped["payload"]) == (str(project), event)


async def next_data(lines: object) -> str:
    async for line in lines:  # type: ignore[attr-defined]
        if line.startswith("data: "):
            return str(line[6:])
    raise AssertionError("the stream ended")
