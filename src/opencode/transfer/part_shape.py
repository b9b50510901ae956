"""Parts of any version, as today's records."""

from typing import Any, Final, get_args

from opencode.session.schema import Part
from opencode.transfer.errors import Unreadable
from opencode.transfer.shape import UNKNOWN, converted, mapping, text, whole, without_nulls

KINDS: Final = {kind.__struct_config__.tag: kind for kind in get_args(Part)}
INTERRUPTED: Final = "The call had no result when it was imported; it may have had effects"


def part_from(raw: Any, session_id: str, message_id: str, created_ms: int) -> Part:
    """A part of the message, which was made at ``created_ms``. Raises ``Unreadable``.

    A tool call that has no end gets one: nothing runs here that would give it. Snapshots of steps are left out: the
    trees that they name stay in the other program's repository.
    """
    record = without_nulls(mapping(raw, "the part"))
    record |= {"sessionID": session_id, "messageID": message_id}
    kind = record.get("type")
    if kind not in KINDS:
        raise Unreadable(f"a part of the type {kind!r}")
    if "time" in record:
        record["time"] = whole(record["time"])
    match kind:
        case "tool":
            call_id = text(record.get("callID"), str(record.get("id")))
            record |= {"callID": call_id, "tool": text(record.get("tool"), UNKNOWN)}
            record["state"] = _tool_state(mapping(record.get("state"), "a tool's state"), record, created_ms)
        case "step-start":
            record.pop("snapshot", None)
        case "step-finish":
            record.pop("snapshot", None)
            record = {"reason": UNKNOWN, "cost": 0, "tokens": {}} | record
        case "patch":
            record = {"files": []} | record
        case "compaction":
            record = {"auto": False} | record
        case "reasoning":
            record.setdefault("time", {"start": created_ms, "end": created_ms})
        case "subtask":
            record = {"description": "", "agent": UNKNOWN} | record
    return converted(record, Part)  # type: ignore[no-any-return]


def _tool_state(raw: dict[str, Any], part: dict[str, Any], created_ms: int) -> dict[str, Any]:
    state = without_nulls(raw)
    start = whole(state.get("time")).get("start", created_ms)
    time = {"start": start, "end": start} | whole(state.get("time"))
    given = state.get("input")
    state |= {"time": time, "input": given if isinstance(given, dict) else {"input": given} if given else {}}
    match state.get("status"):
        case "completed":
            attachments = state.get("attachments")
            if isinstance(attachments, list):
                state["attachments"] = [_attachment(one, number, part) for number, one in enumerate(attachments, 1)]
            return {"output": "", "title": "", "metadata": {}} | state
        case "error":
            return {"error": UNKNOWN} | state
        case "pending" | "running":
            ended: dict[str, Any] = {"status": "error", "input": state["input"], "error": INTERRUPTED, "time": time}
            return ended | ({"metadata": state["metadata"]} if "metadata" in state else {})
    raise Unreadable(f"a tool call in the state {state.get('status')!r}")


def _attachment(raw: Any, number: int, part: dict[str, Any]) -> dict[str, Any]:
    """A file of a tool's result; some versions gave it no ids."""
    record = without_nulls(mapping(raw, "an attachment"))
    owner = {"sessionID": part["sessionID"], "messageID": part["messageID"]}
    return {"id": f"{part.get('id')}{number}"} | record | owner
