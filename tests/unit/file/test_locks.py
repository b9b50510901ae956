"""One writer at a time per file."""

from pathlib import Path

import anyio

from opencode.file.locks import FileLocks


async def test_paths_that_lead_to_one_file_share_a_lock(tmp_path: Path) -> None:
    (tmp_path / "real").touch()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    locks = FileLocks()
    order: list[str] = []

    async def second() -> None:
        async with locks.hold(tmp_path / "link"):
            order.append("second")

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks, locks.hold(tmp_path / "real"):
            tasks.start_soon(second)
            await anyio.wait_all_tasks_blocked()
            order.append("first")
    assert order == ["first", "second"]


async def test_holders_of_several_files_do_not_block_each_other_for_ever(tmp_path: Path) -> None:
    locks = FileLocks()
    a, b = tmp_path / "a", tmp_path / "b"
    held: list[int] = []

    async def hold(number: int, *paths: Path) -> None:
        async with locks.hold(*paths):
            await anyio.lowlevel.checkpoint()
            held.append(number)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            for number in range(6):
                tasks.start_soon(hold, number, *((a, b) if number % 2 else (b, a)))
    assert sorted(held) == list(range(6))


async def test_a_path_may_be_named_twice(tmp_path: Path) -> None:
    with anyio.fail_after(5):
        async with FileLocks().hold(tmp_path / "a", tmp_path / "a"):
            pass
