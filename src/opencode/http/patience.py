"""Answers that take as long as a model does, on connections that must not look dead meanwhile."""

from collections.abc import Awaitable
from typing import Final

import anyio

from opencode.core.tasks import task_group
from opencode.http.answer import JSON, Answer, Receive, Scope, Send, answer_of, send_answer
from opencode.http.errors import answer_to_error

QUIET_SECONDS: Final = 15.0
"""How long nothing is heard of an answer. Clients and proxies give up after 30 seconds and more."""


class PatientAnswer:
    """ASGI app: waits for the result of a handler.

    A result within ``quiet_seconds`` is answered like any other. Otherwise the headers go out, then a space every
    ``quiet_seconds``, which readers of JSON skip, and at last the body. An error that comes so late has no status of
    its own any more: its body says what it is.
    """

    def __init__(self, work: Awaitable[object], status: int, *, quiet_seconds: float = QUIET_SECONDS) -> None:
        self._work = work
        self._status = status
        self._quiet_seconds = quiet_seconds
        self._done = anyio.Event()
        self._answer = Answer(status)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with task_group() as tasks:
            tasks.start_soon(self._finish, scope)
            if await self._is_done_soon():
                await send_answer(self._answer, send)
                return
            await send({"type": "http.response.start", "status": self._status, "headers": [JSON]})
            while not self._done.is_set():
                await send({"type": "http.response.body", "body": b" ", "more_body": True})
                await self._is_done_soon()
            await send({"type": "http.response.body", "body": self._answer.body})

    async def _finish(self, scope: Scope) -> None:
        """The edge of the request: every error becomes an answer."""
        try:
            answer = answer_of(await self._work, self._status)
            assert isinstance(answer, Answer)
            self._answer = answer
        except Exception as error:  # noqa: BLE001 (the edge of a request)
            self._answer = answer_to_error(error, method=scope["method"], path=scope["path"])
        self._done.set()

    async def _is_done_soon(self) -> bool:
        with anyio.move_on_after(self._quiet_seconds):
            await self._done.wait()
        return self._done.is_set()
