"""The kinds of errors a caller of the API can meet. The statuses they become stand in ``http/errors.py``."""

from typing import Any, ClassVar


class NamedError(Exception):
    """An error that the API's caller sees as ``{"name", "message", "data"}``.

    ``name`` is what clients test; ``data`` always holds ``message`` and whatever fields the kind adds. ``tag``
    is the ``_tag`` of the newest official clients, sent with ``fields`` at the top level, where there is one.
    """

    name: ClassVar[str] = "UnknownError"
    tag: ClassVar[str | None] = None

    def __init__(self, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields

    @property
    def data(self) -> dict[str, Any]:
        """The error's own fields, with its message."""
        return {"message": self.message, **self.fields}


class Invalid(NamedError):
    """The request cannot be understood or is not allowed by a rule: the caller must change it (400)."""

    name = "BadRequest"


class Unauthorized(NamedError):
    """No or wrong credentials (401)."""

    name = "UnauthorizedError"
    tag = "UnauthorizedError"


class Forbidden(NamedError):
    """Understood and refused (403)."""

    name = "ForbiddenError"


class NotFound(NamedError):
    """What the request names does not exist (404)."""

    name = "NotFoundError"


class Conflict(NamedError):
    """The state of the thing forbids it just now (409)."""

    name = "ConflictError"


class Unavailable(NamedError):
    """The server cannot do it at present and says why; trying again later may work (503)."""

    name = "ServiceUnavailableError"
