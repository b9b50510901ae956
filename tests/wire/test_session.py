"""``/session`` through the running application. Source: golden trace ``session_crud``."""

import re
from pathlib import Path
from typing import Any

import httpx2 as httpx


async def create(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await client.post("/session", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def not_found(message: str, **fields: str) -> dict[str, Any]:
    return {"name": "NotFoundError", "message": message, "data": {"message": message, **fields}}


async def test_a_session_is_created_with_what_clients_read(client: httpx.AsyncClient, project: Path) -> None:
    session = await create(client, title="One", agent="plan", model={"providerID": "p", "id": "m"}, metadata={"k": 1})
    time = session["time"]
    assert session == {
        "id": session["id"],
        "slug": session["slug"],
        "projectID": session["projectID"],
        "directory": str(project),
        "path": "",
        "cost": 0,
        "tokens": {"input": 0, "output": 0, "reasoning": 0, "cache": {"read": 0, "write": 0}},
        "title": "One",
        "agent": "plan",
        "model": {"id": "m", "providerID": "p"},
        "version": "1.18.33",
        "metadata": {"k": 1},
        "time": {"created": time["created"], "updated": time["created"]},
    }
    assert re.fullmatch(r"ses_[0-9a-f]{12}[0-9A-Za-z]{14}", session["id"])


async def test_a_session_needs_no_body(client: httpx.AsyncClient) -> None:
    answer = await client.post("/session")
    assert answer.status_code == 200
    assert answer.json()["title"].startswith("New session - ")


async def test_a_session_is_read_changed_and_removed(client: httpx.AsyncClient) -> None:
    id = (await create(client, title="One"))["id"]
    rule = {"permission": "edit", "pattern": "*", "action": "ask"}
    changed = await client.patch(f"/session/{id}", json={"title": "Two", "time": {"archived": 5}, "permission": [rule]})
    assert (changed.json()["title"], changed.json()["time"]["archived"], changed.json()["permission"]) == (
        "Two",
        5,
        [rule],
    )
    assert (await client.get(f"/session/{id}")).json() == changed.json()
    assert (await client.delete(f"/session/{id}")).json() is True
    gone = await client.get(f"/session/{id}")
    assert (gone.status_code, gone.json()) == (404, not_found(f"Session not found: {id}", sessionID=id))


async def test_lists_are_filtered(client: httpx.AsyncClient, project: Path) -> None:
    first = (await create(client, title="First"))["id"]
    child = (await create(client, title="Child other", parentID=first))["id"]

    async def ids(query: str) -> list[str]:
        answer = await client.get(f"/session{query}")
        return [session["id"] for session in answer.json()]

    assert set(await ids("")) == {first, child}
    assert await ids("?roots=true") == [first]
    assert set(await ids("?roots=false")) == {first, child}
    assert await ids("?search=OTHER") == [child]
    assert len(await ids("?limit=1")) == 1
    assert await ids("?start=9999999999999") == []
    assert set(await ids(f"?directory={project}")) == {first, child}
    assert await ids("?path=src") == []
    assert [session["id"] for session in (await client.get(f"/session/{first}/children")).json()] == [child]
    assert (await client.get("/session?limit=abc")).status_code == 400


async def test_what_is_asked_about_unknown_sessions_answers_404(client: httpx.AsyncClient) -> None:
    """Source: golden trace ``errors``."""
    text = {"parts": [{"type": "text", "text": "x"}]}
    requests: list[tuple[str, str, Any]] = [
        ("GET", "", None),
        ("GET", "/message", None),
        ("GET", "/children", None),
        ("GET", "/todo", None),
        ("PATCH", "", {"title": "x"}),
        ("DELETE", "", None),
        ("POST", "/message", text),
        ("POST", "/prompt_async", text),
        ("POST", "/shell", {"agent": "build", "command": "true"}),
    ]
    for method, path, body in requests:
        answer = await client.request(method, f"/session/ses_missing{path}", json=body)
        assert (answer.status_code, answer.json()["name"]) == (404, "NotFoundError"), path


async def test_new_sessions_have_no_todos_no_diff_and_no_status(client: httpx.AsyncClient) -> None:
    id = (await create(client))["id"]
    assert (await client.get(f"/session/{id}/todo")).json() == []
    assert (await client.get(f"/session/{id}/diff")).json() == []
    assert (await client.get("/session/status")).json() == {}
    assert (await client.post(f"/session/{id}/abort")).json() is True


async def test_the_session_of_another_directory_is_found_without_naming_it(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    session = (await client.post("/session", params={"directory": str(other)}, json={})).json()
    assert session["directory"] == str(other)
    changed = await client.patch(f"/session/{session['id']}", json={"title": "Found"})
    assert (changed.status_code, changed.json()["title"]) == (200, "Found")
    assert (await client.get("/session")).json() == []


async def test_a_body_may_name_the_directory_when_the_request_does_not(
    client: httpx.AsyncClient, tmp_path: Path, project: Path
) -> None:
    """Source: seed variants, section 3."""
    assert (await create(client, directory=str(tmp_path)))["directory"] == str(tmp_path)
    named = await client.post("/session", params={"directory": str(project)}, json={"directory": str(tmp_path)})
    assert named.json()["directory"] == str(project)


async def test_sessions_of_all_projects_are_paged(client: httpx.AsyncClient) -> None:
    """Source: golden trace ``experimental_session``."""
    for title in ("First", "Second", "Third"):
        await create(client, title=title)
    page = await client.get("/experimental/session?limit=2")
    assert len(page.json()) == 2
    assert page.json()[0]["project"]["worktree"] == page.json()[0]["directory"]
    assert page.headers["x-next-cursor"] == str(page.json()[-1]["time"]["updated"])


async def test_a_session_is_forked_with_and_without_a_body(client: httpx.AsyncClient) -> None:
    """Source: golden trace ``fork``."""
    session = await create(client, title="Talk")
    for answer in (
        await client.post(f"/session/{session['id']}/fork"),
        await client.post(f"/session/{session['id']}/fork", json={}),
        await client.post(f"/session/{session['id']}/fork", json={"messageID": "msg_1"}),
    ):
        assert (answer.status_code, answer.json()["title"]) == (200, "Talk (fork #1)")
    missing = await client.post("/session/ses_missing/fork", json={})
    assert (missing.status_code, missing.json()) == (
        404,
        not_found("Session not found: ses_missing", sessionID="ses_missing"),
    )


async def test_a_page_of_no_sessions_is_empty(client: httpx.AsyncClient) -> None:
    await client.post("/session", json={})
    page = await client.get("/experimental/session?limit=0")
    assert (page.status_code, page.json(), page.headers.get("x-next-cursor")) == (200, [], None)
