"""Answers of the server: their errors as exceptions."""

import httpx2
import msgspec

from opencode.client.errors import RequestFailed


async def check(response: httpx2.Response) -> None:
    """Raise :class:`RequestFailed` for an error status, with the server's own name and message where it gives them."""
    if response.is_success:
        return
    body = await response.aread()
    raise _failure(response.status_code, response.reason_phrase, body)


def _failure(status: int, reason: str, body: bytes) -> RequestFailed:
    try:
        answer = msgspec.json.decode(body)
    except msgspec.DecodeError:
        answer = None
    if not isinstance(answer, dict):
        return RequestFailed(status, "UnknownError", f"The server answered {status} {reason}", {})
    data = answer.get("data")
    data = data if isinstance(data, dict) else {}
    message = data.get("message") or answer.get("message") or f"The server answered {status} {reason}"
    return RequestFailed(status, str(answer.get("name", "UnknownError")), str(message), data)
