import anyio
import pytest

from opencode.core.keyed_locks import KeyedLocks


async def test_each_waits_for_those_who_hold_its_key_alone() -> None:
    locks: KeyedLocks[str] = KeyedLocks()
    order: list[str] = []

    async def hold(key: str, name: str) -> None:
        async with locks.hold(key):
            order.append(name)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks, locks.hold("a"):
            tasks.start_soon(hold, "a", "second")
            tasks.start_soon(hold, "b", "another key")
            await anyio.wait_all_tasks_blocked()
            order.append("first")
    assert order == ["another key", "first", "second"]
    assert len(locks) == 0


async def test_locks_are_released_and_forgotten_after_an_error() -> None:
    locks: KeyedLocks[str] = KeyedLocks()
    with pytest.raises(ValueError, match="x"):
        async with locks.hold("a"):
            raise ValueError("x")
    assert len(locks) == 0
    with anyio.fail_after(5):
        async with locks.hold("a"):
            pass


async def test_one_that_is_cancelled_while_it_waits_leaves_nothing_behind() -> None:
    locks: KeyedLocks[str] = KeyedLocks()
    with anyio.fail_after(5):
        async with locks.hold("a"):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(locks.hold("a").__aenter__)
                await anyio.wait_all_tasks_blocked()
                tasks.cancel_scope.cancel()
            assert len(locks) == 1
    assert len(locks) == 0
