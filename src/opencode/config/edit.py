"""Change values in a JSONC text and leave everything else, comments too, as it stands."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from opencode.config.merge import Json
from opencode.config.spans import Span, read_spans

INDENT = "  "


@dataclass(frozen=True, slots=True)
class _Edit:
    """Text to put in place of a range."""

    start: int
    end: int
    text: str


def edit_jsonc(text: str, patch: Json, removed: Collection[str] = ()) -> str:
    """The text with ``patch`` merged into its outermost object, and without the keys ``removed`` of that object.

    Objects are merged key by key, every other value is replaced; new keys go to the end of their object. The text
    is known to be a valid object, or is empty.
    """
    if not text.strip("\ufeff \t\r\n"):
        return json.dumps(patch, indent=2, ensure_ascii=False) + "\n"
    # Keys go before others come: what a removal leaves behind is then the text to add to.
    text = _apply(text, _removals(read_spans(text), removed))
    return _apply(text, _edits(text, read_spans(text), patch))


def _apply(text: str, edits: list[_Edit]) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end), reverse=True):
        text = text[: edit.start] + edit.text.replace("\n", newline) + text[edit.end :]
    return text


def _edits(text: str, span: Span, patch: Json) -> list[_Edit]:
    members = span.members or []
    present = {member.key: member.value for member in members}
    edits: list[_Edit] = []
    for key in patch.keys() & present.keys():
        old, new = present[key], patch[key]
        if isinstance(new, dict) and old.members is not None:
            edits += _edits(text, old, new)
        else:
            edits.append(_Edit(old.start, old.end, _dump(new, _indent_at(text, old.start))))
    added = {key: value for key, value in patch.items() if key not in present}
    return edits + (_additions(text, span, added) if added else [])


def _additions(text: str, span: Span, added: Json) -> list[_Edit]:
    """New keys before the closing brace, and a comma after what was last."""
    close = span.end - 1
    outer = _indent_at(text, span.start)
    inner = _key_indent(text, span) or outer + INDENT
    lines = [f"{inner}{json.dumps(key, ensure_ascii=False)}: {_dump(value, inner)}" for key, value in added.items()]
    edits = [_Edit(len(text[:close].rstrip()), close, "\n" + ",\n".join(lines) + f"\n{outer}")]
    if span.members and span.members[-1].comma is None:
        last = span.members[-1].value.end
        edits.append(_Edit(last, last, ","))
    return edits


def _removals(span: Span, removed: Collection[str]) -> list[_Edit]:
    """Each key with its value and a comma: the one after it, or the one before it when it is the last."""
    members = span.members or []
    edits: list[_Edit] = []
    for index, member in enumerate(members):
        if member.key not in removed:
            continue
        end = member.value.end if member.comma is None else member.comma + 1
        edits.append(_Edit(member.start, end, ""))
        before = members[index - 1] if index else None
        if member.comma is None and before and before.comma is not None and before.key not in removed:
            edits.append(_Edit(before.comma, before.comma + 1, ""))
    return edits


def _key_indent(text: str, span: Span) -> str | None:
    """The indentation of the first key that stands on a line of its own."""
    for member in span.members or []:
        line_start = text.rfind("\n", 0, member.start) + 1
        if line_start and not text[line_start : member.start].strip():
            return text[line_start : member.start]
    return None


def _indent_at(text: str, index: int) -> str:
    """The white space that the line of a place begins with."""
    line = text[text.rfind("\n", 0, index) + 1 : index]
    return line[: len(line) - len(line.lstrip())]


def _dump(value: Any, indent: str) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False).replace("\n", "\n" + indent)
