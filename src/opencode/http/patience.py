"""Answers that take as long as a model does, on connections that must not look dead meanwhile."""

import asyncio
from collections.abc import Awaitable
from typing import Final

import anyio
from anyio.abc import TaskGroup

from opencode.core.tasks import task_group
from opencode.http.answer import JSON, Answer, Receive, Scope, Send, send_answer
from opencode.http.outcome import outcome

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
        self._is_late = False
        self._has_begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        async with task_group() as tasks:
            # Most answers are quick: nothing is started for them.
            timer = loop.call_later(self._quiet_seconds, self._become_late, tasks, send)
            try:
                answer = await outcome(self._work, self._status, method=scope["method"], path=scope["path"])
            finally:
                timer.cancel()
            if self._is_late:
                tasks.cancel_scope.cancel()
        assert isinstance(answer, Answer)
        if self._has_begun:
            await send({"type": "http.response.body", "body": answer.body})
        else:
            await send_answer(answer, send)

    def _become_late(self, tasks: TaskGroup, send: Send) -> None:
        self._is_late = True
        tasks.start_soon(self._reassure, send)

    async def _reassure(self, send: Send) -> None:
        """The headers, and a space now and again. Runs until cancelled."""
        await send({"type": "http.response.start", "status": self._status, "headers": [JSON]})
        self._has_begun = True
        while True:
            await send({"type": "http.response.body", "body": b" ", "more_body": True})
            await anyio.sleep(self._quiet_seconds)
