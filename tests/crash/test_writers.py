"""Many client processes that write at once, while another program locks the database now and then."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from tests.crash import writer_client
from tests.crash.world import World, new_world

CLIENTS = 16
LOCKED_SECONDS = 0.2
PAUSE_SECONDS = 0.3


async def test_sixteen_processes_write_at_once_and_nothing_is_lost_or_refused(
    tmp_path: Path, writing_seconds: float
) -> None:
    async with new_world(tmp_path, "writers") as world:
        async with world.server() as server:
            assert server.url is not None
            address = server.url.removeprefix("http://")
            reports: list[Any] = []
            async with anyio.create_task_group() as other_program:
                other_program.start_soon(lock_now_and_then, world)
                async with anyio.create_task_group() as clients:
                    for number in range(CLIENTS):
                        clients.start_soon(one_client, address, writing_seconds, f"client{number}", reports)
                other_program.cancel_scope.cancel()
            await server.kill()
        print("writes acknowledged:", sum(2 * len(report["stored"]) for report in reports))
        async with world.server() as server, server.client() as http:
            for report in reports:
                assert (await http.get(f"/session/{report['session']}")).json()["title"] == report["title"]
                messages = (await http.get(f"/session/{report['session']}/message")).json()
                assert [message["parts"][0]["text"] for message in messages] == report["stored"]


async def one_client(address: str, seconds: float, name: str, reports: list[Any]) -> None:
    arguments = [sys.executable, writer_client.__file__, address, str(seconds), name]
    ended = await anyio.run_process(arguments, check=False, stderr=subprocess.STDOUT)
    assert ended.returncode == 0, ended.stdout.decode()
    reports.append(json.loads(ended.stdout))


async def lock_now_and_then(world: World) -> None:
    """What a backup program, or a curious user, does to a database."""
    with closing(sqlite3.connect(world.database, timeout=30, check_same_thread=False)) as connection:
        connection.isolation_level = None
        while True:
            await anyio.to_thread.run_sync(connection.execute, "BEGIN IMMEDIATE")
            await anyio.sleep(LOCKED_SECONDS)
            connection.execute("ROLLBACK")
            await anyio.sleep(PAUSE_SECONDS)
