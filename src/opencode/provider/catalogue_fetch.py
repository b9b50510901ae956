"""Fetching models.dev: with a limit of time and size, again after a failure, and not at all when nothing changed."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import anyio

from opencode.core.log import Logger

log = Logger("provider.catalogue")

FETCH_SECONDS = 10.0
"""For all attempts together."""
ATTEMPTS = 3
PAUSE_SECONDS = 0.5
LARGEST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was fetched. ``data`` ``None``: what we have is still what there is."""

    data: bytes | None
    etag: str | None = None


class _NotNow(Exception):
    """The attempt failed; the next one may not."""


async def fetch(
    url: str, user_agent: str, etag: str | None, on_failure: Callable[[], None] = lambda: None
) -> Fetched | None:
    """The document at the URL; None when it cannot be had now. Never raises, never takes longer than ten seconds.

    ``on_failure`` is called after each attempt that failed.
    """
    headers = {"user-agent": user_agent, **({"if-none-match": etag} if etag else {})}
    with anyio.move_on_after(FETCH_SECONDS):
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await _attempt(url, headers)
            except _NotNow as error:
                log.info("the model catalogue could not be fetched", url=url, reason=str(error), attempt=attempt)
                on_failure()
            if attempt < ATTEMPTS:
                # Many servers start at the same time, after an outage for one: they must not all come back at once.
                await anyio.sleep(PAUSE_SECONDS * attempt * random.uniform(0.5, 1.5))
    return None


async def _attempt(url: str, headers: dict[str, str]) -> Fetched | None:
    import httpx2  # slow to import: only where a request is made

    try:
        async with (
            httpx2.AsyncClient(timeout=FETCH_SECONDS, follow_redirects=True) as client,
            client.stream("GET", url, headers=headers) as response,
        ):
            if response.status_code == HTTPStatus.NOT_MODIFIED:
                return Fetched(None)
            if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise _NotNow(f"status {response.status_code}")
            if response.status_code != HTTPStatus.OK:
                log.info("there is no model catalogue", url=url, status=response.status_code)
                return None
            body = bytearray()
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > LARGEST_BYTES:
                    log.warning("the model catalogue is too large", url=url, limit=LARGEST_BYTES)
                    return None
            return Fetched(bytes(body), response.headers.get("etag"))
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        raise _NotNow(repr(error)) from error
