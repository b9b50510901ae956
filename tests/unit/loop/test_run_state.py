"""Run state: one run per session, no lost wake-up, abort means stopped."""

from collections.abc import AsyncIterator

import anyio
import pytest

from opencode.core.ids import MessageID, SessionID
from opencode.loop import run_state
from opencode.loop.run_state import InstanceClosed, Run, RunState
from opencode.session.errors import SessionBusy

S = SessionID("ses_1")
ONE, TWO = MessageID("msg_1"), MessageID("msg_2")


@pytest.fixture
def unsettled() -> list[SessionID]:
    """The sessions whose end could not be stored."""
    return []


@pytest.fixture
async def runs(unsettled: list[SessionID]) -> AsyncIterator[RunState]:
    async with anyio.create_task_group() as tasks:
        state = RunState(tasks, unsettled.append)
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


async def test_abort_does_not_wait_for_ever_for_a_run_that_does_not_wind_down(
    runs: RunState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_state, "ABORT_PATIENCE_SECONDS", 0.01)
    work, release = Work(), anyio.Event()

    async def settle_slowly(run: Run) -> bytes:
        assert run.session_id == S
        await release.wait()
        return b"done"

    run = runs.join(S, work.run, settle_slowly)
    with anyio.fail_after(5):
        await work.started.wait()
        assert await runs.cancel(S)
        assert not run.done.is_set()
        release.set()
        assert await run.outcome() == b"done"


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
    assert runs.join(S, work.run, work.settle).kind == "loop"
    with pytest.raises(SessionBusy, match=S):
        runs.exclusive(S, work.run, work.settle)
    work.gate.set()


async def test_a_prompt_during_a_shell_command_runs_after_it(runs: RunState) -> None:
    shell, loop = Work(), Work()
    loop.gate.set()
    command = runs.exclusive(S, shell.run, shell.settle)
    follower = runs.join(S, loop.run, loop.settle)
    assert (command.kind, command.session_id, follower.kind, follower.session_id) == ("shell", S, "loop", S)
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


async def test_nothing_to_stop_is_said(runs: RunState) -> None:
    assert not await runs.cancel(S)


async def test_a_run_whose_end_is_not_stored_is_told_and_its_waiters_hear_why(
    runs: RunState, unsettled: list[SessionID]
) -> None:
    async def refuse(run: Run) -> bytes:
        raise OSError("full")

    work = Work()
    work.gate.set()
    run = runs.join(S, work.run, refuse)
    with anyio.fail_after(5), pytest.raises(OSError, match="full"):
        await run.outcome()
    assert (unsettled, runs.get(S)) == ([S], None)
    done = runs.join(S, work.run, work.settle)
    with anyio.fail_after(5):
        await done.outcome()
    assert unsettled == [S]


async def test_of_two_failures_the_first_is_told(runs: RunState) -> None:
    async def fail(run: Run) -> None:
        raise ValueError("first")

    async def refuse(run: Run) -> bytes:
        raise OSError("second")

    with anyio.fail_after(5), pytest.raises(ValueError, match="first"):
        await runs.join(S, fail, refuse).outcome()


async def test_sessions_run_beside_each_other(runs: RunState) -> None:
    other = SessionID("ses_2")
    one, two = Work(), Work()
    first, second = runs.join(S, one.run, one.settle), runs.exclusive(other, two.run, two.settle)
    with anyio.fail_after(5):
        await one.started.wait()
        await two.started.wait()
        assert await runs.cancel(S)
        assert not second.is_aborted
        two.gate.set()
        await second.outcome()
    assert (first.is_aborted, runs.get(other)) == (True, None)
    runs.require_idle(S)


async def test_an_aborted_run_is_not_driven_again_for_a_prompt_that_joined_it(runs: RunState) -> None:
    work = Work()
    run = runs.join(S, work.run, work.settle)
    with anyio.fail_after(5):
        await work.started.wait()
        assert runs.join(S, work.run, work.settle) is run
        run.prompted = True
        await runs.cancel(S)
    assert (work.runs, work.settled) == (1, 1)


async def test_closing_stops_everything_and_waits_for_it() -> None:
    works = [Work(), Work()]
    async with anyio.create_task_group() as tasks:
        state = RunState(tasks, lambda session_id: None)
        for number, work in enumerate(works):
            state.join(SessionID(f"ses_{number}"), work.run, work.settle)
        with anyio.fail_after(5):
            for work in works:
                await work.started.wait()
            await state.close()
        assert [work.settled for work in works] == [1, 1]


# --- turns that wait -------------------------------------------------------------------------------------------------


class Order:
    """Turns that note when they run, and wait for their gates."""

    def __init__(self, runs: RunState) -> None:
        self.runs = runs
        self.began: list[str] = []
        self.gates: dict[str, anyio.Event] = {}

    def turn(self, prompt: str) -> Run:
        self.gates[prompt] = anyio.Event()

        async def work(run: Run) -> None:
            self.began.append(prompt)
            await self.gates[prompt].wait()

        async def settle(run: Run) -> bytes:
            return prompt.encode()

        return self.runs.turn(S, MessageID(prompt), work, settle)

    def enqueue(self, *prompts: str) -> list[Run]:
        turns = [self.turn(prompt) for prompt in prompts]
        for turn in turns:
            self.runs.enqueue(turn)
        return turns

    async def finish(self, prompt: str, run: Run) -> None:
        self.gates[prompt].set()
        assert await run.outcome() == prompt.encode()
        await anyio.wait_all_tasks_blocked()


async def test_turns_begin_one_after_the_other_when_their_session_is_free(runs: RunState) -> None:
    work, order = Work(), Order(runs)
    running = runs.join(S, work.run, work.settle)
    a, b = order.enqueue("msg_a", "msg_b")
    assert (a.prompts, runs.queued(S, MessageID("msg_b")), runs.has_queue(S)) == (["msg_a"], b, True)
    with anyio.fail_after(5):
        await work.started.wait()
        assert order.began == []
        work.gate.set()
        await running.outcome()
        await anyio.wait_all_tasks_blocked()
        assert order.began == ["msg_a"]
        assert runs.queued(S, MessageID("msg_a")) is None
        await order.finish("msg_a", a)
        assert order.began == ["msg_a", "msg_b"]
        await order.finish("msg_b", b)
    assert (runs.has_queue(S), runs.get(S)) == (False, None)


async def test_a_turn_of_a_session_at_rest_begins_at_once(runs: RunState) -> None:
    order = Order(runs)
    [turn] = order.enqueue("msg_a")
    assert (runs.get(S), runs.has_queue(S), turn.kind) == (turn, False, "loop")
    with anyio.fail_after(5):
        await order.finish("msg_a", turn)


async def test_a_held_queue_waits_until_it_is_released(runs: RunState) -> None:
    order = Order(runs)
    assert not runs.is_held(S)
    runs.hold(S)
    [turn] = order.enqueue("msg_a")
    with anyio.fail_after(5):
        await anyio.wait_all_tasks_blocked()
        assert (order.began, runs.is_held(S)) == ([], True)
        runs.release(S)
        await order.finish("msg_a", turn)
    assert not runs.is_held(S)


async def test_who_waits_for_a_turn_that_is_taken_back_hears_why(runs: RunState) -> None:
    order = Order(runs)
    runs.hold(S)
    a, b = order.enqueue("msg_a", "msg_b")
    runs.dequeue(S, MessageID("msg_x"), ValueError("nobody"))
    runs.dequeue(S, MessageID("msg_a"), ValueError("taken back"))
    with anyio.fail_after(5):
        with pytest.raises(ValueError, match="taken back"):
            await a.outcome()
        assert runs.has_queue(S)
        runs.drop_queue(S, ValueError("all gone"))
        with pytest.raises(ValueError, match="all gone"):
            await b.outcome()
    assert not runs.has_queue(S)
    runs.release(S)
    assert order.began == []


async def test_a_turn_that_is_put_back_is_the_first_again_and_is_held(runs: RunState) -> None:
    order = Order(runs)
    b, _ = order.enqueue("msg_b", "msg_c")
    a = order.turn("msg_a")
    runs.put_back(a)
    assert runs.is_held(S)
    with anyio.fail_after(5):
        await order.finish("msg_b", b)
        assert order.began == ["msg_b"]
        runs.release(S)
        await order.finish("msg_a", a)
    assert order.began == ["msg_b", "msg_a", "msg_c"]


async def test_a_session_without_a_queue_has_nothing_to_take_back(runs: RunState) -> None:
    runs.dequeue(S, MessageID("msg_a"), ValueError("nobody"))
    runs.drop_queue(S, ValueError("nobody"))
    assert runs.queued(S, MessageID("msg_a")) is None
    order = Order(runs)
    runs.put_back(order.turn("msg_a"))
    assert runs.has_queue(S)


async def test_turns_that_wait_when_the_directory_is_closed_are_told_so_and_begin_no_more(runs: RunState) -> None:
    work, order = Work(), Order(runs)
    runs.join(S, work.run, work.settle)
    [turn] = order.enqueue("msg_a")
    with anyio.fail_after(5):
        await work.started.wait()
        await runs.close()
        with pytest.raises(InstanceClosed) as raised:
            await turn.outcome()
        words = "The directory was closed; the prompt is kept and gets its turn when it is opened again"
        assert raised.value.message == words
        late = order.enqueue("msg_b")
        await anyio.wait_all_tasks_blocked()
    assert (order.began, late[0].done.is_set()) == ([], True)


async def test_a_prompt_is_noted_once_and_counts_as_new_until_the_loop_has_looked() -> None:
    run = Run(S, "loop", Work().run, Work().settle)
    for prompt in ("msg_a", "msg_b", "msg_a", None):
        run.add(None if prompt is None else MessageID(prompt))
    run.prompted = True
    assert (run.prompts, run.unseen) == (["msg_a", "msg_b"], ["msg_a", "msg_b"])
    run.looked()
    assert (run.prompts, run.unseen, run.prompted) == (["msg_a", "msg_b"], [], False)


async def test_prompts_that_join_are_noted_by_the_run_that_will_answer_them(runs: RunState) -> None:
    work = Work()
    run = runs.join(S, work.run, work.settle, MessageID("msg_a"))
    assert runs.join(S, work.run, work.settle, MessageID("msg_b")) is run
    with anyio.fail_after(5):
        await work.started.wait()
        assert (run.prompts, run.is_aborted, run.stopped_ms) == (["msg_a", "msg_b"], False, None)
        run.stop()
        first = run.stopped_ms
        follower = runs.join(S, work.run, work.settle, MessageID("msg_c"))
        run.stop()
        assert (follower.prompts, run.stopped_ms, first is not None) == (["msg_c"], first, True)
        work.gate.set()
        await follower.outcome()


async def test_a_closed_directory_starts_nothing_any_more(runs: RunState) -> None:
    await runs.close()
    work = Work()
    for begin in (runs.join, runs.exclusive):
        with pytest.raises(InstanceClosed, match="send it again"):
            begin(S, work.run, work.settle)
    turn = runs.turn(S, ONE, work.run, work.settle)
    runs.enqueue(turn)
    with anyio.fail_after(5), pytest.raises(InstanceClosed, match="gets its turn"):
        await turn.outcome()
    assert work.runs == 0


async def test_what_is_being_stored_when_the_directory_closes_is_started_and_then_stopped_with_the_rest(
    runs: RunState,
) -> None:
    work, closed = Work(), anyio.Event()

    async def close() -> None:
        await runs.close()
        closed.set()

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            with runs.admitting():
                tasks.start_soon(close)
                await anyio.wait_all_tasks_blocked()
                with pytest.raises(InstanceClosed, match="send it again"), runs.admitting():
                    pytest.fail("the directory closes already")
                run = runs.join(S, work.run, work.settle, ONE)
                assert not closed.is_set()
            await closed.wait()
        assert (run.is_aborted, run.is_settled, await run.outcome()) == (True, True, b"done")
    with pytest.raises(InstanceClosed, match="send it again"):
        runs.join(S, work.run, work.settle, TWO)


async def test_who_waits_for_a_run_that_is_cut_off_gets_an_error_and_not_nothing(unsettled: list[SessionID]) -> None:
    work = Work()
    async with anyio.create_task_group() as tasks:
        run = RunState(tasks, unsettled.append).join(S, work.run, work.settle)
        await work.started.wait()
        tasks.cancel_scope.cancel()
    with anyio.fail_after(5), pytest.raises(InstanceClosed):
        await run.outcome()
    assert unsettled == [S]
