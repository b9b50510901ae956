"""The requests of a turn that wait for somebody: each is decided beside the turn, one at a time."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import anyio
from anyio.abc import TaskGroup

from opencode.cli.asker import Asker
from opencode.cli.render import Output
from opencode.client.client import OpenCodeClient
from opencode.client.errors import RequestFailed
from opencode.permission.schema import PermissionAsked, PermissionReply
from opencode.question.schema import QuestionAnswers, QuestionAsked

T = TypeVar("T")

_GONE: Final = 404


class Decisions:
    """Asks, and sends what was decided. What another client settles meanwhile is not asked any more."""

    def __init__(self, client: OpenCodeClient, output: Output, asker: Asker, tasks: TaskGroup) -> None:
        self._client = client
        self._output = output
        self._asker = asker
        self._tasks = tasks
        self._one_at_a_time = anyio.Lock()
        self._asking: dict[str, anyio.CancelScope] = {}

    def permission(self, asked: PermissionAsked) -> None:
        """Have the request decided; once, however often it is told of."""

        async def send(reply: PermissionReply) -> None:
            if reply == "reject":
                self._output.refused(asked)
            await self._client.reply_permission(asked.id, reply)

        self._start(asked.id, lambda: self._asker.permission(asked), send)

    def question(self, asked: QuestionAsked) -> None:
        """Have the questions answered or dismissed."""

        async def send(answers: QuestionAnswers | None) -> None:
            if answers is None:
                await self._client.reject_question(asked.id)
            else:
                await self._client.reply_question(asked.id, answers)

        self._start(asked.id, lambda: self._asker.question(asked), send)

    def settled(self, request_id: str) -> None:
        """Somebody decided, perhaps we."""
        if scope := self._asking.get(request_id):
            scope.cancel()

    def _start(self, request_id: str, ask: Callable[[], Awaitable[T]], send: Callable[[T], Awaitable[None]]) -> None:
        if request_id not in self._asking:
            self._asking[request_id] = anyio.CancelScope()
            self._tasks.start_soon(self._decide, request_id, ask, send)

    async def _decide(
        self, request_id: str, ask: Callable[[], Awaitable[T]], send: Callable[[T], Awaitable[None]]
    ) -> None:
        with self._asking[request_id] as asking:
            async with self._one_at_a_time:
                decided = await ask()
        if asking.cancelled_caught:
            return
        # Not in the scope: the server tells of our own reply before it answers.
        with _unless_gone():
            await send(decided)


@contextmanager
def _unless_gone() -> Iterator[None]:
    """Let go what was settled while it was being decided."""
    try:
        yield
    except RequestFailed as error:
        if error.status != _GONE:
            raise
