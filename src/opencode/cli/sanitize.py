"""An export that can be shown to others: structure, times and figures stay, everything that was said or read goes."""

from collections.abc import Callable
from typing import Any, Final

Json = dict[str, Any]

TEXT_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "text": ("text",),
    "reasoning": ("text",),
    "file": ("url", "filename"),
    "subtask": ("prompt", "description", "command"),
    "snapshot": ("snapshot",),
    "step-start": ("snapshot",),
    "step-finish": ("snapshot",),
    "patch": ("hash",),
}
"""What is said in the parts of each type."""
STATE_TEXTS: Final = ("output", "title", "error", "raw")


def sanitized(export: Json) -> Json:
    """The export with ``[redacted:WHAT:ID]`` for every text that tells of the work."""
    return {
        "info": _session(export["info"]),
        "messages": [
            {"info": _message(message["info"]), "parts": [_part(part) for part in message["parts"]]}
            for message in export["messages"]
        ],
    }


def _mark(what: str, id: object) -> str:
    return f"[redacted:{what}:{id}]"


def _session(info: Json) -> Json:
    id = info["id"]
    kept = _redacted(info, ("title", "directory", "path"), lambda field: _mark(f"session-{field}", id))
    if "metadata" in kept:
        kept["metadata"] = {"redacted": f"session-metadata:{id}"}
    if "share" in kept:
        kept["share"] = {"url": _mark("share", id)}
    if "permission" in kept:
        rules = enumerate(kept["permission"])
        kept["permission"] = [{**rule, "pattern": _mark("permission-pattern", number)} for number, rule in rules]
    if "revert" in kept:
        kept["revert"] = _redacted(kept["revert"], ("diff", "snapshot"), lambda field: _mark(f"revert-{field}", id))
    return _with_diffs(kept, "session")


def _message(info: Json) -> Json:
    id = info["id"]
    kept = _redacted(info, ("system",), lambda field: _mark(field, id))
    if "path" in kept:
        kept["path"] = {name: _mark(name, id) for name in kept["path"]}
    if "structured" in kept:
        kept["structured"] = {"redacted": f"structured:{id}"}
    if "format" in kept and "schema" in kept["format"]:
        kept["format"] = {**kept["format"], "schema": {"redacted": f"schema:{id}"}}
    if "error" in kept:
        kept["error"] = _error(kept["error"], id)
    return _with_diffs(kept, "message")


def _error(error: Json, id: str) -> Json:
    """Its kind and figures: what a provider answers may quote the request."""
    data = {name: value for name, value in error.get("data", {}).items() if isinstance(value, bool | int | float)}
    return {**error, "data": {**data, "message": _mark("error", id)}}


def _with_diffs(info: Json, owner: str) -> Json:
    summary = info.get("summary")
    if not isinstance(summary, dict):
        return info
    id = info["id"]
    kept = _redacted(summary, ("title", "body"), lambda field: _mark(f"{owner}-summary-{field}", id))
    if "diffs" in kept:
        kept["diffs"] = [
            _redacted(diff, ("file", "patch"), lambda field, n=number: _mark(f"{owner}-diff-{field}", n))  # type: ignore[misc]
            for number, diff in enumerate(kept["diffs"])
        ]
    return {**info, "summary": kept}


def _part(part: Json) -> Json:
    id, kind = part["id"], part["type"]
    kept = _redacted(part, TEXT_FIELDS.get(kind, ()), lambda field: _mark(kind if field == "text" else field, id))
    if "metadata" in kept:
        kept["metadata"] = {"redacted": f"{kind}-metadata:{id}"}
    if "files" in kept:
        kept["files"] = [_mark("patch-file", f"{id}-{number}") for number, _ in enumerate(kept["files"])]
    if "source" in kept:
        del kept["source"]
    if kind == "tool":
        kept["state"] = _state(kept["state"], id)
    if kind == "retry":
        kept["error"] = _error(kept["error"], id)
    return kept


def _state(state: Json, id: str) -> Json:
    kept = _redacted(state, STATE_TEXTS, lambda field: _mark(f"tool-{field}", id))
    for name in ("input", "metadata"):
        if name in kept:
            kept[name] = {"redacted": f"tool-{name}:{id}"}
    if "attachments" in kept:
        kept["attachments"] = [_part(attachment) for attachment in kept["attachments"]]
    return kept


def _redacted(record: Json, fields: tuple[str, ...], mark: Callable[[str], str]) -> Json:
    """A copy with marks in place of texts that are there and say something."""
    return {**record, **{field: mark(field) for field in fields if record.get(field)}}
