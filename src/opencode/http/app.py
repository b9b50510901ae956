"""The ASGI application: CORS, then origin and credentials, then the operation (spec: HTTP 2)."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import anyio

from opencode.core.errors import NamedError
from opencode.core.log import Logger
from opencode.core.tasks import unwrap
from opencode.http.answer import Answer, AsgiApp, Header, Message, Receive, Scope, Send, answer_of
from opencode.http.auth import Gate
from opencode.http.compression import compressed
from opencode.http.cors import CorsPolicy
from opencode.http.directory import chosen_directory
from opencode.http.errors import RouteNotFound, error_answer, unexpected_answer
from opencode.http.operation import Operation
from opencode.http.origin import OriginGuard
from opencode.http.request import ClientGone, Request
from opencode.http.table import OperationTable

DEFAULT_BODY_LIMIT = 256 * 1024 * 1024

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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._answer(Request(scope, receive, self._body_limit), receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})

    def end_streams(self) -> None:
        """End every open stream cleanly, so that the server can stop: streams never end by themselves."""
        for scope in list(self._streams):
            scope.cancel()

    async def _answer(self, request: Request, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        origin = request.header(b"origin")
        if request.method == "OPTIONS":
            requested = request.header(b"access-control-request-headers")
            await _send(self._cors.preflight(origin, requested), request, (), send)
            return
        headers = self._cors.headers(origin)
        with suppress(ClientGone):
            answer = await self._result(request)
            if isinstance(answer, Answer):
                answer = await compressed(answer, request)
                await _send(answer, request, headers, send)
                _log_request(request, answer.status, started)
                await _do_rest(answer, request)
            else:
                _log_request(request, 200, started)
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
            cause = unwrap(error)
            if isinstance(cause, NamedError):
                return error_answer(cause)
            return unexpected_answer(method=request.method, path=request.raw_path)

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
                    arguments[name] = await self._registry.open(self._directory(operation, parameters, request))
                case "registry":
                    arguments[name] = self._registry
                case "shared":
                    arguments[name] = self._shared
                case "table":
                    arguments[name] = self._table
                case _:
                    arguments[name] = request
        return await operation.handler(**arguments)

    def _directory(self, operation: Operation, parameters: dict[str, str], request: Request) -> str:
        """A session's own directory goes before what the request names: clients of several directories mix them up."""
        if operation.scope == "session":
            recorded = self._directory_of_session(parameters["sessionID"])
            if recorded is not None:
                return recorded
        return chosen_directory(request, self._working_directory)

    async def _stream(
        self, app: AsgiApp, request: Request, cors: tuple[Header, ...], receive: Receive, send: Send
    ) -> None:
        """Lets a stream send itself, with the CORS headers added; ``HEAD`` does not start it."""
        if request.method == "HEAD":
            await _send(Answer(200, headers=((b"content-type", b"text/event-stream"),)), request, cors, send)
            return

        async def send_with_cors(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *cors]}
            await send(message)

        with anyio.CancelScope() as scope:
            self._streams.add(scope)
            try:
                await app(request.scope, receive, send_with_cors)
            finally:
                self._streams.discard(scope)
        if scope.cancelled_caught:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def _log_request(request: Request, status: int, started: float) -> None:
    if request.raw_path != "/log":
        duration_ms = round((time.perf_counter() - started) * 1000)
        log.info("request", method=request.method, path=request.raw_path, status=status, duration=duration_ms)


async def _do_rest(answer: Answer, request: Request) -> None:
    """What the handler left for after the answer; nobody waits for it any more, so its errors go to the log."""
    if answer.then is None:
        return
    try:
        await answer.then()
    except Exception:
        log.exception("failed after the answer", method=request.method, path=request.raw_path)


async def _send(answer: Answer, request: Request, cors: tuple[Header, ...], send: Send) -> None:
    headers = [*answer.headers, *cors]
    if answer.status != 204:
        headers.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else answer.body})
