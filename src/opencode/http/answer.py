"""What handlers give back, and the finished answer that goes out."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Generic, TypeVar

import msgspec

from opencode.core.wire import encode

T = TypeVar("T")

Header = tuple[bytes, bytes]
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

JSON: Header = (b"content-type", b"application/json")


class Raw(Generic[T]):
    """JSON of a ``T`` that is stored as bytes and goes out untouched, with headers of its own where needed."""

    __slots__ = ("body", "headers")

    def __init__(self, body: bytes, headers: tuple[Header, ...] = ()) -> None:
        self.body = body
        self.headers = headers


class Later(Generic[T]):
    """A value to answer with now, and what is to be done once the answer is out."""

    __slots__ = ("then", "value")

    def __init__(self, value: "T | Raw[T]", then: Callable[[], Awaitable[None]]) -> None:
        self.value = value
        self.then = then


class Stream(Generic[T]):
    """An answer that sends itself: a stream of ``T``."""

    __slots__ = ("app",)

    def __init__(self, app: AsgiApp) -> None:
        self.app = app


class Answer(msgspec.Struct, frozen=True):
    """A complete answer."""

    status: int
    body: bytes = b""
    headers: tuple[Header, ...] = (JSON,)
    then: Callable[[], Awaitable[None]] | None = None


def json_answer(status: int, value: object, headers: tuple[Header, ...] = ()) -> Answer:
    """The value as JSON."""
    return Answer(status, encode(value), (JSON, *headers))


NO_CONTENT = Answer(204, headers=())


async def send_answer(answer: Answer, send: Send, extra: tuple[Header, ...] = (), *, body: bool = True) -> None:
    """Send it, with more headers; without its body for ``HEAD``."""
    headers = [*answer.headers, *extra]
    if answer.status != 204:
        headers.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body if body else b""})


def answer_of(result: object, status: int) -> Answer | AsgiApp:
    """The answer that a handler's result stands for.

    Records, lists and plain values are encoded; ``Raw`` passes through; ``None`` under status 204 is empty.
    """
    match result:
        case Answer():
            return result
        case Raw():
            return Answer(status, result.body, (JSON, *result.headers))
        case Later():
            finished = answer_of(result.value, status)
            if not isinstance(finished, Answer):
                raise TypeError("a stream cannot be answered first")
            return Answer(finished.status, finished.body, finished.headers, result.then)
        case Stream():
            return result.app
        case None if status == 204:
            return NO_CONTENT
        case _:
            return Answer(status, encode(result))
