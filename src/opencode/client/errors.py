"""What can go wrong between a client and a server."""

from typing import Any


class ClientError(Exception):
    """Base of this package's errors; the text is fit for a person."""


class ServerUnreachable(ClientError):
    """No answer at all: nothing listens there, or the connection broke."""

    def __init__(self, base_url: str, reason: str) -> None:
        super().__init__(f"Cannot reach the server at {base_url}: {reason}")


class RequestFailed(ClientError):
    """The server answered with an error status. ``name`` and ``data`` are those of its named error."""

    def __init__(self, status: int, name: str, message: str, data: dict[str, Any]) -> None:
        super().__init__(message)
        self.status = status
        self.name = name
        self.data = data


class StreamLost(ClientError):
    """The event stream broke and could not be opened again."""

    def __init__(self, attempts: int, reason: str) -> None:
        super().__init__(f"The event stream was lost ({attempts} attempts to resume it): {reason}")
