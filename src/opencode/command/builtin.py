"""The commands that are always there, unless configuration replaces them."""

from pathlib import Path

from opencode.command.schema import Command

_ARGUMENTS = ["$ARGUMENTS"]


def builtin_commands(worktree: Path) -> list[Command]:
    """``init`` and ``review``, in this order."""
    return [
        Command(
            name="init",
            description="guided AGENTS.md setup",
            source="command",
            template=_template("init").replace("${path}", str(worktree)),
            hints=_ARGUMENTS,
        ),
        Command(
            name="review",
            description="review changes [commit|branch|pr], defaults to uncommitted",
            source="command",
            template=_template("review"),
            subtask=True,
            hints=_ARGUMENTS,
        ),
    ]


def _template(name: str) -> str:
    return (Path(__file__).parent / "templates" / f"{name}.md").read_text("utf-8").strip()
