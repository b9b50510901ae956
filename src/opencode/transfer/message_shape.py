"""Messages of any version, as today's records."""

from typing import Any, Final, get_args

from opencode.core.wire import UNSET, replace
from opencode.session.schema import AssistantMessage, Message, MessageError, UserMessage
from opencode.transfer.errors import Unreadable
from opencode.transfer.file_diff_shape import file_diffs
from opencode.transfer.shape import UNKNOWN, converted, mapping, text, whole, without_nulls

ERRORS: Final = {kind.__struct_config__.tag for kind in get_args(MessageError)}
DEFAULT_AGENT: Final = "build"


def message_from(raw: Any, session_id: str, directory: str, asked: str) -> Message:
    """A message of the session. ``asked``: the prompt before it, for answers that do not say theirs.

    Raises ``Unreadable``.
    """
    record = without_nulls(mapping(raw, "the message"))
    record |= {"sessionID": session_id, "time": whole(record.get("time"))}
    match record.get("role"):
        case "user":
            return _user(record)
        case "assistant":
            return _assistant(record, directory, asked)
    raise Unreadable(f"a message with the role {record.get('role')!r}")


def _user(record: dict[str, Any]) -> UserMessage:
    model = record.get("model")
    if not isinstance(model, dict):
        model = {"providerID": record.get("providerID", UNKNOWN), "modelID": record.get("modelID", UNKNOWN)}
    record |= {"agent": text(record.get("agent"), text(record.get("mode"), DEFAULT_AGENT)), "model": model}
    summary = record.get("summary")
    if isinstance(summary, dict):
        record["summary"] = without_nulls(summary) | {"diffs": file_diffs(summary.get("diffs"))}
    else:
        record.pop("summary", None)
    message: UserMessage = converted(record, UserMessage)
    variant = message.variant if message.model.variant is UNSET else message.model.variant
    return replace(message, variant=variant, model=replace(message.model, variant=variant))


def _assistant(record: dict[str, Any], directory: str, asked: str) -> AssistantMessage:
    """An answer. One without an end has ended: clients would take it for one that is at work."""
    parent_id = text(record.get("parentID"), asked)
    agent = text(record.get("agent"), text(record.get("mode"), DEFAULT_AGENT))
    record |= {
        "agent": agent,
        "mode": text(record.get("mode"), agent),
        "parentID": parent_id if parent_id.startswith("msg") else asked or record.get("id"),
        "modelID": text(record.get("modelID"), UNKNOWN),
        "providerID": text(record.get("providerID"), UNKNOWN),
    }
    if not isinstance(record.get("path"), dict):
        record["path"] = {"cwd": directory, "root": directory}
    if not isinstance(record.get("summary"), bool):
        record.pop("summary", None)
    record["time"].setdefault("completed", record["time"].get("created"))
    if "error" in record:
        record["error"] = _error(record["error"])
    return converted(record, AssistantMessage)  # type: ignore[no-any-return]


def _error(raw: Any) -> Any:
    """The error; one of a kind that is not known by what it says."""
    error = mapping(raw, "the error of a message")
    given = error.get("data")
    data = given if isinstance(given, dict) else {}
    if error.get("name") in ERRORS:
        return error | {"data": without_nulls(data)}
    return {"name": "UnknownError", "data": {"message": text(data.get("message"), text(error.get("name"), UNKNOWN))}}
