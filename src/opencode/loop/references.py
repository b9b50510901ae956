"""``@file`` and ``@agent`` in a text become parts of a prompt (spec: messages, section 3.8)."""

import os
import re
from pathlib import Path

from opencode.agent.errors import AgentNotFound
from opencode.agent.service import AgentService
from opencode.loop.file_parts import DIRECTORY
from opencode.session.schema import AgentPartInput, FilePartInput

_REFERENCE = re.compile(r"(?<![\w`])@(\.?[^\s`,.]*(?:\.[^\s`,.]+)*)")
"""No ``@`` inside a word (an address) or code; a dot at the end belongs to the sentence."""


def reference_names(text: str) -> list[str]:
    """The names after ``@``, each once, in the order in which they appear."""
    return [name for name in dict.fromkeys(_REFERENCE.findall(text)) if name not in ("", ".")]


class References:
    """Knows what names can stand for in one directory. Paths are relative to the worktree, or ``~/``."""

    def __init__(self, agents: AgentService, directory: Path, worktree: Path, home: Path) -> None:
        self._agents = agents
        self._root = directory if str(worktree) == "/" else worktree
        self._home = home

    def files(self, text: str) -> list[FilePartInput]:
        """The files and directories that a text refers to."""
        return [part for part in self.parts(text) if isinstance(part, FilePartInput)]

    def parts(self, text: str) -> list[FilePartInput | AgentPartInput]:
        """A part for each name that is a file, a directory or else an agent; other names are just text."""
        found = (self._file(name) or self._agent(name) for name in reference_names(text))
        return [part for part in found if part is not None]

    def _file(self, name: str) -> FilePartInput | None:
        path = os.path.normpath(self._home / name[2:] if name.startswith("~/") else self._root / name)
        # These say False where others raise: names may be far too long, or hold what no path may hold.
        if not os.path.exists(path):  # noqa: PTH110
            return None
        mime = DIRECTORY if os.path.isdir(path) else "text/plain"  # noqa: PTH112
        return FilePartInput(mime=mime, filename=name, url=Path(path).as_uri())

    def _agent(self, name: str) -> AgentPartInput | None:
        try:
            return AgentPartInput(name=self._agents.get(name).name)
        except AgentNotFound:
            return None
