"""Finding an installed OpenCode's data, and leaving it as it was."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from opencode.transfer.errors import NothingToImport
from opencode.transfer.places import open_official
from opencode.transfer.reading import OfficialReader, Problems
from tests.support.official_data import FILES, VERSIONS, make_data, open_database, said, state_of


def titles(place: Path) -> list[str]:
    """The titles of all sessions in all sources."""
    with open_official(place) as found:
        readers = [OfficialReader(source, Problems()) for source in found.sources]
        return [session.title for reader in readers for session in reader.sessions()]


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_is_changed_by_reading_it(tmp_path: Path, version: str) -> None:
    data = make_data(tmp_path, version)
    before = state_of(data)
    assert len(titles(data)) == len(said(version))
    assert state_of(data) == before


def test_what_is_only_in_the_write_ahead_log_is_read_and_the_log_stays(tmp_path: Path) -> None:
    data = make_data(tmp_path, "1.18.33")
    with open_database(data) as database:
        database.execute("UPDATE session SET title = 'Only in the log' WHERE title = 'Planning'")
        assert (data / "opencode.db-wal").stat().st_size > 0
        before = state_of(data)
        assert "Only in the log" in titles(data)
        assert state_of(data) == before


@pytest.mark.parametrize("name", ["opencode/storage", "opencode"])
def test_the_folder_can_be_named_itself(tmp_path: Path, name: str) -> None:
    make_data(tmp_path, FILES)
    assert len(titles(tmp_path / name)) == len(said(FILES))


def test_a_database_can_be_named_itself(tmp_path: Path) -> None:
    data = make_data(tmp_path, "1.2.15")
    moved = shutil.move(data / "opencode.db", tmp_path / "old.sqlite")
    assert len(titles(moved)) == len(said("1.2.15"))


def test_databases_of_all_channels_are_read_and_ours_is_not(tmp_path: Path) -> None:
    data = make_data(tmp_path, "1.18.33")
    shutil.copy(data / "opencode.db", data / "opencode-dev.db")
    shutil.copy(data / "opencode.db", data / "opencode-server.db")
    with open_official(data) as found:
        assert [Path(source.name).name for source in found.sources] == ["opencode.db", "opencode-dev.db"]


def test_a_folder_whose_sessions_are_in_the_database_is_not_read_again(tmp_path: Path) -> None:
    data = make_data(tmp_path, "1.2.15")
    (session_id,) = [id for id, account in said("1.2.15").items() if account["title"] == "Planning"]
    make_data(tmp_path, FILES)
    project = next((data / "storage" / "session").iterdir())
    (project / f"{session_id}.json").write_text(json.dumps({"id": session_id}))
    with open_official(data) as found:
        assert [source.name for source in found.sources] == [str(data / "opencode.db")]
        assert len(found.notes) == 1 and "was not read" in found.notes[0]


def test_a_folder_beside_a_database_that_has_none_of_its_sessions_is_read_too(tmp_path: Path) -> None:
    make_data(tmp_path, "1.18.33")
    data = make_data(tmp_path, FILES)
    with open_official(data) as found:
        assert [source.name for source in found.sources] == [str(data / "opencode.db"), str(data / "storage")]
        assert found.notes == []


def test_another_programs_database_is_passed_over(tmp_path: Path) -> None:
    data = make_data(tmp_path, "1.18.33")
    with closing(sqlite3.connect(data / "opencode-notes.db")) as other:
        other.execute("CREATE TABLE note (text)")
    (data / "opencode-text.db").write_text("no database at all")
    with open_official(data) as found:
        assert len(found.sources) == 1
        assert [note.split("/")[-1] for note in found.notes] == [
            "opencode-notes.db is damaged or no database of OpenCode, and was not read",
            "opencode-text.db is damaged or no database of OpenCode, and was not read",
        ]


def test_a_place_without_data_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NothingToImport, match="--from-opencode PATH"), open_official(tmp_path):
        pass


def test_data_of_the_first_versions_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "project/home-me-x/storage/session/info").mkdir(parents=True)
    with pytest.raises(NothingToImport, match=r"start OpenCode 1\.1 once"), open_official(tmp_path):
        pass
