"""A client that follows the event stream from one server to the next, by its cursor."""

from collections.abc import AsyncIterator

import httpx2
import msgspec

from tests.crash.ledger import DIED, Ledger, SeenEvent


async def follow(http: httpx2.AsyncClient, ledger: Ledger) -> None:
    """Note every event in the ledger, from where it stopped, until the server dies."""
    headers = {"Last-Event-ID": ledger.cursor} if ledger.cursor else {}
    try:
        async with http.stream("GET", "/global/event", headers=headers) as response:
            async for cursor, payload in _messages(response):
                assert payload["type"] != "server.resync", payload
                if payload["type"] in ("server.connected", "server.heartbeat"):
                    ledger.cursor = ledger.cursor or cursor
                else:
                    ledger.cursor = cursor or ledger.cursor
                    seq = int(cursor.rpartition(".")[2]) if cursor else None
                    ledger.events.append(SeenEvent(seq, payload["id"], payload["type"]))
    except DIED:
        return


async def _messages(response: httpx2.Response) -> AsyncIterator[tuple[str | None, dict[str, str]]]:
    cursor = None
    async for line in response.aiter_lines():
        if line.startswith("id: "):
            cursor = line.removeprefix("id: ")
        elif line.startswith("data: "):
            yield cursor, msgspec.json.decode(line.removeprefix("data: "))["payload"]
            cursor = None
