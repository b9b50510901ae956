"""Changes of files as older versions kept them: both contents in place of a patch."""

import difflib
from collections.abc import Iterator
from typing import Any, Final

from opencode.transfer.shape import mapping, without_nulls

PATCH_LINES: Final = 5000
"""Of both contents together; beyond it, comparing them takes too long for what it gives."""
STATUSES: Final = ("added", "deleted", "modified")


def file_diffs(raw: Any) -> list[dict[str, Any]]:
    """The changed files, each with a patch where one can be made."""
    return [file_diff(mapping(one, "a file's change")) for one in raw] if isinstance(raw, list) else []


def file_diff(raw: dict[str, Any]) -> dict[str, Any]:
    """One changed file. The contents themselves are not kept: the patch says what changed."""
    kept = without_nulls(raw)
    before, after = kept.pop("before", None), kept.pop("after", None)
    if "patch" not in kept and isinstance(before, str) and isinstance(after, str):
        patch = "".join(patch_lines(before, after, str(kept.get("file", ""))))
        kept |= {"patch": patch} if patch else {}
    if kept.get("status") not in STATUSES:
        kept.pop("status", None)
    return {"additions": 0, "deletions": 0} | kept


def patch_lines(before: str, after: str, name: str) -> Iterator[str]:
    """A unified patch; nothing when the contents are long."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    if len(old) + len(new) > PATCH_LINES:
        return
    for line in difflib.unified_diff(old, new, fromfile=name, tofile=name):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
