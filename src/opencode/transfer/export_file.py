"""Exported sessions: files of ours and of any version of OpenCode, and what its share pages give."""

from collections.abc import Iterator
from typing import Any

from opencode.transfer.errors import Unreadable
from opencode.transfer.record import Record

Json = dict[str, Any]


class ExportFile:
    """The one session of an export, as a source of records."""

    def __init__(self, name: str, export: Json) -> None:
        self.name = name
        self._export = export

    @classmethod
    def of(cls, name: str, value: Any) -> "ExportFile":
        """The session of a JSON value. Raises ``Unreadable`` when there is none in it."""
        export = joined(value) if isinstance(value, list) else shared(value) if is_shared(value) else value
        if not isinstance(export, dict) or not isinstance(export.get("info"), dict):
            raise Unreadable(f"{name} holds no session: it should be what `opencode export` prints")
        return cls(name, export)

    def projects(self) -> Iterator[Record]:
        return iter(())

    def sessions(self) -> Iterator[Record]:
        yield Record("info", self._export["info"])

    def messages(self, session_id: str) -> Iterator[tuple[Record, list[Record]]]:
        """In the order of the file."""
        messages = self._export.get("messages")
        for number, message in enumerate(messages if isinstance(messages, list) else []):
            place = f"messages[{number}]"
            if not isinstance(message, dict):
                yield Record(place, fault="no object"), []
                continue
            parts = message.get("parts")
            found = enumerate(parts if isinstance(parts, list) else [])
            yield Record(f"{place}.info", message.get("info")), [Record(f"{place}.parts[{n}]", one) for n, one in found]

    def todos(self, session_id: str) -> Record | None:
        return None

    def saved_permissions(self) -> int:
        return 0


def joined(items: list[Any]) -> Json:
    """An export from the flat list of a share page: ``{type, data}`` for the session, each message and each part."""
    by_type: dict[str, list[Json]] = {"session": [], "message": [], "part": []}
    for item in items:
        if isinstance(item, dict) and item.get("type") in by_type and isinstance(item.get("data"), dict):
            by_type[item["type"]].append(item["data"])
    parts: dict[object, list[Json]] = {}
    for part in sorted(by_type["part"], key=lambda part: str(part.get("id"))):
        parts.setdefault(part.get("messageID"), []).append(part)
    messages = sorted(by_type["message"], key=_age)
    return {
        "info": by_type["session"][-1] if by_type["session"] else None,
        "messages": [{"info": info, "parts": parts.get(info.get("id"), [])} for info in messages],
    }


def is_shared(value: Any) -> bool:
    """Whether a JSON value is what a server of ours gives to readers of a shared session."""
    return isinstance(value, dict) and isinstance(value.get("session"), dict) and "info" not in value


def shared(history: Json) -> Json:
    """An export from what readers of a shared session get: they see no directory, and its id in the messages only."""
    messages = history.get("messages")
    first = messages[0] if isinstance(messages, list) and messages else None
    message = first.get("info") if isinstance(first, dict) else None
    id = message.get("sessionID") if isinstance(message, dict) else None
    info = {**history["session"], "id": id, "directory": "/"} if id else None
    return {"info": info, "messages": messages}


def _age(message: Json) -> tuple[float, str]:
    time = message.get("time")
    created = time.get("created") if isinstance(time, dict) else None
    return created if isinstance(created, int | float) else 0, str(message.get("id"))
