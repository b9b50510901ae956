"""Data directories that a server must not touch: in use, newer, damaged, another program's."""

import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.crash.world import World, new_world
from tests.support.server_process import run_opencode


@pytest.fixture
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """A home whose server has run and ended."""
    async with new_world(tmp_path, request.node.name) as world:
        async with world.server() as server, server.client() as http:
            for number in range(30):
                await http.post("/session", json={"title": f"{number}", "metadata": {"bulk": "x" * 5000}})
            await server.stop()
        yield world


async def start(world: World) -> subprocess.CompletedProcess[bytes]:
    return await run_opencode(world.home, world.project, "serve", "--port", "0")


def content(world: World) -> dict[str, bytes]:
    """Every file of the data directory, without the logs."""
    return {
        path.name: path.read_bytes()
        for path in world.home.data.iterdir()
        if path.is_file() and not path.name.endswith(("-shm", ".lock"))
    }


async def test_a_second_server_is_told_where_the_first_one_is_and_disturbs_nothing(world: World) -> None:
    async with world.server() as first, first.client() as http:
        lock = (world.home.data / "opencode-server.lock").read_bytes()
        ended = await start(world)
        assert ended.returncode == 1
        assert f"(process {first.pid}, {first.url})" in ended.stderr.decode()
        assert "stop it, or set XDG_DATA_HOME to another one." in ended.stderr.decode()
        assert (world.home.data / "opencode-server.lock").read_bytes() == lock
        assert len((await http.get("/session")).json()) == 30


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 9999")


def foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE somebody (elses)")


def text(path: Path) -> None:
    path.write_bytes(b"This is not a database.\n" * 1000)


def without_its_head(path: Path) -> None:
    path.write_bytes(b"\0" * 4096 + path.read_bytes()[4096:])


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def with_a_hole(path: Path) -> None:
    """Pages 2 to 9: where tables and indexes begin."""
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xa5" * 4096 * 8 + whole[4096 * 9 :])


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (newer, "has schema version 9999"),
        (foreign, "is the database of another program and was left as it is"),
        (text, "is damaged or is not a database"),
        (without_its_head, "is damaged or is not a database"),
        (cut_short, "is damaged or is not a database"),
        (with_a_hole, "is damaged or is not a database"),
    ],
)
async def test_a_database_that_cannot_be_used_is_refused_with_words_and_left_as_it_is(
    world: World, damage: Callable[[Path], None], words: str
) -> None:
    damage(world.database)
    before = content(world)
    ended = await start(world)
    assert ended.returncode == 1
    assert words in ended.stderr.decode()
    assert b"Traceback" not in ended.stderr
    assert content(world) == before
