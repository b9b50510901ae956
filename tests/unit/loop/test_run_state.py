"""Run state: one run per session, no lost wake-up, abort means stopped."""

from collections.abc import AsyncIterator

import anyio
import pytest

from opencode.core.ids import SessionID
from opencode.loop.run_state import Run, RunState
from opencode.session.errors import SessionBusy

S = SessionID("ses_1")


@pytest.fixture
async def runs() -> AsyncIterator[RunState]:
    async with anyio.create_task_group() as tasks:
        state = RunState(tasks, lambda session_id: None)
        yield state
        await state.close()


class Work:
    """Counts its runs; each waits for the gate."""

    def __init__(self) -> None:
        self.gate = anyio.Event()
        self.started = anyio.Event()
        self.runs = 0
        self.settled = 0

    async def run(self, run: Run) -> None:
        run.prompted = False
        self.runs += 1
        self.started.set()
        await self.gate.wait()

    async def settle(self, run: Run) -> bytes:
        self.settled += 1
        return b"done"


async def test_all_callers_get_the_outcome_of_the_one_run(runs: RunState) -> None:
    work = Work()
    first = runs.join(S, work.run, work.settle)
    work.gate.set()
    second = runs.join(S, work.run, work.settle)
    with anyio.fail_after(5):
        assert (await first.outcome(), await second.outcome()) == (b"done", b"done")
    assert first is second


async def test_a_prompt_that_joins_after_the_loops_last_look_is_not_lost(runs: RunState) -> None:
    work = Work()
    work.gate.set()
    settling, release = anyio.Event(), anyio.Event()

    async def settle(run: Run) -> bytes:
        work.settled += 1
        settling.set()
        await release.wait()
        return b"done"

    run = runs.join(S, work.run, settle)
    with anyio.fail_after(5):
        await settling.wait()
        assert runs.join(S, work.run, settle) is run
        release.set()
        await run.outcome()
    assert work.runs == 2


async def test_abort_stops_the_run_and_gives_waiters_what_settles(runs: RunState) -> None:
    work = Work()
    run = runs.join(S, work.run, work.settle)
    with anyio.fail_after(5):
        await work.started.wait()
        assert await runs.cancel(S)
        assert await run.outcome() == b"done"
    assert runs.get(S) is None


async def test_a_failure_reaches_every_waiter_and_frees_the_session(runs: RunState) -> None:
    async def fail(run: Run) -> None:
        raise ValueError("broken")

    work = Work()
    run = runs.join(S, fail, work.settle)
    with anyio.fail_after(5):
        for _ in range(2):
            with pytest.raises(ValueError, match="broken"):
                await run.outcome()
    assert runs.get(S) is None
    assert work.settled == 1


async def test_a_shell_command_needs_an_idle_session(runs: RunState) -> None:
    work = Work()
    runs.join(S, work.run, work.settle)
    with pytest.raises(SessionBusy):
        runs.exclusive(S, work.run, work.settle)
    work.gate.set()


async def test_a_prompt_during_a_shell_command_runs_after_it(runs: RunState) -> None:
    shell, loop = Work(), Work()
    loop.gate.set()
    command = runs.exclusive(S, shell.run, shell.settle)
    follower = runs.join(S, loop.run, loop.settle)
    assert follower is runs.join(S, loop.run, loop.settle)
    assert loop.runs == 0
    shell.gate.set()
    with anyio.fail_after(5):
        await command.outcome()
        assert await follower.outcome() == b"done"
    assert loop.runs == 1


async def test_abort_during_a_shell_command_also_stops_the_prompt_behind_it(runs: RunState) -> None:
    shell, loop = Work(), Work()
    runs.exclusive(S, shell.run, shell.settle)
    follower = runs.join(S, loop.run, loop.settle)
    with anyio.fail_after(5):
        await runs.cancel(S)
        await follower.outcome()
    assert loop.settled == 1
    assert runs.get(S) is None


async def test_a_prompt_that_comes_while_an_aborted_loop_winds_down_is_answered_after_it(runs: RunState) -> None:
    aborted, next_ = Work(), Work()
    next_.gate.set()
    release = anyio.Event()

    async def settle_slowly(run: Run) -> bytes:
        await release.wait()
        return b"aborted"

    first = runs.join(S, aborted.run, settle_slowly)
    with anyio.fail_after(5):
        await aborted.started.wait()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(runs.cancel, S)
            while not first.is_aborted:
                await anyio.lowlevel.checkpoint()
            second = runs.join(S, next_.run, next_.settle)
            release.set()
        assert (await first.outcome(), await second.outcome()) == (b"aborted", b"done")
    assert (next_.runs, runs.get(S)) == (1, None)


async def test_a_caller_that_goes_away_does_not_stop_the_run(runs: RunState) -> None:
    work = Work()
    run = runs.join(S, work.run, work.settle)
    with anyio.move_on_after(0.01):
        await run.outcome()
    assert not run.is_aborted
    work.gate.set()
    with anyio.fail_after(5):
        await run.outcome()
