import logging

import anyio
import pytest

from opencode.core.tasks import BackgroundJobs, task_group, unwrap


async def fail(error: Exception) -> None:
    raise error


async def test_an_error_alone_in_a_task_group_is_raised_as_itself() -> None:
    with pytest.raises(KeyError):
        async with task_group() as outer:
            async with task_group() as inner:
                inner.start_soon(fail, KeyError("a"))
            outer.start_soon(anyio.sleep, 0)


async def test_two_errors_stay_a_group() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        async with task_group() as tasks:
            tasks.start_soon(fail, KeyError("a"))
            tasks.start_soon(fail, ValueError("b"))
    assert len(caught.value.exceptions) == 2


def test_nested_groups_of_one_are_unwrapped() -> None:
    error = ValueError()
    assert unwrap(ExceptionGroup("a", [ExceptionGroup("b", [error])])) is error
    assert unwrap(error) is error


async def test_a_failing_job_is_logged_and_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    done = anyio.Event()

    async def finish() -> None:
        done.set()

    with caplog.at_level(logging.ERROR, logger="opencode"):
        async with anyio.create_task_group() as tasks:
            jobs = BackgroundJobs(tasks, limit=4, service="jobs")
            jobs.start("bad", lambda: fail(ValueError("broken")))
            jobs.start("good", finish)
    assert done.is_set()
    assert jobs.names() == []


async def test_jobs_are_bounded_and_named_once() -> None:
    async with anyio.create_task_group() as tasks:
        jobs = BackgroundJobs(tasks, limit=2, service="jobs")
        assert [jobs.start(name, anyio.sleep_forever) for name in ("a", "a", "b", "c")] == [True, False, True, False]
        assert jobs.names() == ["a", "b"]
        assert jobs.cancel("a")
        assert jobs.cancel("b")
        assert not jobs.cancel("c")
    assert jobs.names() == []
