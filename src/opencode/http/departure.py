"""Answers that are waited for only as long as the client waits, too."""

from collections.abc import Awaitable

import anyio

from opencode.core.tasks import task_group
from opencode.http.answer import Answer, Receive, Scope, Send, answer_of, send_answer
from opencode.http.errors import answer_to_error


class AnswerWhileWanted:
    """ASGI app: waits for the result of a handler, and cancels it when the client leaves."""

    def __init__(self, work: Awaitable[object], status: int) -> None:
        self._work = work
        self._status = status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer: Answer | None = None
        async with task_group() as tasks:
            tasks.start_soon(_cancel_on_departure, receive, tasks.cancel_scope)
            answer = await self._result(scope)
            tasks.cancel_scope.cancel()
        if answer is not None:
            await send_answer(answer, send)

    async def _result(self, scope: Scope) -> Answer:
        """The edge of the request: every error becomes an answer."""
        try:
            answer = answer_of(await self._work, self._status)
            assert isinstance(answer, Answer)
        except Exception as error:  # noqa: BLE001 (the edge of a request)
            return answer_to_error(error, method=scope["method"], path=scope["path"])
        return answer


async def _cancel_on_departure(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
