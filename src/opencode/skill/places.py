"""Where skills are looked for (spec: commands and skills, section 4.2)."""

import os
from collections.abc import Iterator
from pathlib import Path

from opencode.config.environment import Environment
from opencode.config.locate import config_directories, upward
from opencode.config.schema import Config
from opencode.core.paths import Paths
from opencode.core.wire import UNSET

SKILL_FILE = "SKILL.md"
_DIRECTORY_LIMIT = 5_000
_NEVER_ENTERED = {"node_modules", ".git"}


def skill_roots(config: Config, directory: Path, worktree: Path, paths: Paths, environment: Environment) -> list[Path]:
    """The folders that may hold skills, lowest first: a later one wins. Among projects the nearest wins."""
    roots = _external_roots(directory, worktree, paths, environment)
    for folder in config_directories(directory, worktree, paths, environment):
        roots += [folder / "skill", folder / "skills"]
    if config.skills is not UNSET and config.skills.paths is not UNSET:
        roots += [_resolved(entry, directory, paths.home) for entry in config.skills.paths]
    return roots


def skill_files(root: Path) -> list[Path]:
    """Every ``SKILL.md`` below a folder, sorted. Links are followed; no directory is entered twice."""
    return sorted(_walk(root))


def _external_roots(directory: Path, worktree: Path, paths: Paths, environment: Environment) -> list[Path]:
    """The folders that other tools use too: in the home, then from the worktree down to the directory."""
    flag = environment.flag
    if flag("OPENCODE_DISABLE_EXTERNAL_SKILLS"):
        return []
    no_claude = flag("OPENCODE_DISABLE_CLAUDE_CODE") or flag("OPENCODE_DISABLE_CLAUDE_CODE_SKILLS")
    names = [".agents"] if no_claude else [".claude", ".agents"]
    outermost_first = [] if flag("OPENCODE_DISABLE_PROJECT_CONFIG") else upward(directory, worktree)[::-1]
    return [folder / name / "skills" for folder in (paths.home, *outermost_first) for name in names]


def _resolved(entry: str, directory: Path, home: Path) -> Path:
    return home / entry[2:] if entry.startswith("~/") else directory / entry


def _walk(root: Path) -> Iterator[Path]:
    entered: set[str] = set()
    for current, folders, files in os.walk(root, followlinks=True):
        entered.add(os.path.realpath(current))
        if len(entered) > _DIRECTORY_LIMIT:
            return
        folders[:] = [
            name
            for name in folders
            if name not in _NEVER_ENTERED and os.path.realpath(f"{current}/{name}") not in entered
        ]
        if SKILL_FILE in files:
            yield Path(current, SKILL_FILE)
