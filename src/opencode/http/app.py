"""The ASGI application: CORS, then origin and credentials, then the operation (spec: HTTP 2)."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import anyio

from opencode.core.errors import Unavailable
from opencode.core.log import Logger
from opencode.http.answer import Answer, AsgiApp, Header, Message, Receive, Scope, Send, Stream, answer_of, send_answer
from opencode.http.auth import Gate
from opencode.http.compression import compressed
from opencode.http.cors import CorsPolicy
from opencode.http.directory import chosen_directory
from opencode.http.errors import RouteNotFound, answer_to_error, error_answer
from opencode.http.operation import Operation
from opencode.http.origin import SAFE_METHODS, OriginGuard
from opencode.http.patience import PatientAnswer
from opencode.http.request import ClientGone, Request
from opencode.http.table import OperationTable

DEFAULT_BODY_LIMIT = 256 * 1024 * 1024
STOPPING = "The server is stopping"

log = Logger("server")


class Registry(Protocol):
    """Where the instances come from."""

    async def open(self, directory: str) -> object:
        """The instance of a directory, opened now if it is not."""
        ...


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
        self._registry = registry
        self._directory_of_session = directory_of_session
        self._working_directory = working_directory
        self._shared = shared
        self._cors = cors or CorsPolicy()
        self._gate = gate or Gate(None)
        self._guard = guard or OriginGuard(self._cors, None)
        self._body_limit = body_limit
        self._streams: set[anyio.CancelScope] = set()
        self._is_stopping = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._answer(Request(scope, receive, self._body_limit), receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})

    def end_streams(self) -> None:
        """End every open stream, and every wait for a slow answer, so that the server can stop.

        For good: clients that come back at once, on a connection that is still open, are refused.
        """
        self._is_stopping = True
        for scope in list(self._streams):
            scope.cancel()

    async def _answer(self, request: Request, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        origin = request.header(b"origin")
        if request.method == "OPTIONS":
            requested = request.header(b"access-control-request-headers")
            await send_answer(self._cors.preflight(origin, requested), send)
            return
        headers = self._cors.headers(origin)
        with suppress(ClientGone):
            answer = await self._result(request)
            if isinstance(answer, Answer):
                answer = await compressed(answer, request)
                await send_answer(answer, send, headers, body=request.method != "HEAD")
                _log_request(request, answer.status, started)
                await _do_rest(answer, request)
            else:
                await self._stream(answer, request, headers, receive, send)

    async def _result(self, request: Request) -> Answer | AsgiApp:
        """The edge where every error becomes an answer."""
        try:
            self._guard.check(request)
            self._gate.check(request)
            found = self._table.find(request.method, request.raw_path)
            if found is None:
                raise RouteNotFound
            operation, parameters = found
            return answer_of(await self._perform(operation, parameters, request), operation.status)
        except ClientGone:
            raise
        except Exception as error:  # noqa: BLE001 (the edge of a request)
            return answer_to_error(error, method=request.method, path=request.raw_path)

    async def _perform(self, operation: Operation, parameters: dict[str, str], request: Request) -> object:
        """Decodes what the handler asks for, opens the instance if it wants one, and calls it."""
        arguments: dict[str, object] = {
            parameter.argument: parameter.decode(parameters[parameter.name]) for parameter in operation.parameters
        }
        if operation.query is not None:
            arguments["query"] = operation.query.decode(request.query)
        if operation.body is not None:
            arguments["body"] = operation.body.decode(await request.body())
        for name in operation.provided:
            match name:
                case "instance":
                    arguments[name] = await self._registry.open(
                        self._directory(operation, parameters, request, arguments)
                    )
                case "registry":
                    arguments[name] = self._registry
                case "shared":
                    arguments[name] = self._shared
                case "table":
                    arguments[name] = self._table
                case _:
                    arguments[name] = request
        if operation.is_slow:
            return Stream(PatientAnswer(operation.handler(**arguments), operation.status))
        return await operation.handler(**arguments)

    def _directory(
        self, operation: Operation, parameters: dict[str, str], request: Request, arguments: dict[str, object]
    ) -> str:
        """A session's own directory goes before what the request names: clients of several directories mix them up."""
        if operation.scope == "session":
            recorded = self._directory_of_session(parameters["sessionID"])
            if recorded is not None:
                return recorded
        in_body = getattr(arguments["body"], "directory", None) if operation.directory_in_body else None
        return chosen_directory(request, self._working_directory, in_body or None)

    async def _stream(
        self, app: AsgiApp, request: Request, cors: tuple[Header, ...], receive: Receive, send: Send
    ) -> None:
        """Lets a stream send itself, with the CORS headers added; ``HEAD`` does not start it."""
        if request.method == "HEAD":
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

        with anyio.CancelScope() as scope:
            self._streams.add(scope)
            try:
                await app(request.scope, receive, send_with_cors)
            finally:
                self._streams.discard(scope)
        if scope.cancelled_caught and has_started:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        elif scope.cancelled_caught:
            await send_answer(error_answer(Unavailable(STOPPING)), send, cors)


def _log_request(request: Request, status: int, started: float) -> None:
    """Reads that succeed are only of interest to who looks for something, and a line costs more than they do."""
    if request.raw_path != "/log":
        duration_ms = round((time.perf_counter() - started) * 1000)
        write = log.debug if request.method in SAFE_METHODS and status < 400 else log.info
        write("request", method=request.method, path=request.raw_path, status=status, duration=duration_ms)


async def _do_rest(answer: Answer, request: Request) -> None:
    """What the handler left for after the answer; nobody waits for it any more, so its errors go to the log."""
    if answer.then is None:
        return
    try:
        await answer.then()
    except Exception:
        log.exception("failed after the answer", method=request.method, path=request.raw_path)
