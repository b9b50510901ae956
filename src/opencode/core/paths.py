"""The application directories (spec: CLI, section 3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """Absolute paths of one user's OpenCode directories; nothing is created by making this."""

    home: Path
    data: Path
    config: Path
    state: Path
    cache: Path

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Paths":
        """The XDG directories, each with ``opencode`` appended; ``OPENCODE_TEST_HOME`` replaces the home."""
        home = Path(environ.get("OPENCODE_TEST_HOME") or environ.get("HOME") or Path.home())

        def xdg(variable: str, default: str) -> Path:
            base = environ.get(variable)
            return (Path(base) if base else home / default) / "opencode"

        return cls(
            home=home,
            data=xdg("XDG_DATA_HOME", ".local/share"),
            config=xdg("XDG_CONFIG_HOME", ".config"),
            state=xdg("XDG_STATE_HOME", ".local/state"),
            cache=xdg("XDG_CACHE_HOME", ".cache"),
        )

    @property
    def database(self) -> Path:
        """Our database; never the official server's ``opencode.db``."""
        return self.data / "opencode-server.db"

    @property
    def search_index(self) -> Path:
        """What session search finds things with; may be removed at any time."""
        return self.data / "opencode-server-search.db"

    @property
    def tool_output(self) -> Path:
        """Whole outputs of tools whose output was truncated."""
        return self.data / "tool-output"

    @property
    def log(self) -> Path:
        return self.data / "log"
