"""Tells clients about files that tools wrote."""

from pathlib import Path
from typing import Protocol

from opencode.event.schema import Event
from opencode.file.schema import FileChange, FileEdited, FileWatcherUpdated


class Publisher(Protocol):
    """Delivers events at once; the instance's event publisher."""

    def publish(self, *events: Event) -> None: ...


class FileAnnouncer:
    """Publishes ``file.edited`` and ``file.watcher.updated``."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    def edited(self, path: Path) -> None:
        """A tool wrote the file."""
        self._publisher.publish(FileEdited(file=str(path)))

    def changed(self, path: Path, change: FileChange) -> None:
        """The file appeared, changed or went away."""
        self._publisher.publish(FileWatcherUpdated(file=str(path), event=change))
