"""What the work of a handler comes to: an answer in any case."""

from collections.abc import Awaitable

from opencode.http.answer import Answer, AsgiApp, answer_of
from opencode.http.errors import answer_to_error
from opencode.http.request import ClientGone


async def outcome(work: Awaitable[object], status: int, *, method: str, path: str) -> Answer | AsgiApp:
    """The edge of a request: every error becomes an answer, except ``ClientGone``, which nobody would read."""
    try:
        return answer_of(await work, status)
    except ClientGone:
        raise
    except Exception as error:  # noqa: BLE001 (the edge of a request)
        return answer_to_error(error, method=method, path=path)
