"""What a client knows: the state it folds the events of its stream into, and the same read from the server."""

from collections.abc import Awaitable, Callable
from typing import Any

Json = dict[str, Any]
Get = Callable[[str], Awaitable[Any]]

EVERYTHING = 1_000_000


class ClientState:
    """Sessions, messages, parts and what belongs to them, in the order in which they came.

    ``uncertain`` holds the growing parts that were loaded rather than followed from their start: what is stored of
    them lags a moment behind, so their text is only right once they are told again.
    """

    def __init__(self) -> None:
        self.sessions: dict[str, Json] = {}
        self.messages: dict[str, dict[str, Json]] = {}
        self.parts: dict[str, dict[str, Json]] = {}
        self.statuses: dict[str, Json] = {}
        self.todos: dict[str, list[Json]] = {}
        self.permissions: dict[str, Json] = {}
        self.uncertain: set[str] = set()

    def apply(self, kind: str, properties: Json) -> None:
        """Fold one event in; unknown ones change nothing."""
        match kind:
            case "session.created" | "session.updated":
                self.sessions[properties["info"]["id"]] = properties["info"]
            case "session.deleted":
                self._forget_session(properties["info"]["id"])
            case "session.status":
                self._set_status(properties["sessionID"], properties["status"])
            case "message.updated":
                info = properties["info"]
                self.messages.setdefault(info["sessionID"], {})[info["id"]] = info
            case "message.removed":
                self.messages.get(properties["sessionID"], {}).pop(properties["messageID"], None)
                self.parts.pop(properties["messageID"], None)
            case "message.part.updated":
                part = properties["part"]
                self.parts.setdefault(part["messageID"], {})[part["id"]] = part
                self.uncertain.discard(part["id"])
            case "message.part.delta":
                part = self.parts.get(properties["messageID"], {}).get(properties["partID"])
                if part is not None:
                    part[properties["field"]] += properties["delta"]
            case "message.part.removed":
                self.parts.get(properties["messageID"], {}).pop(properties["partID"], None)
            case "todo.updated":
                self.todos[properties["sessionID"]] = properties["todos"]
            case "permission.asked":
                self.permissions[properties["id"]] = properties
            case "permission.replied":
                self.permissions.pop(properties["requestID"], None)

    def shown(self) -> Json:
        """All of it, to be compared; messages and parts with their order. Empty entries count as absent."""
        messages = {
            session_id: [(info, list(self.parts.get(message_id, {}).values())) for message_id, info in infos.items()]
            for session_id, infos in self.messages.items()
            if infos
        }
        known = {message_id for infos in self.messages.values() for message_id in infos}
        return {
            "sessions": self.sessions,
            "messages": messages,
            "parts without a message": {key: parts for key, parts in self.parts.items() if parts and key not in known},
            "statuses": self.statuses,
            "todos": {key: todos for key, todos in self.todos.items() if todos},
            "permissions": self.permissions,
        }

    def _set_status(self, session_id: str, status: Json) -> None:
        if status["type"] == "idle":
            self.statuses.pop(session_id, None)
        else:
            self.statuses[session_id] = status

    def _forget_session(self, session_id: str) -> None:
        self.sessions.pop(session_id, None)
        self.statuses.pop(session_id, None)
        self.todos.pop(session_id, None)
        self.messages.pop(session_id, None)
        # By the session, not by its messages: when events come again, a part may come after its message was removed.
        for message_id, parts in list(self.parts.items()):
            if any(part["sessionID"] == session_id for part in parts.values()):
                del self.parts[message_id]


async def load(get: Get, directories: list[str]) -> ClientState:
    """The state of some directories as the server answers it. ``get`` takes a path with its query."""
    state = ClientState()
    for directory in directories:
        sessions = [
            s for s in await get(f"/session?directory={directory}&limit={EVERYTHING}") if s["directory"] == directory
        ]
        state.statuses |= await get(f"/session/status?directory={directory}")
        state.permissions |= {asked["id"]: asked for asked in await get(f"/permission?directory={directory}")}
        for session in sessions:
            state.sessions[session["id"]] = session
            if todos := await get(f"/session/{session['id']}/todo"):
                state.todos[session["id"]] = todos
            await _load_messages(state, get, session["id"])
    return state


async def _load_messages(state: ClientState, get: Get, session_id: str) -> None:
    for message in await get(f"/session/{session_id}/message"):
        message_id = message["info"]["id"]
        state.messages.setdefault(session_id, {})[message_id] = message["info"]
        state.parts[message_id] = {part["id"]: part for part in message["parts"]}
        state.uncertain |= {part["id"] for part in message["parts"] if is_growing(part)}


def is_growing(part: Json) -> bool:
    """Whether more text may follow."""
    return part["type"] in ("text", "reasoning") and "end" not in part.get("time", {"end": 0})


def differences(client: Json, server: Json, path: str = "") -> list[str]:
    """Where two states differ, in words."""
    if type(client) is not type(server):
        return [f"{path}: client {client!r:.300}, server {server!r:.300}"]
    if isinstance(client, dict):
        found = []
        for key in [*server, *(key for key in client if key not in server)]:
            if key not in client or key not in server:
                side = "server" if key in server else "client"
                found.append(f"{path}/{key}: only in the {side}: {(server if key in server else client)[key]!r:.300}")
            else:
                found += differences(client[key], server[key], f"{path}/{key}")
        return found
    if isinstance(client, list | tuple) and len(client) == len(server):
        return [
            d for i, pair in enumerate(zip(client, server, strict=True)) for d in differences(*pair, f"{path}[{i}]")
        ]
    return [] if client == server else [f"{path}: client {client!r:.300}, server {server!r:.300}"]
