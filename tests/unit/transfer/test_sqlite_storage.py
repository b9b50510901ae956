"""Copying a database that somebody may be writing into."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from opencode.transfer.errors import KeepsChanging
from opencode.transfer.sqlite_storage import TRIES, copied, open_copy
from tests.support.official_data import make_data, open_database, state_of


def writing_while_copied(monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], None]) -> list[Path]:
    """Write into each file right after it was copied; the files that were."""
    copied: list[Path] = []
    copyfile = shutil.copyfile

    def copy_and_write(source: Path, target: Path) -> Path:
        made = copyfile(source, target)
        copied.append(source)
        write(source)
        return made

    monkeypatch.setattr(shutil, "copyfile", copy_and_write)
    return copied


def test_a_database_that_changed_meanwhile_is_copied_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = make_data(tmp_path, "1.18.33") / "opencode.db"
    folder = tmp_path / "copies"
    folder.mkdir()
    changes = iter([b"changed", b""])

    def write(source: Path) -> None:
        with source.open("ab") as file:
            file.write(next(changes))

    tries = writing_while_copied(monkeypatch, write)
    copy = copied(database, folder)
    assert len(tries) == 2
    assert copy.read_bytes() == database.read_bytes()


def test_a_database_that_never_rests_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = make_data(tmp_path, "1.18.33") / "opencode.db"
    tries = writing_while_copied(monkeypatch, lambda source: os.utime(source, ns=(0, source.stat().st_mtime_ns + 1)))
    with pytest.raises(KeepsChanging, match="Close OpenCode"):
        copied(database, tmp_path)
    assert len(tries) == TRIES


def test_a_log_that_is_gone_since_the_last_try_is_not_in_the_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = make_data(tmp_path, "1.18.33")
    folder = tmp_path / "copies"
    folder.mkdir()
    with open_database(data) as database:
        database.execute("UPDATE session SET title = 'changed'")
        tries = writing_while_copied(monkeypatch, lambda source: database.close() if len(tries) == 2 else None)
        copied(data / "opencode.db", folder)
    assert sorted(path.name for path in folder.iterdir()) == ["opencode.db"]


def test_the_copy_goes_when_it_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = make_data(tmp_path, "1.18.33")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    before = state_of(data)
    with open_copy(data / "opencode.db") as storage:
        assert storage is not None and len(storage.session_ids()) == 14
        assert list(scratch.iterdir()) != []
    assert list(scratch.iterdir()) == []
    assert state_of(data) == before
