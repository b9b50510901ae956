"""Asking before a tool leaves the project (spec: agents and permissions, 3.8)."""

import os
from pathlib import Path

from opencode.tool.tool import ToolContext


async def ask_external_directory(context: ToolContext, path: Path, *, is_directory: bool = False) -> None:
    """Ask for ``external_directory`` when the path is outside the project; nothing happens when it is inside.

    Also asked when the path is inside and a symbolic link leads out, with where it leads to: the reference looks
    at the spelling alone. Not asked for files that the user put into the prompt (``bypassCwdCheck``).
    """
    if context.extra.get("bypassCwdCheck"):
        return
    outside = outside_of_project(context, path)
    if outside is None:
        return
    directory = outside if is_directory else outside.parent
    pattern = f"{str(directory).rstrip('/')}/*"
    await context.ask(
        "external_directory",
        patterns=[pattern],
        always=[pattern],
        metadata={"filepath": str(outside), "parentDir": str(directory)},
    )


def outside_of_project(context: ToolContext, path: Path) -> Path | None:
    """The path, or where its links lead to, when that is outside the project; None when it stays inside."""
    plain = Path(os.path.normpath(path))
    return _link_target_outside(context, path) if context.contains(plain) else plain


def _link_target_outside(context: ToolContext, path: Path) -> Path | None:
    real = os.path.realpath(path)
    if real == str(path):
        return None
    roots = [context.directory] if str(context.worktree) == "/" else [context.directory, context.worktree]
    return None if any(Path(real).is_relative_to(os.path.realpath(root)) for root in roots) else Path(real)
