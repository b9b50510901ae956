"""One process per data directory."""

import os
import sys
from pathlib import Path

import anyio
import pytest

from opencode.storage.database import open_database
from opencode.storage.errors import DataDirectoryInUse, StorageReadOnlyError
from opencode.storage.ownership import Owner, read_owner


class Clock:
    """Stands still."""

    def now_ms(self) -> int:
        return 17


OWNS = """
import sys, anyio, pathlib
from opencode.storage.database import open_database

async def main(path):
    async with open_database(pathlib.Path(path)) as database:
        database.ownership.announce("http://127.0.0.1:4096")
        sys.stdout.write("ready\\n")
        sys.stdout.flush()
        await anyio.sleep_forever()

anyio.run(main, sys.argv[1])
"""


async def test_a_second_server_is_told_who_owns_the_directory_and_a_killed_owner_frees_it(tmp_path: Path) -> None:
    path = tmp_path / "opencode-server.db"
    async with await anyio.open_process([sys.executable, "-c", OWNS, str(path)]) as first:
        try:
            assert first.stdout is not None
            with anyio.fail_after(20):
                assert await first.stdout.receive() == b"ready\n"
            with pytest.raises(DataDirectoryInUse) as raised:
                async with open_database(path):
                    pass
        finally:
            first.kill()
    assert raised.value.fields == {"directory": str(tmp_path), "pid": first.pid, "url": "http://127.0.0.1:4096"}
    assert str(first.pid) in raised.value.message
    assert "http://127.0.0.1:4096" in raised.value.message
    async with open_database(path) as database:
        assert read_owner(tmp_path / "opencode-server.lock") == database.ownership.owner


async def test_the_same_process_cannot_open_it_twice_either(tmp_path: Path) -> None:
    path = tmp_path / "opencode-server.db"
    async with open_database(path):
        with pytest.raises(DataDirectoryInUse):
            async with open_database(path):
                pass
    async with open_database(path):
        pass


async def test_nobody_owns_a_closed_database(tmp_path: Path) -> None:
    async with open_database(tmp_path / "opencode-server.db"):
        pass
    assert read_owner(tmp_path / "opencode-server.lock") is None


async def test_a_data_directory_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageReadOnlyError, match="cannot be used"):
        async with open_database(tmp_path / "file" / "opencode-server.db"):
            pass


async def test_an_owner_knows_whether_the_one_before_gave_the_directory_up(tmp_path: Path) -> None:
    path = tmp_path / "opencode-server.db"
    async with open_database(path) as database:
        assert not database.ownership.follows_a_crash
        database.ownership.announce("http://127.0.0.1:4096")
    async with open_database(path) as database:
        assert not database.ownership.follows_a_crash
        left = (tmp_path / "opencode-server.lock").read_bytes()
    (tmp_path / "opencode-server.lock").write_bytes(left)
    async with open_database(path) as database:
        assert database.ownership.follows_a_crash


async def test_a_directory_keeps_its_mark_and_shares_it_with_no_copy(tmp_path: Path) -> None:
    marks = []
    for path in (tmp_path / "a" / "opencode-server.db", tmp_path / "b" / "opencode-server.db"):
        for _ in range(2):
            async with open_database(path) as database:
                marks.append(database.ownership.mark)
    first, again, other, _ = marks
    assert first == again != other


async def test_where_a_server_listens_can_be_read_as_soon_as_it_is_announced(tmp_path: Path) -> None:
    async with open_database(tmp_path / "opencode-server.db", clock=Clock()) as database:
        assert database.ownership.owner == Owner(pid=os.getpid(), started=17)
        database.ownership.announce("http://127.0.0.1:4096")
        told = Owner(pid=os.getpid(), started=17, url="http://127.0.0.1:4096")
        assert read_owner(tmp_path / "opencode-server.lock") == database.ownership.owner == told
