"""Runs git on a snapshot store and a worktree, so that nothing but the store's own settings counts."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from opencode.core.process import OUTPUT_LIMIT_BYTES, run_process
from opencode.snapshot.errors import GitFailed, GitUnusable

TIMEOUT_SECONDS = 60.0
FIRST_TIMEOUT_SECONDS = 300.0
"""For adding or restoring many files."""
INDEX = "index"


class ShadowGit:
    """The git command with the store as repository: no user settings, no hooks, no prompts."""

    def __init__(self, store: Path, worktree: Path, environ: Mapping[str, str]) -> None:
        self.store = store
        self.worktree = worktree
        kept = {key: value for key, value in environ.items() if not key.startswith("GIT_") or key == "GIT_EXEC_PATH"}
        self._environ = {
            **kept,
            "GIT_DIR": str(store),
            "GIT_WORK_TREE": str(worktree),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
        }

    async def output(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        index: str = INDEX,
        accept: Sequence[int] = (0,),
        timeout_seconds: float = TIMEOUT_SECONDS,
        limit_bytes: int = OUTPUT_LIMIT_BYTES,
        may_cut: bool = False,
    ) -> bytes:
        """What git printed. ``may_cut``: the first ``limit_bytes`` of it will do. Raises ``GitFailed``."""
        try:
            done = await run_process(
                ("git", *arguments),
                cwd=self.worktree,
                env={**self._environ, "GIT_INDEX_FILE": str(self.store / index)},
                stdin=stdin,
                timeout_seconds=timeout_seconds,
                output_limit_bytes=limit_bytes,
            )
        except TimeoutError as error:
            raise GitUnusable(f"git {_verb(arguments)}: took longer than {timeout_seconds:.0f} s") from error
        except OSError as error:
            is_missing = isinstance(error, FileNotFoundError) and self.worktree.exists()
            raise (GitUnusable if is_missing else GitFailed)(f"git {_verb(arguments)}: {error}") from error
        if done.exit_code not in accept:
            raise GitFailed(f"git {_verb(arguments)}: {done.stderr.decode('utf-8', 'replace').strip()[-500:]}")
        if done.truncated and not may_cut:
            raise GitFailed(f"git {_verb(arguments)}: printed more than {limit_bytes} bytes")
        return done.stdout

    def unlock(self) -> None:
        """Remove the lock that a killed git left on the index. Only for the one who owns the store."""
        with suppress(OSError):
            (self.store / f"{INDEX}.lock").unlink()


def _verb(arguments: Sequence[str]) -> str:
    """What git was to do, behind the settings of the one call."""
    return next(word for word, before in zip(arguments, ("", *arguments), strict=False) if "-c" not in (word, before))
