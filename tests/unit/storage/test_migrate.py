"""Schema versions: forward after a backup, or a refusal that changes nothing."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from opencode.storage.connection import connect
from opencode.storage.database import open_database
from opencode.storage.errors import DatabaseCorrupt, DatabaseTooNew, NotOurDatabase
from opencode.storage.migrate import APPLICATION_ID, Migration, known_migrations, migrate

FIRST = Migration(1, "CREATE TABLE note (text TEXT);")
SECOND = Migration(2, "ALTER TABLE note ADD COLUMN author TEXT; UPDATE note SET author = 'me';")
BROKEN = Migration(2, "ALTER TABLE note ADD COLUMN author TEXT; INSERT INTO nowhere VALUES (1);")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "opencode-server.db"


def notes_of_version_1(path: Path) -> None:
    with closing(connect(path)) as connection:
        migrate(connection, path, [FIRST])
        connection.execute("INSERT INTO note VALUES ('hello')")


def test_the_steps_are_numbered_without_gaps() -> None:
    steps = known_migrations()
    assert [step.version for step in steps] == list(range(1, len(steps) + 1))


async def test_a_new_database_gets_every_table_and_no_backup(path: Path) -> None:
    async with open_database(path) as database:
        tables = {row[0] for row in database.read("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        assert database.read("PRAGMA application_id") == [(APPLICATION_ID,)]
        assert database.read("PRAGMA user_version") == [(known_migrations()[-1].version,)]
    assert tables == {
        "meta", "event", "project", "project_directory", "session", "message", "part", "todo",
        "permission_request", "question_request", "run", "search_change", "queued_prompt",
        "share", "spending",
    }  # fmt: skip
    assert list(path.parent.glob("*.backup-*")) == []


def test_a_database_with_content_is_backed_up_and_then_brought_forward(path: Path) -> None:
    notes_of_version_1(path)
    with closing(connect(path)) as connection:
        migrate(connection, path, [FIRST, SECOND])
        assert connection.execute("SELECT text, author FROM note").fetchall() == [("hello", "me")]
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    backup = path.with_name("opencode-server.db.backup-1")
    assert backup.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("SELECT * FROM note").fetchall() == [("hello",)]
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name, backup.name]


def test_a_step_that_fails_leaves_the_database_as_it_was(path: Path) -> None:
    notes_of_version_1(path)
    with closing(connect(path)) as connection:
        with pytest.raises(sqlite3.OperationalError, match="nowhere"):
            migrate(connection, path, [FIRST, BROKEN])
        assert connection.execute("SELECT * FROM note").fetchall() == [("hello",)]
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)


async def test_a_database_of_a_newer_server_is_refused_untouched(path: Path) -> None:
    async with open_database(path):
        pass
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 999")
    before = path.read_bytes()
    with pytest.raises(DatabaseTooNew) as raised:
        async with open_database(path):
            pass
    assert raised.value.fields["found"] == 999
    assert path.read_bytes() == before


async def test_the_database_of_another_program_is_refused_untouched(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    with pytest.raises(NotOurDatabase):
        async with open_database(path):
            pass
    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", ["garbage", "truncated"])
async def test_a_damaged_file_is_refused_in_clear_words_and_left_alone(path: Path, damage: str) -> None:
    async with open_database(path) as database:
        await database.write(lambda tx: tx.execute("INSERT INTO todo VALUES ('a', ?)", (b"x" * 100_000,)))
    content = path.read_bytes()
    path.write_bytes(b"no database at all" * 1000 if damage == "garbage" else content[: len(content) // 2])
    before = path.read_bytes()
    with pytest.raises(DatabaseCorrupt, match="It was left as it is"):
        async with open_database(path):
            pass
    assert path.read_bytes() == before


def test_damage_inside_is_found_before_migrating(path: Path) -> None:
    notes_of_version_1(path)
    with closing(connect(path)) as connection:
        connection.executemany("INSERT INTO note VALUES (?)", [("x" * 3000,)] * 20)
    content = bytearray(path.read_bytes())
    content[5 * 4096 : 6 * 4096] = b"\xff" * 4096
    path.write_bytes(content)
    with closing(connect(path)) as connection, pytest.raises(sqlite3.DatabaseError):
        migrate(connection, path, [FIRST, SECOND])
    assert path.read_bytes() == content
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_rows_that_break_the_schema_are_told_and_nothing_is_changed(path: Path) -> None:
    notes_of_version_1(path)
    with closing(connect(path)) as connection:
        connection.executemany("INSERT INTO note VALUES (?)", [(None,)] * 2)
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_schema SET sql = 'CREATE TABLE note (text TEXT NOT NULL)'")
    before = path.read_bytes()
    with closing(connect(path)) as connection, pytest.raises(DatabaseCorrupt) as raised:
        migrate(connection, path, [FIRST, SECOND])
    finding = "NULL value in note.text"
    assert raised.value.fields == {"path": str(path), "detail": f"{finding}; {finding}"}
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_leftover_of_an_earlier_attempt_is_replaced(path: Path) -> None:
    notes_of_version_1(path)
    path.with_name("opencode-server.db.backup-1").write_text("old")
    path.with_name("opencode-server.db.backup-1.unfinished").write_text("half")
    with closing(connect(path)) as connection:
        migrate(connection, path, [FIRST, SECOND])
    with closing(sqlite3.connect(path.with_name("opencode-server.db.backup-1"))) as connection:
        assert connection.execute("SELECT * FROM note").fetchall() == [("hello",)]
    assert not path.with_name("opencode-server.db.backup-1.unfinished").exists()
