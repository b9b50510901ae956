"""Configuration that comes with a project the user does not trust: its tokens are replaced with care.

What would run a program of the project, or contact an address, as soon as the project is opened is left out.
"""

import re
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from opencode.config.confinement import Confinement
from opencode.config.environment import Environment
from opencode.config.errors import ConfigWithheldError
from opencode.config.merge import Json
from opencode.config.substitute import resolve_file, substitute_value

_TOKEN = re.compile(r"\{(env|file):([^}]+)\}")
_PLAIN = frozenset({"model", "small_model", "default_agent", "username", "logLevel", "theme"})
"""Settings whose value goes no further than this server."""
_TEXTS = frozenset({"agent", "mode", "command"})
"""Settings whose texts go to the model: files of the project may, the user's environment may not."""
_PRIVATE = ("*.env", "*.env.*")
_EXAMPLE = "*.env.example"

Keys = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """One file of the project, read and not yet replaced."""

    data: Json
    source: Path
    home: Path
    environment: Environment

    def filled(self, confinement: Confinement) -> tuple[Json, ConfigWithheldError | None]:
        """The layer with those tokens replaced that may be, and what was left as it is written.

        Raises ``ConfigInvalidError`` when a file that may be read cannot be.
        """
        withheld: list[str] = []
        filled = self._filled(self.data, (), confinement, withheld)
        shell = filled.get("shell")
        if isinstance(shell, str) and not _is_of_the_system(shell, confinement):
            del filled["shell"]
            withheld.append(f"shell {shell}")
        if isinstance(skills := filled.get("skills"), dict) and skills.pop("urls", None):
            withheld.append("skills.urls")
        problem = ConfigWithheldError(self.source, withheld, confinement.remedy) if withheld else None
        return filled, problem

    def _filled(self, value: Any, keys: Keys, confinement: Confinement, withheld: list[str]) -> Any:
        match value:
            case dict():
                return {key: self._filled(item, (*keys, key), confinement, withheld) for key, item in value.items()}
            case list():
                return [self._filled(item, (*keys, at), confinement, withheld) for at, item in enumerate(value)]
            case str() if tokens := _TOKEN.findall(value):
                if all(self._may(kind, name, keys, confinement) for kind, name in tokens):
                    return substitute_value(
                        value,
                        source=self.source,
                        directory=self.source.parent,
                        home=self.home,
                        environment=self.environment,
                    )
                withheld.append(f"{value if len(value) < 100 else 'a text'} at {'.'.join(map(str, keys))}")
        return value

    def _may(self, kind: str, name: str, keys: Keys, confinement: Confinement) -> bool:
        if keys[0] == "provider":
            return len(keys) > 1 and keys[1] not in confinement.redirected
        if kind == "env" or "{" in name:
            return keys[0] in _PLAIN
        path = resolve_file(name, self.source.parent, self.home)
        return keys[0] in _PLAIN | _TEXTS and confinement.admits(path) and not _is_private(path)


def _is_private(path: Path) -> bool:
    """Files that the ``read`` tool asks about."""
    return any(
        fnmatch(name, pattern) and not fnmatch(name, _EXAMPLE)
        for name in (path.name, path.resolve().name)
        for pattern in _PRIVATE
    )


def _is_of_the_system(shell: str, confinement: Confinement) -> bool:
    """Whether a shell is found on the path, or lies outside: no program of a project runs unasked."""
    path = Path(shell).expanduser()
    return "/" not in shell or (path.is_absolute() and not confinement.admits(path))
