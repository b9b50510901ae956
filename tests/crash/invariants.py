"""What must be true after every kill: in the database as it was left, and of the server that starts on it."""

import json
from collections.abc import Iterable
from typing import Any

import anyio
import httpx2

from tests.crash.ledger import Json, Ledger
from tests.crash.world import World


def check_database(world: World) -> None:
    """The file is sound; the stream told every logged event up to the newest it told, each numbered one once."""
    assert world.stored("PRAGMA integrity_check") == [("ok",)]
    logged = {id: (seq, type) for seq, id, type in world.stored("SELECT seq, id, type FROM event ORDER BY seq")}
    kinds = {type for _, type in logged.values()}
    events = world.ledger.events
    numbers = [event.seq for event in events if event.seq is not None]
    assert numbers == sorted(set(numbers)), "the stream went back or told something twice"
    for event in events:
        assert event.seq is None or event.type not in kinds or logged.get(event.id) == (event.seq, event.type), event
    told = {event.id for event in events}
    newest = max((logged[id][0] for id in told & logged.keys()), default=0)
    missed = [id for id, (seq, _) in logged.items() if seq <= newest and id not in told]
    first = next((event for event in events if event.seq is not None), None)
    assert not missed, f"the stream left out {[(id, *logged[id]) for id in missed]}; it began with {first}"
    world.last_logged = next(reversed(logged), "")
    world.unanswered = _unanswered(world)


def _unanswered(world: World) -> set[str]:
    """The asks of which the log tells, without those that it tells were settled."""
    asked: set[str] = set()
    for type, properties in world.stored(
        "SELECT type, properties FROM event WHERE type GLOB 'permission.*' OR type GLOB 'question.*' ORDER BY seq"
    ):
        fields = json.loads(properties)
        if type.endswith(".asked"):
            asked.add(fields["id"])
        else:
            asked.discard(fields["requestID"])
    return asked


async def check_server(http: httpx2.AsyncClient, world: World) -> None:
    """Nothing acknowledged is gone, nothing is busy, nothing is open, every ask is offered again or settled."""
    ledger = world.ledger
    assert await _get(http, "/session/status") == {}
    messages = {session: await _messages(http, ledger, session) for session in ledger.sessions}
    by_id = {message["info"]["id"]: message for found in messages.values() for message in found}
    for message in by_id.values():
        _check_settled(message)
    _check_prompts(ledger, by_id)
    await _check_titles(http, ledger)
    await _check_asks(http, world, by_id.values())
    await _check_settings(http, ledger, world)


async def _messages(http: httpx2.AsyncClient, ledger: Ledger, session: str) -> list[Json]:
    response = await http.get(f"/session/{session}/message")
    if session in ledger.deleted:
        assert response.status_code == 404, session
        return []
    assert response.status_code == 200 or session in ledger.deleting, (session, response.text)
    return response.json() if response.is_success else []


def _check_settled(message: Json) -> None:
    info = message["info"]
    assert info["role"] == "user" or info["time"].get("completed"), info
    for part in message["parts"]:
        if part["type"] == "tool":
            assert part["state"]["status"] in ("completed", "error"), part
        elif info["role"] == "assistant" and part["type"] in ("text", "reasoning"):
            assert part["time"].get("end"), part


def _check_prompts(ledger: Ledger, by_id: dict[str, Json]) -> None:
    for message, (session, text) in ledger.prompts.items():
        if session in ledger.deleting:
            continue
        assert message in by_id, f"the prompt {message} of {session} is gone"
        assert text in [part.get("text") for part in by_id[message]["parts"]], by_id[message]
    for message, answer in ledger.answers.items():
        if answer["info"]["sessionID"] not in ledger.deleting:
            assert by_id.get(message) == answer, (answer, by_id.get(message))


async def _check_titles(http: httpx2.AsyncClient, ledger: Ledger) -> None:
    for session in ledger.known():
        title = (await _get(http, f"/session/{session}"))["title"]
        assert title in ledger.sessions[session].possible, (session, title, ledger.sessions[session].possible)


async def _check_asks(http: httpx2.AsyncClient, world: World, messages: Iterable[Json]) -> None:
    ledger = world.ledger
    offered = {request["id"] for kind in ("permission", "question") for request in await _get(http, f"/{kind}")}
    assert offered == world.unanswered, "the asks that are offered are not those that nobody has answered"
    assert not offered & ledger.settled, "an ask came back although its reply was acknowledged"
    calls = {
        (part["messageID"], part["callID"]): part["state"]
        for message in messages
        for part in message["parts"]
        if part["type"] == "tool"
    }
    for request in ledger.told.values():
        if request["sessionID"] in ledger.aborted | ledger.deleting:
            continue
        state = calls[request["tool"]["messageID"], request["tool"]["callID"]]
        assert state["status"] == "completed" and '="yes"' in state["output"], (request, state)


async def _check_settings(http: httpx2.AsyncClient, ledger: Ledger, world: World) -> None:
    assert (await _get(http, "/global/config")).get("username") in ledger.username.possible
    stored: dict[str, Any] = {}
    if (file := world.home.data / "auth.json").exists():
        stored = json.loads(file.read_text())
    for provider, cell in ledger.keys.items():
        assert stored.get(provider, {}).get("key") in cell.possible, provider
    for written in world.project.glob("prompt-*.txt"):
        assert written.read_text() == f"{written.stem}\n" * 500, written


async def caught_up(world: World) -> None:
    """Wait until the follower of the stream has got to the newest event that the last server left."""
    with anyio.fail_after(10):
        while world.last_logged not in {event.id for event in world.ledger.events[-1000:]}:  # noqa: ASYNC110
            await anyio.sleep(0.005)


async def _get(http: httpx2.AsyncClient, path: str) -> Any:
    response = await http.get(path)
    assert response.status_code == 200, (path, response.text)
    return response.json()
