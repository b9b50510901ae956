"""Reading and writing: group commit, isolation of changes, failures, durability."""

import sqlite3
import stat
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import anyio
import pytest

from opencode.storage.database import Database, Transaction, open_database
from opencode.storage.errors import StorageBusyError, StorageClosedError, StorageFullError


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with open_database(tmp_path / "data" / "opencode-server.db") as opened:
        yield opened


def put(key: str, value: object = b"") -> "Put":
    return Put(key, value)


class Put:
    """A change that stores one key."""

    def __init__(self, key: str, value: object) -> None:
        self.key, self.value = key, value

    def __call__(self, tx: Transaction) -> str:
        tx.execute("INSERT INTO meta (key, value) VALUES (?, ?)", (self.key, self.value))
        return self.key


def keys(database: Database) -> list[str]:
    return [row[0] for row in database.read("SELECT key FROM meta WHERE key NOT LIKE 'event.%' ORDER BY key")]


async def test_a_write_returns_what_its_change_returned_and_is_there_at_once(database: Database) -> None:
    assert await database.write(put("a")) == "a"
    assert keys(database) == ["a"]
    assert await database.read_in_thread("SELECT key FROM meta WHERE key = ?", ("a",)) == [("a",)]


async def test_sixteen_tasks_write_at_once_and_all_of_it_is_stored(database: Database) -> None:
    async def write_many(task: int) -> None:
        for number in range(50):
            await database.write(put(f"{task:02}-{number:02}"))

    async with anyio.create_task_group() as tasks:
        for task in range(16):
            tasks.start_soon(write_many, task)
    assert keys(database) == [f"{task:02}-{number:02}" for task in range(16) for number in range(50)]


async def test_a_change_that_raises_is_undone_alone_and_its_caller_gets_the_error(database: Database) -> None:
    outcomes: dict[str, object] = {}

    def broken(tx: Transaction) -> None:
        put("half")(tx)
        raise ValueError("no")

    async def attempt(name: str, change: object) -> None:
        try:
            outcomes[name] = await database.write(change)  # type: ignore[arg-type]
        except (ValueError, sqlite3.IntegrityError) as error:
            outcomes[name] = type(error)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(attempt, "first", put("first"))
        tasks.start_soon(attempt, "broken", broken)
        tasks.start_soon(attempt, "twice", put("first"))
        tasks.start_soon(attempt, "last", put("last"))
    assert outcomes == {"first": "first", "broken": ValueError, "twice": sqlite3.IntegrityError, "last": "last"}
    assert keys(database) == ["first", "last"]


async def test_a_change_that_raises_is_undone_when_it_is_the_only_one_too(database: Database) -> None:
    def broken(tx: Transaction) -> None:
        put("half")(tx)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await database.write(broken)
    await database.write(put("next"))
    assert keys(database) == ["next"]


async def test_changes_queued_together_share_a_commit_and_callbacks_run_after_it_in_order(database: Database) -> None:
    seen: list[tuple[str, int]] = []

    def change(name: str) -> object:
        def run(tx: Transaction) -> None:
            put(name)(tx)
            tx.after_commit(lambda: seen.append((name, len(keys(database)))))
            tx.after_commit(lambda: seen.append((name + "'", len(keys(database)))))

        return run

    async with anyio.create_task_group() as tasks:
        for name in ("a", "b"):
            tasks.start_soon(database.write, change(name))
    assert seen == [("a", 2), ("a'", 2), ("b", 2), ("b'", 2)]


async def test_callbacks_tell_an_undone_change_from_a_stored_one(database: Database) -> None:
    seen: list[str] = []

    def change(tx: Transaction) -> None:
        tx.after_commit(lambda: seen.append("committed"))
        tx.after_rollback(lambda: seen.append("undone"))
        raise ValueError

    with pytest.raises(ValueError):
        await database.write(change)
    assert seen == ["undone"]


async def test_a_callback_that_raises_hurts_neither_the_caller_nor_the_next_callback(database: Database) -> None:
    seen: list[str] = []

    def change(tx: Transaction) -> str:
        tx.after_commit(lambda: 1 / 0)  # type: ignore[arg-type, return-value]
        tx.after_commit(lambda: seen.append("next"))
        return "stored"

    assert await database.write(change) == "stored"
    assert seen == ["next"]


async def test_cancelling_the_caller_loses_neither_the_change_nor_its_callbacks(database: Database) -> None:
    committed = anyio.Event()

    def change(tx: Transaction) -> None:
        put("kept")(tx)
        tx.after_commit(committed.set)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(database.write, change)
        await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    with anyio.fail_after(5):
        await committed.wait()
    assert keys(database) == ["kept"]


async def test_more_writers_than_the_queue_holds_wait_and_are_all_served(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opencode.storage.writer.MAX_PENDING", 4)
    stored: list[int] = []

    def change(number: int) -> Callable[[Transaction], None]:
        def run(tx: Transaction) -> None:
            put(f"{number:02}")(tx)
            tx.after_commit(lambda: stored.append(len(keys(database))))

        return run

    async with anyio.create_task_group() as tasks:
        for number in range(40):
            tasks.start_soon(database.write, change(number))
    assert len(keys(database)) == 40
    assert stored[:4] == [4] * 4


async def test_a_full_disk_is_a_clear_error_and_the_database_works_again_when_there_is_space(
    database: Database,
) -> None:
    await database.write(put("before"))
    pages = database.read("PRAGMA page_count")[0][0]
    database.read(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StorageFullError, match="disk is full") as raised:
        await database.write(put("large", b"x" * 100_000))
    message = f"The disk is full: {database.path} cannot grow. Free some space and try again."
    assert raised.value.data["message"] == message
    assert keys(database) == ["before"]
    database.read(f"PRAGMA max_page_count = {pages + 1000}")
    await database.write(put("large", b"x" * 100_000))
    assert keys(database) == ["before", "large"]


async def test_a_full_disk_acknowledges_nothing_of_the_commit_it_hits(database: Database) -> None:
    pages = database.read("PRAGMA page_count")[0][0]
    database.read(f"PRAGMA max_page_count = {pages + 2}")
    acknowledged: list[str] = []

    async def attempt(key: str, size: int) -> None:
        with suppress(StorageFullError):
            acknowledged.append(await database.write(put(key, b"x" * size)))

    async with anyio.create_task_group() as tasks:
        for key, size in (("a", 1), ("b", 100_000), ("c", 1)):
            tasks.start_soon(attempt, key, size)
    assert keys(database) == acknowledged


LIMITED = """
import resource, sys, anyio, pathlib
from opencode.storage.database import open_database
from opencode.storage.errors import StorageError

async def main(path):
    async with open_database(pathlib.Path(path)) as database:
        stored = 0
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
        try:
            for number in range(1000):
                await database.write(lambda tx: tx.execute("INSERT INTO todo VALUES (?, ?)", (number, b"x" * 5000)))
                stored += 1
        except StorageError as error:
            name = error.name
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert database.read("SELECT count(*) FROM todo") == [(stored,)]
        await database.write(lambda tx: tx.execute("INSERT INTO todo VALUES ('again', '')"))
        print(name, 0 < stored < 1000, flush=True)

anyio.run(main, sys.argv[1])
"""


async def test_a_write_the_file_system_refuses_is_a_typed_error_and_writing_goes_on_afterwards(tmp_path: Path) -> None:
    child = await anyio.run_process([sys.executable, "-c", LIMITED, str(tmp_path / "opencode-server.db")])
    assert child.stdout.split() in ([b"StorageIOError", b"True"], [b"StorageFullError", b"True"])


WRITES_FOR_EVER = """
import sys, anyio, pathlib
from opencode.storage.database import open_database

async def write(database, task):
    for number in range(1_000_000):
        key = f"{task}-{number}"
        await database.write(lambda tx: tx.execute("INSERT INTO todo VALUES (?, ?)", (key, b"x" * 3000)))
        sys.stdout.write(key + "\\n")
        sys.stdout.flush()

async def main(path):
    async with open_database(pathlib.Path(path)) as database, anyio.create_task_group() as tasks:
        for task in range(4):
            tasks.start_soon(write, database, task)

anyio.run(main, sys.argv[1])
"""


async def test_a_killed_process_has_stored_everything_it_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "opencode-server.db"
    async with await anyio.open_process([sys.executable, "-c", WRITES_FOR_EVER, str(path)]) as child:
        assert child.stdout is not None
        output = b""
        async for chunk in child.stdout:
            output += chunk
            if output.count(b"\n") > 5000 and child.returncode is None:
                child.kill()
    acknowledged = [line for line in output.decode().splitlines(keepends=True) if line.endswith("\n")]
    assert len(acknowledged) > 5000
    async with open_database(path) as database:
        stored = {row[0] for row in database.read("SELECT session_id FROM todo")}
        assert database.read("PRAGMA integrity_check") == [("ok",)]
    assert {line.strip() for line in acknowledged} <= stored


async def test_a_write_waits_without_keeping_the_loop_while_another_program_holds_the_lock(
    database: Database,
) -> None:
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(database.write, put("patient"))
        for _ in range(20):  # turns of the loop: by then it has been tried and refused
            await anyio.lowlevel.checkpoint()
        assert keys(database) == []
        other.execute("COMMIT")
        other.close()
    assert keys(database) == ["patient"]


async def test_a_write_that_waited_too_long_for_another_program_fails_and_says_so(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opencode.storage.writer.BUSY_LIMIT_SECONDS", 0.01)
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageBusyError):
        await database.write(put("late"))
    other.close()
    await database.write(put("later"))
    assert keys(database) == ["later"]


async def test_large_amounts_are_checkpointed_while_writing_so_that_the_log_stays_small(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opencode.storage.checkpoint.LARGE_BYTES", 1_000_000)
    monkeypatch.setattr("opencode.storage.checkpoint.PAUSE_SECONDS", 0)
    wal = database.path.with_name(database.path.name + "-wal")
    largest = 0
    for number in range(600):
        await database.write(put(f"{number:03}", b"x" * 100_000))
        largest = max(largest, wal.stat().st_size)
    assert len(keys(database)) == 600
    assert largest < 40_000_000  # of 60: a busy machine gets to it late


async def test_closing_stores_what_is_queued_and_leaves_one_file(tmp_path: Path) -> None:
    path = tmp_path / "opencode-server.db"
    async with open_database(path) as database, anyio.create_task_group() as tasks:
        tasks.start_soon(database.write, put("last"))
    with pytest.raises(StorageClosedError):
        await database.write(put("too late"))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["opencode-server.db", "opencode-server.lock"]
    async with open_database(path) as database:
        assert keys(database) == ["last"]


async def test_an_error_inside_the_context_stays_itself(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mine"):
        async with open_database(tmp_path / "opencode-server.db"):
            raise ValueError("mine")


async def test_only_the_user_may_read_the_files(tmp_path: Path) -> None:
    path = tmp_path / "data" / "opencode-server.db"
    async with open_database(path) as database:
        await database.write(put("secret"))
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize(("durability", "expected"), [("normal", 1), ("full", 2)])
async def test_durability_is_chosen_when_opening(tmp_path: Path, durability: str, expected: int) -> None:
    async with open_database(tmp_path / "opencode-server.db", durability=durability) as database:  # type: ignore[arg-type]
        assert database.read("PRAGMA synchronous") == [(expected,)]
        assert database.read("PRAGMA journal_mode") == [("wal",)]


async def test_a_large_read_gives_every_row_of_one_moment_while_others_write(database: Database) -> None:
    await database.write(lambda tx: tx.executemany("INSERT INTO todo VALUES (?, '')", [(n,) for n in range(5000)]))
    counts: list[int] = []

    async def read() -> None:
        counts.append(len(await database.read_large("SELECT session_id FROM todo")))

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(read)
        await anyio.lowlevel.checkpoint()
        await database.write(lambda tx: tx.execute("DELETE FROM todo"))
    assert counts == [5000] * 2 + [0] * 8  # two connections read at once, the others waited for one


async def test_reads_under_way_and_new_ones_are_told_that_the_database_closes(tmp_path: Path) -> None:
    async with open_database(tmp_path / "opencode-server.db") as database:
        await database.read_large("SELECT 1")
    for read in (database.read_large, database.read_in_thread):
        with pytest.raises(StorageClosedError):
            await read("SELECT 1")


async def test_a_transaction_cannot_be_used_once_its_change_has_ended(database: Database) -> None:
    kept: list[Transaction] = []
    await database.write(kept.append)
    for use in (lambda tx: tx.execute("DELETE FROM todo"), lambda tx: tx.after_commit(print)):
        with pytest.raises(RuntimeError, match="after its change had ended"):
            use(kept[0])
