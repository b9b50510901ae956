"""Read and change configuration files for the routes of ``/config`` and ``/global/config``."""

import os
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread

from opencode.config.confinement import Confinement
from opencode.config.edit import edit_jsonc
from opencode.config.environment import Environment
from opencode.config.errors import ConfigPatchInvalid, ConfigWithheldError
from opencode.config.load import ConfigReader
from opencode.config.locate import GLOBAL_NAMES, PROJECT_NAMES
from opencode.config.merge import Json
from opencode.config.parse import find_issues, normalise, without_other_names
from opencode.config.present import presented_layer, without_presented
from opencode.config.trust import how_to_trust, is_trusted
from opencode.core.paths import Paths
from opencode.core.text_file import read_text
from opencode.core.whole_file import write_whole

REMOVABLE = ("shell",)
"""Settings that an empty text takes away."""


class ConfigService:
    """The user's configuration, and changes to it and to those of projects. One per process.

    A change is checked before anything is written, written whole or not at all, and takes effect when the
    instances are opened anew, which is the caller's part.
    """

    def __init__(self, paths: Paths, environment: Environment) -> None:
        self._paths = paths
        self._environment = environment
        self._reader = ConfigReader(paths, environment)
        self._writing = anyio.Lock()

    async def global_config(self) -> Json:
        """The user's own files, merged, as they may be shown. Raises ``ConfigJsonError``, ``ConfigInvalidError``."""
        return presented_layer(await to_thread.run_sync(self._reader.global_layer))

    async def update_global(self, patch: Any) -> Json:
        """Merge a change into the user's file, comments kept; answers like :meth:`global_config`.

        The file is the first of ``opencode.jsonc``, ``opencode.json``, ``config.json`` that exists, else a new
        ``opencode.jsonc``. Raises ``ConfigPatchInvalid``, and when the file is broken already ``ConfigJsonError``
        or ``ConfigInvalidError``; ``FileNotStored`` when the disk refuses. Then nothing is written.
        """
        change = _checked(patch)
        candidates = [self._paths.config / name for name in reversed(GLOBAL_NAMES)]
        async with self._writing:
            await to_thread.run_sync(self._write, _first_existing(candidates), change, True)
        return await self.global_config()

    async def update_project(self, directory: Path, worktree: Path, patch: Any) -> Json:
        """Merge a change into the project's file, comments kept; answers the change.

        The file is ``opencode.json`` or ``opencode.jsonc`` of the directory, else a new ``opencode.json``. Raises
        like :meth:`update_global`, and ``ConfigWithheldError`` when the file is a link that leads out of a project
        that is not trusted. Source: operation ``config.update``; the official server writes a ``config.json`` that
        it does not read.
        """
        change = _checked(patch)
        path = _first_existing([directory / name for name in reversed(PROJECT_NAMES)])
        self._stay_inside(path, directory if worktree == worktree.parent else worktree)
        async with self._writing:
            await to_thread.run_sync(self._write, path, change, False)
        return presented_layer(normalise(change))

    def _stay_inside(self, path: Path, project: Path) -> None:
        confinement = Confinement(root=project)
        if not confinement.admits_found(path) and not is_trusted(project, self._paths, self._environment):
            led = f"it is a link to {os.path.realpath(path)}"
            raise ConfigWithheldError(path, [led], how_to_trust(project, self._paths))

    def _write(self, path: Path, change: Json, private: bool) -> None:
        removed = [key for key in REMOVABLE if change.get(key) == ""]
        kept = {key: value for key, value in change.items() if key not in removed}
        # A file kept elsewhere and linked to stays linked.
        path = path.resolve()
        old = read_text(path) if path.exists() else ""
        self._reader.text(old, source=path, directory=path.parent)
        new = edit_jsonc(old, kept, removed)
        self._reader.text(new, source=path, directory=path.parent)
        write_whole(path, new.encode(), new_mode=0o600 if private else 0o666)


def _checked(patch: Any) -> Json:
    patch = without_other_names(patch)
    if issues := find_issues(patch, absent="null"):
        raise ConfigPatchInvalid(issues)
    change: Json = without_presented(patch)
    return change


def _first_existing(candidates: list[Path]) -> Path:
    """The file that wins among those that exist, else the first to be made."""
    return next((path for path in candidates if path.exists()), candidates[0])
