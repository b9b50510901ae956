"""When committed changes leave the write-ahead log for the database file."""

from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from opencode.storage.checkpoint import Checkpointer
from opencode.storage.connection import connect, prepare_writer
from opencode.storage.database import open_database


class Log:
    """A database with a write-ahead log, what is committed to it, and what the checkpointer asks of its writer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = connect(path)
        prepare_writer(self.connection, "normal")
        self.connection.execute("CREATE TABLE note (text)")
        self.holds = 0
        self.released = anyio.Event()
        self.checkpointer = Checkpointer(path, hold=self.hold, release=self.release)
        self.at_release: str | None = None

    def hold(self) -> None:
        self.holds += 1

    def release(self) -> None:
        if self.at_release:
            text, self.at_release = self.at_release, None
            self.commit(text)
        self.released.set()

    def commit(self, text: str) -> None:
        self.connection.execute("INSERT INTO note VALUES (?)", (text,))
        self.checkpointer.committed()

    async def until_filed(self, text: str) -> None:
        """Wait until the database file itself holds the text."""
        with anyio.fail_after(10):
            while text.encode() not in self.path.read_bytes():
                await anyio.lowlevel.checkpoint()


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Log]:
    log = Log(tmp_path / "opencode-server.db")
    with closing(log.connection):
        yield log
        log.checkpointer.stop()
        log.checkpointer.join()


async def test_a_commit_reaches_the_file_within_the_interval(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opencode.storage.checkpoint.INTERVAL_SECONDS", 0.01)
    log.commit("first words")
    await log.until_filed("first words")
    log.commit("second words")
    await log.until_filed("second words")
    assert log.holds == 0


async def test_what_is_committed_during_a_checkpoint_gets_one_of_its_own(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opencode.storage.checkpoint.INTERVAL_SECONDS", 0.01)
    monkeypatch.setattr("opencode.storage.checkpoint.LARGE_BYTES", 1)
    log.at_release = "meanwhile"
    log.commit("before")
    with anyio.fail_after(10):
        await log.released.wait()
    await log.until_filed("meanwhile")


async def test_a_large_log_is_emptied_at_once_but_not_again_before_a_pause(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opencode.storage.checkpoint.LARGE_BYTES", 1)
    monkeypatch.setattr("opencode.storage.checkpoint.LOOK_EVERY", 2)
    monkeypatch.setattr("opencode.storage.checkpoint.PAUSE_SECONDS", 1000)
    log.checkpointer = Checkpointer(log.path, hold=log.hold, release=log.release)
    wal = log.path.with_name(f"{log.path.name}-wal")
    log.commit("one")
    assert wal.stat().st_size > 0
    log.commit("two")
    with anyio.fail_after(10):
        await log.released.wait()
    assert (log.holds, wal.stat().st_size) == (1, 0)
    for number in range(20):
        log.commit(str(number))
        await anyio.lowlevel.checkpoint()
    assert log.holds == 1


async def test_a_database_that_is_closed_keeps_no_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opencode.storage.checkpoint.INTERVAL_SECONDS", 0.0)
    path = tmp_path / "opencode-server.db"
    async with open_database(path) as database:
        for number in range(20):
            await database.write(lambda tx, key=number: tx.execute("INSERT INTO todo VALUES (?, '')", (key,)))
    assert sorted(file.name for file in tmp_path.iterdir()) == [path.name, "opencode-server.lock"]


async def test_a_large_log_is_written_over_and_cut_when_it_is_twice_as_large(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opencode.storage.checkpoint.LOOK_EVERY", 1)
    monkeypatch.setattr("opencode.storage.checkpoint.PAUSE_SECONDS", 0)
    log.checkpointer = Checkpointer(log.path, hold=log.hold, release=log.release)
    wal = log.path.with_name(f"{log.path.name}-wal")

    async def one_more(text: str) -> int:
        log.released = anyio.Event()
        log.commit(text)
        with anyio.fail_after(10):
            await log.released.wait()
        return wal.stat().st_size

    full = "x" * 100_000
    monkeypatch.setattr("opencode.storage.checkpoint.LARGE_BYTES", 100_000)
    size = await one_more(full)
    assert size > 100_000
    log.commit("fits into what there is")
    assert wal.stat().st_size == size
    assert await one_more(full * 2) == 0
    assert log.holds == 2
