"""``GET /session/search`` through the running application."""

from typing import Any

import httpx2 as httpx


async def note(client: httpx.AsyncClient, title: str, text: str) -> dict[str, Any]:
    """A session with one message that nobody answers."""
    session: dict[str, Any] = (await client.post("/session", json={"title": title})).json()
    body = {"noReply": True, "parts": [{"type": "text", "text": text}]}
    answer = await client.post(f"/session/{session['id']}/message", json=body)
    assert answer.status_code == 200, answer.text
    return session


async def test_a_session_is_found_by_what_was_said_in_it(client: httpx.AsyncClient) -> None:
    await note(client, "One", "The parser drops empty lines")
    there = await note(client, "Two", "The lexer keeps them")
    answer = await client.get("/session/search", params={"query": "lexer"})
    assert answer.status_code == 200
    (hit,) = answer.json()
    assert (hit["session"]["id"], hit["messageID"][:4]) == (there["id"], "msg_")
    assert hit["snippet"] == [
        {"text": "The ", "match": False},
        {"text": "lexer", "match": True},
        {"text": " keeps them", "match": False},
    ]


async def test_a_search_without_words_is_refused_with_words(client: httpx.AsyncClient) -> None:
    missing = await client.get("/session/search")
    assert (missing.status_code, missing.json()["errors"][0]["path"]) == (400, ["query"])
    empty = await client.get("/session/search", params={"query": '"'})
    assert (empty.status_code, empty.json()["message"]) == (400, "The query has no word to look for")
