"""Instruction files such as ``AGENTS.md``: those that always hold, and those met on the way.

Source: spec "system prompt", section 4.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from anyio import to_thread

from opencode.config.confinement import UNCONFINED, Confinement
from opencode.config.environment import Environment
from opencode.config.locate import upward
from opencode.config.schema import Config
from opencode.core.ids import MessageID
from opencode.core.paths import Paths
from opencode.core.text_file import read_text
from opencode.core.wire import UNSET, set_or
from opencode.loop.instruction_pages import InstructionPages, is_url
from opencode.session.schema import MessageWithParts, ToolPart, ToolStateCompleted
from opencode.tool.tool import ToolContext

T = TypeVar("T")

GLOB_LIMIT = 1000
"""Paths that one entry may match: what they hold goes into every prompt."""

CLAIMING_MESSAGES = 1000
"""Messages whose claims are remembered when nobody releases them."""


@dataclass(frozen=True, slots=True)
class InstructionFile:
    """The text of one instruction file or address, with where it comes from."""

    source: str
    content: str

    @property
    def block(self) -> str:
        """What the model reads."""
        return f"Instructions from: {self.source}\n{self.content}"


class InstructionFiles:
    """The instruction files of one directory.

    Files are read anew each time, so that the model's own changes to them count; addresses only every few minutes.
    """

    def __init__(
        self,
        directory: Path,
        worktree: Path,
        paths: Paths,
        config: Config,
        environment: Environment,
        confinement: Confinement = UNCONFINED,
    ) -> None:
        self._confinement = confinement
        self._directory = directory
        self._worktree = worktree
        self._paths = paths
        self._wanted: list[str] = set_or(config.instructions, [])
        self._environment = environment
        self._pages = InstructionPages([entry for entry in self._wanted if is_url(entry)])
        self._claims: dict[MessageID, set[Path]] = {}

    async def system(self) -> list[InstructionFile]:
        """Those that hold for the whole session: the user's own, the project's, then what configuration names.

        What cannot be read or fetched, or is empty, is left out.
        """
        files = [InstructionFile(str(path), text) for path, text in await self._on_thread(self._system_texts)]
        pages = [InstructionFile(url, text) for url, text in (await self._pages.texts()).items()]
        return [file for file in [*files, *pages] if file.content.strip()]

    async def nested(self, file: Path, context: ToolContext) -> list[Path]:
        """Those of the directories between a file just read and the instance directory, the nearest first.

        Each is given once: not again while a read that brought it is in the history and not pruned, and not twice
        to parallel reads of one message. The paths belong into the read's ``metadata.loaded``.
        """
        known = _loaded(context.history)
        found = await self._on_thread(lambda: self._nested_paths(file))
        # No await from here on: parallel reads of one message must not claim the same file.
        claims = self._claims.setdefault(context.message_id, set())
        fresh = [path for path in found if str(path) not in known and path not in claims]
        claims.update(fresh)
        while len(self._claims) > CLAIMING_MESSAGES:
            self._claims.pop(next(iter(self._claims)))
        return fresh

    def release(self, message_id: MessageID) -> None:
        """Forget what was claimed for a message whose step has ended; its history tells from now on."""
        self._claims.pop(message_id, None)

    async def _on_thread(self, look: Callable[[], T]) -> T:
        # Some look-ups are cheaper than a thread; globs may walk far.
        return await to_thread.run_sync(look) if self._wanted else look()

    # --- which files ---

    def _system_texts(self) -> list[tuple[Path, str]]:
        return [(path, text) for path in self._system_paths() if (text := _read(path)) is not None]

    def _system_paths(self) -> list[Path]:
        """Without duplicates, in order."""
        places = [*self._global_files(), *self._project_files(), *self._configured_files()]
        return list(dict.fromkeys(places))

    def _global_files(self) -> list[Path]:
        own = self._environment.get("OPENCODE_CONFIG_DIR")
        candidates = [Path(own) / "AGENTS.md"] if own else []
        candidates.append(self._paths.config / "AGENTS.md")
        if self._reads_claude_files:
            candidates.append(self._paths.home / ".claude" / "CLAUDE.md")
        return [path for path in candidates if path.is_file()][:1]

    def _project_files(self) -> list[Path]:
        if not self._reads_project:
            return []
        for name in self._names:
            matches = [path for folder in self._upwards() if self._is_usable(path := folder / name)]
            if matches:
                return matches
        return []

    def _configured_files(self) -> Iterator[Path]:
        for entry in self._wanted:
            if is_url(entry):
                continue
            pattern = Path(self._paths.home, entry[2:]) if entry.startswith("~/") else Path(entry)
            places = (
                [(pattern.parent, pattern.name)]
                if pattern.is_absolute()
                else [(folder, entry) for folder in self._roots_of_relative_entries()]
            )
            for folder, name in places:
                yield from (path for path in _glob(folder, name) if self._confinement.admits_instructions(entry, path))

    def _roots_of_relative_entries(self) -> list[Path]:
        if self._reads_project:
            return self._upwards()
        own = self._environment.get("OPENCODE_CONFIG_DIR")
        return [Path(own)] if own else []

    def _nested_paths(self, file: Path) -> list[Path]:
        """The first of the names in each directory strictly between; not the file itself, not system-level ones."""
        if not self._reads_project:
            return []
        found: list[Path] = []
        for folder in file.parents:
            if folder == self._directory or not folder.is_relative_to(self._directory):
                break
            match = next((path for name in self._names if self._is_usable(path := folder / name)), None)
            if match is not None and match != file:
                found.append(match)
        system = set(self._system_paths()) if found else set()
        return [path for path in found if path not in system]

    def _is_usable(self, path: Path) -> bool:
        """Whether it is a file, and no link with which the project leads to the user's other files."""
        return path.is_file() and self._confinement.admits_found(path)

    def _upwards(self) -> list[Path]:
        return upward(self._directory, self._worktree)

    @property
    def _names(self) -> list[str]:
        return ["AGENTS.md", *(["CLAUDE.md"] if self._reads_claude_files else []), "CONTEXT.md"]

    @property
    def _reads_claude_files(self) -> bool:
        flag = self._environment.flag
        return not (flag("OPENCODE_DISABLE_CLAUDE_CODE") or flag("OPENCODE_DISABLE_CLAUDE_CODE_PROMPT"))

    @property
    def _reads_project(self) -> bool:
        return not self._environment.flag("OPENCODE_DISABLE_PROJECT_CONFIG")


def _read(path: Path) -> str | None:
    try:
        return read_text(path)
    except OSError:
        return None


def _glob(folder: Path, pattern: str) -> list[Path]:
    """Matching files in a stable order; an impossible pattern or folder matches nothing."""
    try:
        return sorted(path for path in islice(folder.glob(pattern), GLOB_LIMIT) if path.is_file())
    except (OSError, ValueError, NotImplementedError):
        return []


def _loaded(history: Sequence[MessageWithParts]) -> set[str]:
    """Paths that reads in the history brought along and that the model still sees."""
    loaded: set[str] = set()
    for part in (part for message in history for part in message.parts):
        match part:
            case ToolPart(tool="read", state=ToolStateCompleted(metadata=metadata, time=time)) if (
                time.compacted is UNSET
            ):
                paths = metadata.get("loaded")
                loaded.update(paths if isinstance(paths, list) else [])
            case _:
                pass
    return loaded
