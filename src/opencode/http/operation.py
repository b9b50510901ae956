"""The declaration of one operation: everything the server knows about it, next to its handler.

A handler is written as a plain typed function and the rest is read from its signature::

    @operation("session.update", "PATCH", "/session/{sessionID}", errors=("NotFoundError",))
    async def update_session(instance: Instance, session_id: SessionID, body: UpdateSession) -> Session:
        \"\"\"Change a session's title.\"\"\"
        return await instance.sessions.update(session_id, body)

A handler that waits for nothing is a plain function: it is answered at once, without a task. One that waits only
sometimes is a plain function too and gives back a ``Soon``.

Parameters are filled by name: path parameters (``session_id`` for ``{sessionID}``), ``query`` and ``body`` (records
to decode), ``instance`` (the directory's object graph, opened only for handlers that ask), ``registry`` (all of them),
``shared`` (what the whole process shares), ``table`` (all operations) and ``request``. The return type is what the
document promises.
"""

import inspect
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

from opencode.core.wire import Wire, wire_name
from opencode.http.answer import Later, Raw, Stream
from opencode.http.decoding import BodyDecoder, PathParameter, QueryDecoder, Unchecked, UncheckedDecoder

T = TypeVar("T")

Handler = Callable[..., Any]
Soon: TypeAlias = Coroutine[Any, Any, T] | T
"""A result, or a coroutine for it."""

Source = Literal["official", "seed", "ours"]
Scope = Literal["global", "instance", "session"]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

PROVIDED = ("instance", "registry", "shared", "table", "request")
"""Parameters that are not decoded from the request."""

_PARAMETER = re.compile(r"\{(\w+)\}")


class DeclarationError(TypeError):
    """An operation is declared in a way that cannot work."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the API with the handler that performs it."""

    id: str
    method: Method
    path: str
    handler: Handler
    status: int
    answer: Any
    errors: tuple[str, ...]
    source: Source
    listed: bool
    is_slow: bool | Callable[[Any], bool]
    """Whether the answer may take long; some know from their body."""
    ends_with_client: bool
    directory_in_body: bool
    content_type: str
    parameters: tuple[PathParameter, ...]
    query_type: type[Wire] | None
    body_type: Any
    provided: frozenset[str]
    scope: Scope
    """Which instance performs it: none, that of the request's directory, or that of the named session."""
    query: QueryDecoder[Any] | None = field(repr=False)
    body: BodyDecoder[Any] | UncheckedDecoder | None = field(repr=False)

    @property
    def summary(self) -> str:
        """The first line of the handler's docstring."""
        return (inspect.getdoc(self.handler) or "").partition("\n")[0].rstrip(".")

    @property
    def is_stream(self) -> bool:
        return self.content_type == "text/event-stream"


def operation(
    id: str,
    method: Method,
    path: str,
    *,
    errors: tuple[str, ...] = (),
    status: int = 200,
    source: Source = "official",
    listed: bool = True,
    slow: bool | Callable[[Any], bool] = False,
    ends_with_client: bool = False,
    directory_in_body: bool = False,
) -> Callable[[Handler], Operation]:
    """Declares the decorated function as the handler of an operation.

    ``errors`` names components of the document; ``listed=False`` leaves the operation out of it; ``slow``: the answer
    may take as long as a model does (``http/patience.py``), always or for the bodies it says yes to;
    ``ends_with_client``: a coroutine that is cancelled when the client leaves (``http/departure.py``);
    ``directory_in_body``: the body's ``directory`` chooses the instance where the request does not. Raises
    ``DeclarationError`` when path, parameters and signature do not fit.
    """

    def declare(handler: Handler) -> Operation:
        hints = get_type_hints(handler, include_extras=True)
        if "return" not in hints:
            raise DeclarationError(f"{id}: the handler does not say what it answers")
        arguments = list(inspect.signature(handler).parameters)
        parameters = tuple(_path_parameter(id, name, hints) for name in _PARAMETER.findall(path))
        known = {*PROVIDED, "query", "body", *(parameter.argument for parameter in parameters)}
        if unknown := set(arguments) - known:
            raise DeclarationError(f"{id}: nothing fills {', '.join(sorted(unknown))}")
        answer, content_type = _answer_type(hints["return"])
        query_type = hints.get("query")
        body_type, body = _body(hints.get("body"))
        return Operation(
            id=id,
            method=method,
            path=path,
            handler=handler,
            status=status,
            answer=answer,
            errors=errors,
            source=source,
            listed=listed,
            is_slow=slow,
            ends_with_client=ends_with_client,
            directory_in_body=directory_in_body,
            content_type=content_type,
            parameters=parameters,
            query_type=query_type,
            body_type=body_type,
            provided=frozenset(arguments) & frozenset(PROVIDED),
            scope=_scope(arguments),
            query=QueryDecoder(query_type) if query_type else None,
            body=body,
        )

    return declare


def _scope(arguments: list[str]) -> Scope:
    if "instance" not in arguments:
        return "global"
    return "session" if "session_id" in arguments else "instance"


def _path_parameter(id: str, name: str, hints: dict[str, Any]) -> PathParameter:
    argument = next((hint for hint in hints if wire_name(hint) == name), None)
    if argument is None:
        raise DeclarationError(f"{id}: the handler takes no {name}")
    return PathParameter(name, argument, hints[argument])


def _body(hint: Any) -> tuple[Any, BodyDecoder[Any] | UncheckedDecoder | None]:
    """What the body should be, and what reads it."""
    if hint is None:
        return None, None
    if get_origin(hint) is Unchecked:
        return get_args(hint)[0], UncheckedDecoder()
    return hint, BodyDecoder(hint)


def _answer_type(hint: Any) -> tuple[Any, str]:
    """The type of the answer's content, and its content type."""
    if any(get_origin(option) is Coroutine for option in get_args(hint)):  # ``Soon``
        _, hint = get_args(hint)
    match get_origin(hint):
        case kind if kind is Raw or kind is Later:
            return get_args(hint)[0], "application/json"
        case kind if kind is Stream:
            return get_args(hint)[0], "text/event-stream"
        case _:
            return hint, "application/json"
