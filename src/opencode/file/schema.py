"""Records and events of files: what a search finds, what a write announces."""

from typing import ClassVar, Literal

from opencode.core.wire import UNSET, UnsetType, Wire
from opencode.event.schema import Event

PathKind = Literal["file", "directory"]
FileChange = Literal["add", "change", "unlink"]


class FileEdited(Event):
    """A tool wrote the file (absolute path)."""

    type: ClassVar[str] = "file.edited"
    durable: ClassVar[bool] = False

    file: str


class FileWatcherUpdated(Event):
    """A file (absolute path) appeared, changed or went away."""

    type: ClassVar[str] = "file.watcher.updated"
    durable: ClassVar[bool] = False

    file: str
    event: FileChange


class Submatch(Wire):
    """One hit within a line; ``start`` and ``end`` are byte offsets in the line."""

    text: str
    start: int
    end: int


class LineMatch(Wire):
    """A line that matches. ``text`` keeps its line end; ``line`` counts from 1, ``offset`` bytes of the file."""

    path: str
    line: int
    text: str
    offset: int = 0
    submatches: list[Submatch] = []


class FoundFiles(Wire):
    """Paths that a search found; ``truncated``: there are more."""

    paths: list[str]
    truncated: bool = False


class FoundLines(Wire):
    """Lines that a search found. ``truncated``: there are more; ``incomplete``: something could not be read."""

    matches: list[LineMatch]
    truncated: bool = False
    incomplete: bool = False


class FileNode(Wire):
    """An entry of a directory. ``path`` is relative to the instance directory, ``absolute`` is not."""

    name: str
    path: str
    absolute: str
    type: Literal["file", "directory"]
    ignored: bool


class FileContent(Wire):
    """What a file holds: text without blank ends, or base64. Images count as text with an encoding."""

    type: Literal["text", "binary"]
    content: str
    encoding: Literal["base64"] | UnsetType = UNSET
    mime_type: str | UnsetType = UNSET
