"""Answers that are waited for only as long as the client waits, too."""

from collections.abc import Awaitable

import anyio

from opencode.core.tasks import task_group
from opencode.http.answer import Answer, AsgiApp, Receive, Scope, Send, send_answer
from opencode.http.outcome import outcome


class AnswerWhileWanted:
    """ASGI app: waits for the result of a handler, and cancels it when the client leaves."""

    def __init__(self, work: Awaitable[object], status: int) -> None:
        self._work = work
        self._status = status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer: Answer | AsgiApp | None = None
        async with task_group() as tasks:
            tasks.start_soon(cancel_on_departure, receive, tasks.cancel_scope)
            answer = await outcome(self._work, self._status, method=scope["method"], path=scope["path"])
            tasks.cancel_scope.cancel()
        if isinstance(answer, Answer):
            await send_answer(answer, send, body=scope["method"] != "HEAD")


async def cancel_on_departure(receive: Receive, scope: anyio.CancelScope) -> None:
    """Cancel a scope when the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
