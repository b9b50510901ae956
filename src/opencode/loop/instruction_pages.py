"""Instructions that configuration gives by address (spec: system prompt, section 4.1)."""

import anyio

from opencode.core.internal_address import TurnsInside, refuse_turn_inside

FETCH_SECONDS = 5
FETCH_BYTES = 1024 * 1024
FRESH_SECONDS = 300


def is_url(entry: str) -> bool:
    """Whether an entry of ``instructions`` is an address rather than a path."""
    return entry.startswith(("http://", "https://"))


class InstructionPages:
    """The texts at some addresses, fetched when first wanted and again after some minutes."""

    def __init__(self, urls: list[str]) -> None:
        self._urls = list(dict.fromkeys(urls))
        self._texts: dict[str, str] = {}
        self._fetched_at = float("-inf")

    async def texts(self) -> dict[str, str]:
        """Text by address, in the order of configuration. What cannot be fetched in time is left out."""
        if self._urls and anyio.current_time() - self._fetched_at > FRESH_SECONDS:
            # Set first: while these are on their way, others do without rather than ask again.
            self._fetched_at = anyio.current_time()
            async with anyio.create_task_group() as tasks:
                for url in self._urls:
                    tasks.start_soon(self._fetch, url)
        return {url: self._texts[url] for url in self._urls if url in self._texts}

    async def _fetch(self, url: str) -> None:
        """Keep what the address answers; after a failure what it answered before stays."""
        # Slow to import, and seldom needed.
        import httpx2

        data = bytearray()
        try:
            with anyio.fail_after(FETCH_SECONDS):
                async with (
                    httpx2.AsyncClient(
                        follow_redirects=True, timeout=FETCH_SECONDS, event_hooks={"response": [refuse_turn_inside]}
                    ) as client,
                    client.stream("GET", url) as response,
                ):
                    response.raise_for_status()
                    async for chunk in response.aiter_bytes():
                        data += chunk
                        if len(data) > FETCH_BYTES:
                            return
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, TurnsInside):
            return
        self._texts[url] = data.decode("utf-8", "replace")
