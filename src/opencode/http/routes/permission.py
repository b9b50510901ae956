"""``/permission``: asks that wait for a person."""

from typing import Literal

from opencode.core.ids import PermissionID, SessionID
from opencode.core.wire import UNSET, UnsetType, Wire, set_or
from opencode.http.operation import operation
from opencode.instance.instance import Instance
from opencode.permission.schema import PermissionReply, PermissionRequest


class ReplyBody(Wire):
    """The decision; ``message`` tells the model what to do instead."""

    reply: PermissionReply
    message: str | UnsetType = UNSET


REPLIES: dict[str, PermissionReply] = {"allow": "once", "approve": "once", "deny": "reject"}


class RespondBody(Wire):
    """The decision, as older clients send it. ``remember``: an allowance is for good."""

    response: PermissionReply | Literal["allow", "approve", "deny"]
    remember: bool | UnsetType = UNSET


def reply_of(body: RespondBody) -> PermissionReply:
    """The same in today's words."""
    reply = REPLIES.get(body.response, body.response)
    return "always" if reply == "once" and body.remember is True else reply  # type: ignore[return-value]


@operation("permission.list", "GET", "/permission")
def list_permissions(instance: Instance) -> list[PermissionRequest]:
    """Asks that wait, of all sessions of the instance."""
    return instance.permissions.pending()


@operation("permission.reply", "POST", "/permission/{requestID}/reply", errors=("PermissionNotFoundError",))
async def reply(instance: Instance, request_id: PermissionID, body: ReplyBody) -> bool:
    """Allow once, allow always, or reject."""
    await instance.permissions.reply(request_id, body.reply, set_or(body.message, None))
    return True


@operation(
    "permission.respond",
    "POST",
    "/session/{sessionID}/permissions/{permissionID}",
    errors=("NotFoundError", "PermissionNotFoundError"),
)
async def respond(instance: Instance, session_id: SessionID, permission_id: PermissionID, body: RespondBody) -> bool:
    """Reply to an ask of a session. Deprecated: ``permission.reply``."""
    await instance.permissions.reply(permission_id, reply_of(body))
    return True


operations = (list_permissions, reply, respond)
