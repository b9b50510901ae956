"""Where an installed OpenCode keeps its data."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from opencode.transfer.errors import NothingToImport
from opencode.transfer.json_storage import JsonStorage
from opencode.transfer.record import Source
from opencode.transfer.sqlite_storage import open_copy

OURS: Final = "opencode-server"
FOLDERS: Final = ("session", "message")


@dataclass(frozen=True, slots=True)
class OfficialData:
    """What was found: sources to read, and remarks for the person who asked."""

    sources: list[Source] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@contextmanager
def open_official(place: Path) -> Iterator[OfficialData]:
    """The data in a data directory, a folder ``storage`` or a database file. Nothing there is changed.

    OpenCode 1.2 moved the sessions of the folder into its database and left the folder where it was: sessions that
    are missing in the database were deleted since. Other versions made an empty database beside it. Raises
    ``NothingToImport``, ``KeepsChanging``, ``OSError``.
    """
    found = OfficialData()
    moved: set[str] = set()
    with ExitStack() as stack:
        for database in databases(place):
            storage = stack.enter_context(open_copy(database))
            if storage is None:
                found.notes.append(f"{database} is damaged or no database of OpenCode, and was not read")
            else:
                found.sources.append(storage)
                moved |= storage.session_ids()
        folder = json_folder(place)
        if folder is not None:
            older = JsonStorage(folder)
            if moved.isdisjoint(older.session_ids()):
                found.sources.append(older)
            else:
                note = f"{folder} was moved into the database by OpenCode and was not read; name it to import it too"
                found.notes.append(note)
        if not found.sources:
            found.notes.extend(first_layout(place))
            raise NothingToImport(place, found.notes)
        yield found


def databases(place: Path) -> list[Path]:
    """The databases of all release channels; never ours."""
    if place.is_file():
        return [place]
    found = [place / "opencode.db", *sorted(place.glob("opencode-*.db"))]
    return [path for path in found if path.is_file() and not path.name.startswith(OURS)]


def json_folder(place: Path) -> Path | None:
    """The folder with a file for each record, if there is one with sessions in it."""
    candidates = (place, place / "storage")
    return next((path for path in candidates if all((path / name).is_dir() for name in FOLDERS)), None)


def first_layout(place: Path) -> list[str]:
    """What to do about data of the first versions, which kept a folder for each project."""
    folders = sorted(place.glob("project/*/storage/session"))
    return (
        [f"{folders[0]} is from the first versions of OpenCode; start OpenCode 1.1 once, it converts it"]
        if folders
        else []
    )
