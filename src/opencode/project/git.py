"""The git command, called so that a hostile repository or the server's own environment cannot steer it."""

from collections.abc import Mapping
from pathlib import Path

from opencode.core.process import Completed, run_process

TIMEOUT_SECONDS = 60.0
"""Walking the whole history of a very large repository takes this long at most."""

_OPTIONS = (
    "--no-optional-locks",
    "-c", "core.fsmonitor=false",  # would run a program that the repository names
    "-c", "core.hooksPath=/dev/null",
    "-c", "safe.bareRepository=explicit",  # files of a project that look like a repository are none
    "-c", "core.autocrlf=false",
    "-c", "core.longpaths=true",
    "-c", "core.symlinks=true",
    "-c", "core.quotepath=false",
)  # fmt: skip
# Set inside a hook of another repository: they would point every call at that one.
_REPOSITORY_VARIABLES = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_PARAMETERS",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_NAMESPACE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)
# A partial clone fetches what it lacks whenever somebody looks, with commands that its own configuration names.
_NO_FETCHING = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}


class Git:
    """Runs git with the server's environment, in C locale, never asking for a password. It reaches no other place."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        kept = {name: value for name, value in environ.items() if name not in _REPOSITORY_VARIABLES}
        self._environ = {**kept, **_NO_FETCHING, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}

    async def run(self, directory: Path, *arguments: str) -> Completed | None:
        """How the call ended; None when git cannot be started or does not end in time."""
        argv = ("git", *_OPTIONS, *arguments)
        try:
            return await run_process(argv, cwd=directory, env=self._environ, timeout_seconds=TIMEOUT_SECONDS)
        except (OSError, TimeoutError):
            return None

    async def lines(self, directory: Path, *arguments: str) -> list[str] | None:
        """The lines it printed, without the line ends; None when it failed."""
        done = await self.run(directory, *arguments)
        if done is None or done.exit_code != 0:
            return None
        return done.stdout.decode("utf-8", "surrogateescape").splitlines()
