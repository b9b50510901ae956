"""Which projects the user trusts (docs/security.md).

A list of its own and no setting: a project's files cannot add to it, and other programs that read the user's
``opencode.json`` refuse keys they do not know.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from opencode.config.environment import TRUE, Environment
from opencode.core.paths import Paths
from opencode.core.text_file import read_text

VARIABLE: Final = "OPENCODE_TRUST"
FILE: Final = "trusted"


def is_trusted(project: Path, paths: Paths, environment: Environment) -> bool:
    """Whether the user's list or environment names the project or a directory above it; links do not matter."""
    said = environment.get(VARIABLE) or ""
    if said.lower() in TRUE:
        return True
    try:
        real = Path(os.path.realpath(project))
    except OSError:  # a link that may not be followed: nobody can say where it leads
        return False
    named = [*said.split(os.pathsep), *_listed(paths.config / FILE)]
    return any(real.is_relative_to(place) for entry in named if (place := _place(entry, paths.home)) is not None)


def how_to_trust(project: Path, paths: Paths) -> str:
    """What to tell the user who wants to."""
    return f"If you trust this project, add the line {project} to {paths.config / FILE} and open it anew."


def _listed(path: Path) -> Iterator[str]:
    """The directories of the list, one on each line; ``#`` begins a comment."""
    try:
        lines = read_text(path).splitlines()
    except OSError:
        return
    yield from (line.strip() for line in lines if not line.lstrip().startswith("#"))


def _place(entry: str, home: Path) -> str | None:
    path = home / entry[2:] if entry.startswith("~/") else Path(entry)
    return os.path.realpath(path) if entry and path.is_absolute() else None
