"""The ASGI application: CORS, then origin and credentials, then the operation (spec: HTTP 2)."""

import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from types import CoroutineType
from typing import Any

import anyio

from opencode.core.errors import Unavailable
from opencode.core.log import Logger
from opencode.http.answer import Answer, AsgiApp, Message, Receive, Scope, Send, answer_of, send_answer
from opencode.http.auth import Gate
from opencode.http.compression import compressed, wanted_encoding
from opencode.http.cors import CorsPolicy
from opencode.http.departure import AnswerWhileWanted
from opencode.http.errors import RouteNotFound, answer_to_error, error_answer
from opencode.http.origin import OriginGuard
from opencode.http.outcome import outcome
from opencode.http.performer import Performer, Registry
from opencode.http.request import ClientGone, Request
from opencode.http.table import OperationTable

DEFAULT_BODY_LIMIT = 256 * 1024 * 1024
STOPPING = "The server is stopping"

log = Logger("server")


Begun = Answer | AsgiApp | Coroutine[Any, Any, Answer | AsgiApp]
"""What a request led to: an answer, a stream, or either once it has been waited for."""


class Application:
    """Answers HTTP requests with the operations of a table.

    ``shared`` is handed to the handlers that ask for it; ``working_directory`` is the directory of requests that
    name none; ``directory_of_session`` knows where a stored session belongs.
    """

    def __init__(
        self,
        table: OperationTable,
        registry: Registry,
        *,
        working_directory: str,
        directory_of_session: Callable[[str], str | None] = lambda session_id: None,
        shared: object = None,
        cors: CorsPolicy | None = None,
        gate: Gate | None = None,
        guard: OriginGuard | None = None,
        body_limit: int = DEFAULT_BODY_LIMIT,
    ) -> None:
        self._table = table
        provided = {"registry": registry, "shared": shared, "table": table}
        self._performer = Performer(registry, directory_of_session, working_directory, provided)
        self._cors = cors or CorsPolicy()
        self._gate = gate or Gate(None)
        self._guard = guard or OriginGuard(self._cors, None)
        self._body_limit = body_limit
        self._streams: set[anyio.CancelScope] = set()
        self._is_stopping = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request.of_scope(scope, receive, self._body_limit)
            answer = self.begin(request)
            if isinstance(answer, Answer):
                await send_answer(answer, send, body=request.method != "HEAD")
            else:
                await answer(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})

    def begin(self, request: Request) -> Answer | AsgiApp:
        """The answer, when nothing has to be waited for; else an app that goes on from here and sends it.

        Most of what clients keep asking for needs no waiting, and takes less time than a task of its own would.
        """
        started = time.perf_counter()
        if request.method == "OPTIONS":
            requested = request.header(b"access-control-request-headers")
            return self._cors.preflight(request.header(b"origin"), requested)
        begun = self._begin(request)
        if isinstance(begun, Answer) and begun.then is None and wanted_encoding(begun, request) is None:
            return self._finished(begun, request, started)
        return partial(self._go_on, begun, request, started)

    def end_streams(self) -> None:
        """End every open stream, and every wait for a slow answer, so that the server can stop.

        For good: clients that come back at once, on a connection that is still open, are refused.
        """
        self._is_stopping = True
        for scope in list(self._streams):
            scope.cancel()

    def _begin(self, request: Request) -> Begun:
        """The edge where every error becomes an answer, up to the first wait."""
        try:
            self._guard.check(request)
            self._gate.check(request)
            found = self._table.find(request.method, request.raw_path)
            if found is None:
                raise RouteNotFound
            operation, parameters = found
            result = self._performer.perform(operation, parameters, request)
            if isinstance(result, CoroutineType):
                return outcome(result, operation.status, method=request.method, path=request.raw_path)
            return answer_of(result, operation.status)
        except Exception as error:  # noqa: BLE001 (the edge of a request)
            return answer_to_error(error, method=request.method, path=request.raw_path)

    async def _go_on(
        self, begun: Begun, request: Request, started: float, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Wait for the answer if need be, and send it."""
        with suppress(ClientGone):
            answer = await begun if isinstance(begun, Coroutine) else begun
            if isinstance(answer, Answer):
                answer = await compressed(answer, request)
                finished = self._finished(answer, request, started)
                await send_answer(finished, send, body=request.method != "HEAD")
                await _do_rest(answer, request)
            else:
                await self._stream(answer, request, scope, receive, send)

    def _finished(self, answer: Answer, request: Request, started: float) -> Answer:
        """The answer as it goes out."""
        _log_request(request, answer.status, started)
        cors = self._cors.headers(request.header(b"origin"))
        return Answer(answer.status, answer.body, (*answer.headers, *cors))

    async def _stream(self, app: AsgiApp, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a stream send itself, with the CORS headers added; ``HEAD`` does not start one without end."""
        cors = self._cors.headers(request.header(b"origin"))
        if request.method == "HEAD" and not isinstance(app, AnswerWhileWanted):
            await send_answer(Answer(200, headers=((b"content-type", b"text/event-stream"),)), send, cors, body=False)
            return
        if self._is_stopping:
            await send_answer(error_answer(Unavailable(STOPPING)), send, cors)
            return
        began = time.perf_counter()
        has_started = False

        async def send_with_cors(message: Message) -> None:
            nonlocal has_started
            if message["type"] == "http.response.start":
                has_started = True
                _log_request(request, message["status"], began)
                message = {**message, "headers": [*message.get("headers", ()), *cors]}
            await send(message)

        with anyio.CancelScope() as open_stream:
            self._streams.add(open_stream)
            try:
                await app(scope, receive, send_with_cors)
            finally:
                self._streams.discard(open_stream)
        if open_stream.cancelled_caught and has_started:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        elif open_stream.cancelled_caught:
            await send_answer(error_answer(Unavailable(STOPPING)), send, cors)


def _log_request(request: Request, status: int, started: float) -> None:
    """Requests that succeed are of interest to who looks for something (``--log-level DEBUG``): a line costs as much
    as a read, and events tell of changes anyway.
    """
    if request.raw_path != "/log":
        duration_ms = round((time.perf_counter() - started) * 1000)
        write = log.debug if status < 400 else log.info
        write("request", method=request.method, path=request.raw_path, status=status, duration=duration_ms)


async def _do_rest(answer: Answer, request: Request) -> None:
    """What the handler left for after the answer; nobody waits for it any more, so its errors go to the log."""
    if answer.then is None:
        return
    try:
        await answer.then()
    except Exception:
        log.exception("failed after the answer", method=request.method, path=request.raw_path)
