"""What the demonstration model understands: a handful of plain requests, turned into tool calls."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

VERBS = "read|show|open|write|replace|run|find|list|ask me"
QUOTED = re.compile(r"`([^`]*)`|\"([^\"]*)\"")
REMINDER = re.compile(r"<system-reminder>.*?</system-reminder>", re.DOTALL)
SEPARATOR = re.compile(
    rf"\n+|;\s*|[,.]?\s+(?:and\s+)?then\s+|(?:,|\.)?\s+and\s+(?=(?:{VERBS})\b)|[.,]\s+(?=(?:{VERBS})\b)",
    re.IGNORECASE,
)
LEADING = re.compile(r"^(?:please|now|first|finally|can you|could you)[,\s]+", re.IGNORECASE)
FINAL_STOP = re.compile(r"(?<=[\w\x01])[.!]$")


@dataclass(frozen=True, slots=True)
class Action:
    """One tool call. ``says``: what is announced before it; ``done``: what the report says of it."""

    tool: str
    input: dict[str, Any] = field(hash=False)
    says: str
    done: str


def plan(text: str) -> list[Action]:
    """The tool calls that a request asks for, in order; empty when nothing in it is understood."""
    quotes: list[str] = []

    def hide(match: re.Match[str]) -> str:
        quotes.append(match[1] if match[1] is not None else match[2])
        return f"\x01{len(quotes) - 1}\x01"

    def restore(value: str) -> str:
        return re.sub(r"\x01(\d+)\x01", lambda match: quotes[int(match[1])], value).strip()

    hidden = QUOTED.sub(hide, REMINDER.sub("", text))
    actions: list[Action] = []
    for sentence in SEPARATOR.split(hidden):
        actions += _understood(FINAL_STOP.sub("", LEADING.sub("", sentence.strip())), restore)
    return actions


def _understood(sentence: str, restore: Callable[[str], str]) -> list[Action]:
    for pattern, actions in PATTERNS:
        match = pattern.fullmatch(sentence)
        if match:
            return actions(*(restore(group or "") for group in match.groups()))
    return []


def _read(path: str) -> list[Action]:
    return [Action("read", {"filePath": path}, f"Reading {path}.", f"read `{path}`")]


def _write(text: str, path: str) -> list[Action]:
    return [Action("write", {"filePath": path, "content": text + "\n"}, f"Writing {path}.", f"wrote `{path}`")]


def _replace(old: str, new: str, path: str) -> list[Action]:
    edit = {"filePath": path, "oldString": old, "newString": new}
    return [*_read(path), Action("edit", edit, f"Changing {path}.", f"replaced `{old}` with `{new}` in `{path}`")]


def _run(command: str) -> list[Action]:
    call = {"command": command, "description": f"Runs {command}"}
    return [Action("bash", call, f"Running `{command}`.", f"ran `{command}`")]


def _find(text: str, path: str) -> list[Action]:
    where = {"path": path} if path else {}
    return [Action("grep", {"pattern": re.escape(text), **where}, f"Looking for {text}.", f"searched for `{text}`")]


def _list(path: str) -> list[Action]:
    if path in ("", "files", "the files", "all files", "."):
        return [Action("glob", {"pattern": "*"}, "Listing the files.", "listed the files")]
    return [Action("read", {"filePath": path}, f"Listing {path}.", f"listed `{path}`")]


def _ask(question: str) -> list[Action]:
    text, _, given = question.partition(":")
    labels = [label.strip() for label in re.split(r",|\bor\b", given) if label.strip()] or ["Yes", "No"]
    asked = {
        "question": text.strip().rstrip("?") + "?",
        "header": text.strip()[:30],
        "options": [{"label": label, "description": label} for label in labels],
    }
    return [Action("question", {"questions": [asked]}, "I have a question.", "asked you")]


PATTERNS: tuple[tuple[re.Pattern[str], Callable[..., list[Action]]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), actions)
    for pattern, actions in (
        (r"(?:read|show|open)(?: me)?(?: the)?(?: file)?\s+(\S+)", _read),
        (r"write\s+(.+?)\s+(?:in)?to(?: the)?(?: file)?\s+(\S+)", _write),
        (r"replace\s+(.+?)\s+(?:with|by)\s+(.+?)\s+in(?: the)?(?: file)?\s+(\S+)", _replace),
        (r"run(?: the)?(?: command)?\s+(.+)", _run),
        (r"find\s+(.+?)(?:\s+in\s+(\S+))?", _find),
        (r"list(?:\s+(.+?))?", _list),
        (r"ask me\s+(.+)", _ask),
    )
)
