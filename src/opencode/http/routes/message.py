"""``/session/{id}/message``: messages, their parts, and prompts."""

from collections.abc import Coroutine
from typing import Annotated, Any
from urllib.parse import urlencode

from msgspec import Meta

from opencode.core.ids import MessageID, PartID, SessionID
from opencode.core.wire import UNSET, UnsetType, Wire, set_or
from opencode.http.answer import Header, Raw
from opencode.http.operation import Soon, operation
from opencode.http.request import Request
from opencode.http.schema import AnsweredPrompt
from opencode.instance.instance import Instance
from opencode.session.inputs import MessagePage, PromptInput, ShellInput
from opencode.session.schema import MessageWithParts, Part, TextPartInput

KNOWN = ("BadRequest", "NotFoundError")
NEW_MESSAGE = (*KNOWN, "ConflictError")
"""Of what a client may give an id of its own, which another session may have."""
BUSY = ("BadRequest", "NotFoundError", "SessionBusyError")


class MessageQuery(Wire):
    """The newest ``limit`` messages, older than the cursor ``before``."""

    limit: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    before: str | UnsetType = UNSET


def page_headers(request: Request, next_cursor: str | None) -> tuple[Header, ...]:
    """Where the next page of older messages is."""
    if next_cursor is None:
        return ()
    query = urlencode({**request.query, "before": next_cursor})
    link = f'<{request.base_url}{request.raw_path}?{query}>; rel="next"'
    return ((b"x-next-cursor", next_cursor.encode()), (b"link", link.encode()))


@operation("session.messages", "GET", "/session/{sessionID}/message", errors=KNOWN)
def list_messages(
    instance: Instance, request: Request, session_id: SessionID, query: MessageQuery
) -> Soon[Raw[list[MessageWithParts]]]:
    """Messages of a session with their parts, oldest first."""
    wanted = (session_id, set_or(query.limit, None), set_or(query.before, None))
    page = instance.prompts.few_messages(*wanted)
    return _read_page(request, instance.prompts.messages(*wanted)) if page is None else _page(request, page)


async def _read_page(request: Request, reading: Coroutine[Any, Any, MessagePage]) -> Raw[list[MessageWithParts]]:
    return _page(request, await reading)


def _page(request: Request, page: MessagePage) -> Raw[list[MessageWithParts]]:
    return Raw(page.body, page_headers(request, page.next_cursor))


def _takes_long(prompt: PromptInput) -> bool:
    """Everything but a note of mere text."""
    return prompt.no_reply is not True or not all(isinstance(part, TextPartInput) for part in prompt.parts)


@operation("session.prompt", "POST", "/session/{sessionID}/message", errors=NEW_MESSAGE, slow=_takes_long)
async def prompt(instance: Instance, session_id: SessionID, body: PromptInput) -> Raw[AnsweredPrompt]:
    """Send a prompt and wait for the answer."""
    return Raw(await instance.prompts.prompt(session_id, body))


@operation("session.prompt_async", "POST", "/session/{sessionID}/prompt_async", errors=NEW_MESSAGE, status=204)
async def prompt_async(instance: Instance, session_id: SessionID, body: PromptInput) -> None:
    """Send a prompt; the answer comes as events."""
    await instance.prompts.prompt_async(session_id, body)


@operation("session.shell", "POST", "/session/{sessionID}/shell", errors=BUSY, slow=True)
async def shell(instance: Instance, session_id: SessionID, body: ShellInput) -> Raw[MessageWithParts]:
    """Run a shell command as a message of the session."""
    return Raw(await instance.prompts.shell(session_id, body))


@operation("session.message", "GET", "/session/{sessionID}/message/{messageID}", errors=KNOWN)
async def get_message(instance: Instance, session_id: SessionID, message_id: MessageID) -> Raw[MessageWithParts]:
    """One message with its parts."""
    return Raw(await instance.prompts.message(session_id, message_id))


@operation("session.deleteMessage", "DELETE", "/session/{sessionID}/message/{messageID}", errors=BUSY)
async def delete_message(instance: Instance, session_id: SessionID, message_id: MessageID) -> bool:
    """Remove a message and its parts; files stay as they are."""
    await instance.prompts.delete_message(session_id, message_id)
    return True


@operation("part.update", "PATCH", "/session/{sessionID}/message/{messageID}/part/{partID}", errors=KNOWN)
async def update_part(
    instance: Instance, session_id: SessionID, message_id: MessageID, part_id: PartID, body: Part
) -> Part:
    """Replace a part."""
    return await instance.sessions.update_part(session_id, message_id, part_id, body)


@operation("part.delete", "DELETE", "/session/{sessionID}/message/{messageID}/part/{partID}", errors=KNOWN)
async def delete_part(instance: Instance, session_id: SessionID, message_id: MessageID, part_id: PartID) -> bool:
    """Remove a part."""
    await instance.sessions.delete_part(session_id, message_id, part_id)
    return True


operations = (
    list_messages,
    prompt,
    prompt_async,
    shell,
    get_message,
    delete_message,
    update_part,
    delete_part,
)
