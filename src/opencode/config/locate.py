"""Where configuration is looked for. The order of all sources stands here.

Lowest first; a later source wins, ``plugin`` and ``instructions`` add up (spec: configuration, sections 1 and 2):

0. what the user's organisations say (``auth/well_known.py``)
1. the user's directory: ``config.json``, ``opencode.json``, ``opencode.jsonc``
2. the file that ``OPENCODE_CONFIG`` names
3. the project's files, unless ``OPENCODE_DISABLE_PROJECT_CONFIG``: ``config.json`` of the directory itself (only
   when it is a configuration, since others use that name too); then ``opencode.jsonc`` of the worktree down to the
   directory; then ``opencode.json`` likewise
4. the configuration directories: the user's; each ``.opencode`` from the directory **up** to the worktree, so that
   outer ones win; ``.opencode`` in the home; ``OPENCODE_CONFIG_DIR``. Of each: ``opencode.json``, ``opencode.jsonc``
   (not of the user's directory, whose files were number 1), then its commands, agents, modes and plugins
5. the text in ``OPENCODE_CONFIG_CONTENT``
6. the machine's directory, which its administrator manages: ``opencode.jsonc``, ``opencode.json``
7. ``OPENCODE_PERMISSION``, merged into ``permission``
"""

import sys
from pathlib import Path

from opencode.config.environment import Environment
from opencode.core.paths import Paths

GLOBAL_NAMES = ("config.json", "opencode.json", "opencode.jsonc")
PROJECT_NAMES = ("opencode.jsonc", "opencode.json")
DIRECTORY_NAMES = ("opencode.json", "opencode.jsonc")
MANAGED_NAMES = ("opencode.jsonc", "opencode.json")


def upward(directory: Path, worktree: Path) -> list[Path]:
    """The directory, its parent and so on up to the worktree, or to the root when that is not above."""
    chain = [directory, *directory.parents]
    return chain[: chain.index(worktree) + 1] if worktree in chain else chain


def project_files(directory: Path, worktree: Path) -> list[Path]:
    """The project's files, lowest first; they need not exist."""
    outermost_first = upward(directory, worktree)[::-1]
    return [folder / name for name in PROJECT_NAMES for folder in outermost_first]


def config_directories(directory: Path, worktree: Path, paths: Paths, environment: Environment) -> list[Path]:
    """The configuration directories that exist, lowest first, each once."""
    wanted = [paths.config]
    if not environment.flag("OPENCODE_DISABLE_PROJECT_CONFIG"):
        wanted += [folder / ".opencode" for folder in upward(directory, worktree)]
    wanted.append(paths.home / ".opencode")
    if extra := environment.get("OPENCODE_CONFIG_DIR"):
        wanted.append(directory / extra)
    return [folder for folder in dict.fromkeys(wanted) if folder.is_dir()]


def has_files(folder: Path, paths: Paths) -> bool:
    """Whether the JSON files of a configuration directory count here; those of the user's were read first."""
    return folder != paths.config


def managed_directory(environment: Environment) -> Path:
    """Where the machine's administrator puts configuration."""
    if override := environment.get("OPENCODE_TEST_MANAGED_CONFIG_DIR"):
        return Path(override)
    match sys.platform:
        case "darwin":
            return Path("/Library/Application Support/opencode")
        case "win32":
            return Path(environment.get("ProgramData") or "C:\\ProgramData") / "opencode"
        case _:
            return Path("/etc/opencode")
