"""What each kind of error becomes on the wire: the only place that knows both errors and status codes."""

import secrets
from typing import Any

from opencode.core.errors import Conflict, Forbidden, Invalid, NamedError, NotFound, Unauthorized, Unavailable
from opencode.core.log import Logger
from opencode.core.tasks import unwrap
from opencode.http.answer import Answer, json_answer

log = Logger("server")

STATUS_OF: dict[type[NamedError], int] = {
    Invalid: 400,
    Unauthorized: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    NamedError: 500,
    Unavailable: 503,
}

CHALLENGE = (b"www-authenticate", b'Basic realm="Secure Area"')
MESSAGE_LIMIT = 1024


class RequestInvalid(Invalid):
    """A parameter, the query or the body does not have its shape.

    ``kind`` is the part of the request as official clients name it; ``path`` leads to the fault.
    """

    def __init__(self, problem: str, *, kind: str, path: tuple[str | int, ...] = (), code: str = "invalid") -> None:
        where = f"\n  at {''.join(_segment(part) for part in path)}" if path else ""
        super().__init__((problem + where)[:MESSAGE_LIMIT], kind=kind)
        self.path = path
        self.issue = {"code": code, "path": list(path), "message": problem[:MESSAGE_LIMIT]}


class RouteNotFound(NotFound):
    """No operation has this method and path."""

    def __init__(self) -> None:
        super().__init__("Not Found")


def _segment(part: str | int) -> str:
    return f"[{part}]" if isinstance(part, int) else f'["{part}"]'


def status_of(error: NamedError) -> int:
    """The status of the nearest kind."""
    return next(STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF)


def body_of(error: NamedError) -> dict[str, Any]:
    """One body for all generations of clients: ``name``/``data``, ``_tag`` with its fields, ``message``."""
    body = {"name": error.name, "message": error.message, "data": error.data}
    match error:
        case RequestInvalid():
            return {"_tag": error.name, **body, "success": False, "error": [error.issue], "errors": [error.issue]}
        case RouteNotFound():
            return {**body, "error": error.message}
        case _ if error.tag is not None:
            return {**body, "_tag": error.tag, **error.fields}
        case Invalid():
            return {"_tag": "BadRequest", **body}
        case _:
            return body


def error_answer(error: NamedError) -> Answer:
    """The answer to an error that has a name."""
    status = status_of(error)
    return json_answer(status, body_of(error), (CHALLENGE,) if status == 401 else ())


def answer_to_error(error: Exception, *, method: str, path: str) -> Answer:
    """The answer to the error being handled.

    An error without a name becomes a reference that finds it in the log; what went wrong inside stays inside.
    """
    cause = unwrap(error)
    if isinstance(cause, NamedError):
        return error_answer(cause)
    ref = f"err_{secrets.token_hex(4)}"
    log.exception("unexpected error", ref=ref, method=method, path=path)
    message = "Unexpected server error. Check server logs for details."
    return json_answer(500, {"name": "UnknownError", "message": message, "data": {"message": message, "ref": ref}})
