"""Sharing through the running application: links, who may read them, and what they show."""

import json
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from opencode.http.app import Application
from opencode.http.auth import Gate
from opencode.http.operations import OPERATIONS
from opencode.http.table import OperationTable
from opencode.instance.shared import Shared

BASE = "http://share.example"


async def create(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await client.post("/session", json=body)
    assert answer.status_code == 200, answer.text
    session: dict[str, Any] = answer.json()
    return session


async def note(client: httpx.AsyncClient, session: dict[str, Any], text: str) -> None:
    body = {"noReply": True, "parts": [{"type": "text", "text": text}]}
    assert (await client.post(f"/session/{session['id']}/message", json=body)).status_code == 200


async def shared_link(client: httpx.AsyncClient, session: dict[str, Any]) -> str:
    """The path of the link under which a session is shared from now on."""
    answer = await client.post(f"/session/{session['id']}/share")
    assert answer.status_code == 200, answer.text
    url: str = answer.json()["share"]["url"]
    assert url.startswith(f"{BASE}/share/")
    return url.removeprefix(BASE)


@pytest.fixture
def stranger(shared: Shared, project: Path) -> httpx.AsyncClient:
    """Somebody without the password of the same server."""
    application = Application(
        OperationTable(OPERATIONS), shared.registry, working_directory=str(project), shared=shared, gate=Gate("secret")
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=application), base_url="http://localhost:4096")


async def test_a_shared_session_is_read_without_credentials(
    client: httpx.AsyncClient, shared: Shared, stranger: httpx.AsyncClient
) -> None:
    shared.sharing.open_at(BASE + "/")
    session = await create(client, title="One", metadata={"k": "private"})
    await note(client, session, "hello </script> there")
    link = await shared_link(client, session)
    async with stranger:
        assert (await stranger.get(f"/session/{session['id']}")).status_code == 401
        data = await stranger.get(f"{link}/data")
        page = await stranger.get(link)
    assert (data.status_code, data.headers["cache-control"]) == (200, "no-store")
    shown = data.json()
    assert (shown["session"]["title"], shown["messages"][0]["parts"][0]["text"]) == ("One", "hello </script> there")
    assert "private" not in data.text and session["directory"] not in json.dumps(shown["session"])
    assert page.headers["content-type"].startswith("text/html")
    nonce = page.headers["content-security-policy"].partition("script-src 'nonce-")[2].partition("'")[0]
    assert f'<script nonce="{nonce}">' in page.text
    assert "hello" not in page.text


async def test_a_session_keeps_its_link_until_it_is_taken_back(client: httpx.AsyncClient, shared: Shared) -> None:
    shared.sharing.open_at(BASE)
    session = await create(client)
    link = await shared_link(client, session)
    assert await shared_link(client, session) == link
    assert (await client.get(f"/session/{session['id']}")).json()["share"] == {"url": BASE + link}
    taken_back = await client.delete(f"/session/{session['id']}/share")
    assert (taken_back.status_code, "share" in taken_back.json()) == (200, False)
    gone = await client.get(f"{link}/data")
    assert (gone.status_code, gone.json()["name"]) == (404, "NotFoundError")
    assert await shared_link(client, session) != link


async def test_a_link_leads_nowhere_once_its_session_is_deleted(client: httpx.AsyncClient, shared: Shared) -> None:
    shared.sharing.open_at(BASE)
    session = await create(client)
    link = await shared_link(client, session)
    assert (await client.delete(f"/session/{session['id']}")).status_code == 200
    assert (await client.get(f"{link}/data")).status_code == 404
    assert shared.database.read("SELECT count(*) FROM share") == [(0,)]


async def test_nothing_is_shared_unless_the_operator_allows_it(client: httpx.AsyncClient) -> None:
    session = await create(client)
    refused = await client.post(f"/session/{session['id']}/share")
    assert (refused.status_code, refused.json()["name"]) == (400, "BadRequest")
    assert '"server": {"share": true}' in refused.json()["data"]["message"]
    assert (await client.delete(f"/session/{session['id']}/share")).status_code == 200


async def test_links_of_earlier_servers_lead_nowhere_while_sharing_is_not_allowed(
    client: httpx.AsyncClient, shared: Shared
) -> None:
    session = await create(client)
    await shared.database.write(lambda tx: shared.sharing.add(tx, session["id"]))
    ((share_id,),) = shared.database.read("SELECT id FROM share")
    assert (await client.get(f"/share/{share_id}/data")).status_code == 404


async def test_a_configuration_may_forbid_sharing(client: httpx.AsyncClient, shared: Shared, project: Path) -> None:
    shared.sharing.open_at(BASE)
    (project / "opencode.json").write_text('{"share": "disabled"}')
    session = await create(client)
    refused = await client.post(f"/session/{session['id']}/share")
    assert (refused.status_code, refused.json()["data"]["message"]) == (
        400,
        'Sharing is disabled in the configuration ("share": "disabled")',
    )


async def test_new_sessions_are_shared_where_the_configuration_says_so(
    client: httpx.AsyncClient, shared: Shared, project: Path
) -> None:
    shared.sharing.open_at(BASE)
    (project / "opencode.json").write_text('{"share": "auto"}')
    session = await create(client)
    assert session["share"]["url"].startswith(BASE)
    assert "share" not in await create(client, parentID=session["id"])
    forked = (await client.post(f"/session/{session['id']}/fork", json={})).json()
    assert forked["share"]["url"] != session["share"]["url"]


async def test_an_unknown_session_is_not_shared(client: httpx.AsyncClient, shared: Shared) -> None:
    shared.sharing.open_at(BASE)
    for method in ("POST", "DELETE"):
        answer = await client.request(method, "/session/ses_missing/share")
        assert (answer.status_code, answer.json()["name"]) == (404, "NotFoundError")
