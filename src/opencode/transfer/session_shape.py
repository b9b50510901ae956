"""Sessions of any version, as today's records."""

from pathlib import PurePosixPath
from typing import Any, Final

from opencode.core.wire import UNSET, replace
from opencode.project.schema import Project
from opencode.session.schema import Session, Todo
from opencode.transfer.file_diff_shape import file_diffs
from opencode.transfer.shape import UNKNOWN, Raw, converted, mapping, text, whole, without_nulls

SLUG_CHARACTERS: Final = 8
FOREIGN: Final = ("share", "workspaceID")
"""What only the program that made the session can use."""


def session_from(raw: Any) -> Session:
    """A session. The snapshot it can go forward to and its link for readers stay behind. Raises ``Unreadable``."""
    record = without_nulls(mapping(raw, "the session"))
    time = whole(record.get("time"))
    time.pop("compacting", None)
    time.setdefault("updated", time.get("created"))
    record |= {
        "time": time,
        "slug": text(record.get("slug"), str(record.get("id", ""))[-SLUG_CHARACTERS:].lower()),
        "version": text(record.get("version"), UNKNOWN),
        "title": text(record.get("title"), UNKNOWN),
        "projectID": text(record.get("projectID"), "global"),
    }
    for name in FOREIGN:
        record.pop(name, None)
    if not isinstance(record.get("permission"), list):
        record.pop("permission", None)
    if isinstance(record.get("summary"), dict):
        record["summary"] = _summary(record["summary"])
    session: Session = converted(record, Session)
    if session.revert is not UNSET:
        return replace(session, revert=replace(session.revert, snapshot=UNSET))
    return session


def placed(session: Session, project: Project | None) -> Session:
    """The session with its path in the project's work tree, where older versions did not say it."""
    if session.path is not UNSET or project is None:
        return session
    directory, worktree = PurePosixPath(session.directory), PurePosixPath(project.worktree)
    path = directory.relative_to(worktree).as_posix() if directory.is_relative_to(worktree) else ""
    return replace(session, path="" if path == "." else path)


def project_from(raw: Any) -> Project:
    """A project. Raises ``Unreadable``."""
    record = without_nulls(mapping(raw, "the project"))
    time = whole(record.get("time"))
    time.setdefault("updated", time.get("created"))
    if record.get("vcs") != "git":
        record.pop("vcs", None)
    return converted({"sandboxes": []} | record | {"time": time}, Project)  # type: ignore[no-any-return]


def todos_from(raw: Any) -> list[Todo]:
    """A task list; items without an id have their position as one. Raises ``Unreadable``."""
    items = [without_nulls(mapping(one, "a task")) for one in raw] if isinstance(raw, list) else []
    defaults = {"status": "pending", "priority": "medium"}
    numbered = [defaults | one | {"id": str(one.get("id", n))} for n, one in enumerate(items, 1)]
    return converted(numbered, list[Todo])  # type: ignore[no-any-return]


def share_url(raw: Raw) -> str | None:
    """Where OpenCode shows the session to others."""
    share = raw.get("share")
    url = share.get("url") if isinstance(share, dict) else None
    return url if isinstance(url, str) and url else None


def _summary(raw: dict[str, Any]) -> dict[str, Any]:
    diffs = file_diffs(raw.get("diffs"))
    totals = {
        "additions": sum(one["additions"] for one in diffs),
        "deletions": sum(one["deletions"] for one in diffs),
        "files": len(diffs),
    }
    known = without_nulls(raw) | ({"diffs": diffs} if "diffs" in raw else {})
    return totals | known
