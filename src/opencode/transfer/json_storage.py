"""The folder ``storage`` of OpenCode up to 1.1: a JSON file for each record (spec: ids and storage, section 3)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from opencode.transfer.record import Record, parsed


class JsonStorage:
    """Reads the folder, a file at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def name(self) -> str:
        return str(self._folder)

    def session_ids(self) -> set[str]:
        """By the names of the files."""
        return {file.stem for folder in _folders(self._folder / "session") for file in _files(folder)}

    def projects(self) -> Iterator[Record]:
        return map(self._read, _files(self._folder / "project"))

    def sessions(self) -> Iterator[Record]:
        """Sessions of all projects; the folder says the project of those that do not."""
        for folder in _folders(self._folder / "session"):
            for file in _files(folder):
                record = self._read(file)
                if isinstance(record.value, dict):
                    record.value.setdefault("projectID", folder.name)
                yield record

    def messages(self, session_id: str) -> Iterator[tuple[Record, list[Record]]]:
        """By time; only the times of all are held at once."""
        files = sorted((_created(self._read(file)), file) for file in _files(self._folder / "message" / session_id))
        for _, file in files:
            yield self._read(file), [self._read(part) for part in _files(self._folder / "part" / file.stem)]

    def todos(self, session_id: str) -> Record | None:
        file = self._folder / "todo" / f"{session_id}.json"
        return self._read(file) if file.is_file() else None

    def saved_permissions(self) -> int:
        return sum(1 for file in _files(self._folder / "permission") if self._read(file).value)

    def _read(self, file: Path) -> Record:
        place = file.relative_to(self._folder.parent).as_posix()
        try:
            return parsed(place, file.read_bytes())
        except OSError as error:
            return Record(place, fault=error.strerror or str(error))


def _created(record: Record) -> float:
    value: Any = record.value
    time = value.get("time") if isinstance(value, dict) else None
    created = time.get("created") if isinstance(time, dict) else None
    return created if isinstance(created, int | float) else 0


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json")) if folder.is_dir() else []


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
