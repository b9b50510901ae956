import os
import signal
import sys
from pathlib import Path

import anyio
import psutil
import pytest

from opencode.core.process import owned_environment, run_process, start_process

ENV = dict(os.environ)

IGNORES_TERM = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
SAY_PID = "import os; open({path!r}, 'a').write(str(os.getpid()) + '\\n'); "
DOUBLE_FORK = "import os\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\n"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


async def pids_in(path: Path, count: int = 1) -> list[int]:
    with anyio.fail_after(5):
        while not path.exists() or path.read_text().count("\n") < count:  # noqa: ASYNC110
            await anyio.sleep(0.01)
    return [int(line) for line in path.read_text().split()]


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def cancel_once_started(argv: list[str], tmp_path: Path, children: int = 1) -> tuple[list[int], float]:
    """Start it, cancel when its children have written their ids; those ids, and the seconds that stopping took."""
    file = tmp_path / "pids"
    async with anyio.create_task_group() as tasks:

        async def run() -> None:
            async with start_process(argv, cwd=tmp_path, env=ENV) as process:
                await process.wait()
                await anyio.sleep_forever()

        tasks.start_soon(run)
        pids = await pids_in(file, children)
        began = anyio.current_time()
        tasks.cancel_scope.cancel()
    return pids, anyio.current_time() - began


async def test_a_command_gives_back_its_output_and_exit_code(tmp_path: Path) -> None:
    done = await run_process(["sh", "-c", "pwd; echo no >&2; exit 3"], cwd=tmp_path, env=ENV)
    assert (done.exit_code, done.stdout.decode().strip(), done.stderr) == (3, str(tmp_path), b"no\n")
    assert not done.truncated


async def test_input_is_sent_and_closed(tmp_path: Path) -> None:
    done = await run_process(["cat"], cwd=tmp_path, env=ENV, stdin=b"x" * 300_000)
    assert len(done.stdout) == 300_000


async def test_a_command_that_does_not_read_its_input_is_no_error(tmp_path: Path) -> None:
    done = await run_process(["true"], cwd=tmp_path, env=ENV, stdin=b"x" * 3_000_000)
    assert done.exit_code == 0


async def test_output_past_the_limit_is_dropped_without_blocking_the_command(tmp_path: Path) -> None:
    done = await run_process(python("print('x' * 500_000)"), cwd=tmp_path, env=ENV, output_limit_bytes=1000)
    assert (done.exit_code, len(done.stdout), done.truncated) == (0, 1000, True)


async def test_a_command_that_cannot_be_found_raises_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await run_process(["no-such-command-here"], cwd=tmp_path, env=ENV)


async def test_an_argument_that_no_system_takes_raises_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="embedded null byte"):
        await run_process(["echo", "a\0b"], cwd=tmp_path, env=ENV)


async def test_a_timeout_stops_the_command(tmp_path: Path) -> None:
    with anyio.fail_after(5), pytest.raises(TimeoutError):
        await run_process(["sleep", "60"], cwd=tmp_path, env=ENV, timeout_seconds=0.1)


async def test_a_child_left_in_the_background_does_not_hold_up_the_answer(tmp_path: Path) -> None:
    with anyio.fail_after(3):
        done = await run_process(["sh", "-c", "echo hi; sleep 60 & echo $! > pid"], cwd=tmp_path, env=ENV)
    assert done.stdout == b"hi\n"
    assert not is_running(int((tmp_path / "pid").read_text()))


async def test_a_child_in_the_background_survives_a_finished_command_when_wanted(tmp_path: Path) -> None:
    argv = ["sh", "-c", "sleep 60 >/dev/null 2>&1 & echo $! > pid"]
    async with start_process(argv, cwd=tmp_path, env=ENV, keep_background=True) as process:
        assert await process.wait() == 0
    pid = int((tmp_path / "pid").read_text())
    assert is_running(pid)
    os.kill(pid, signal.SIGKILL)


async def test_cancelling_kills_a_child_that_ignores_sigterm(tmp_path: Path) -> None:
    code = IGNORES_TERM + SAY_PID.format(path=str(tmp_path / "pids")) + "time.sleep(60)"
    pids, seconds = await cancel_once_started(python(code), tmp_path)
    assert not any(map(is_running, pids))
    assert 0.15 < seconds < 1


async def test_a_child_that_obeys_sigterm_is_given_time_to_clean_up(tmp_path: Path) -> None:
    trap = "trap 'echo bye > bye; exit 0' TERM; echo $$ > pids; while :; do sleep 0.01; done"
    await cancel_once_started(["sh", "-c", trap], tmp_path)
    assert (tmp_path / "bye").read_text() == "bye\n"


async def test_cancelling_kills_grandchildren_of_the_group(tmp_path: Path) -> None:
    argv = ["sh", "-c", "sh -c 'echo $$ >> pids; sleep 60' & sh -c 'echo $$ >> pids; sleep 60'"]
    pids, seconds = await cancel_once_started(argv, tmp_path, children=2)
    assert not any(map(is_running, pids))
    assert seconds < 1


async def test_cancelling_kills_a_daemon_that_forked_twice_and_ignores_sigterm(tmp_path: Path) -> None:
    code = DOUBLE_FORK + IGNORES_TERM + SAY_PID.format(path=str(tmp_path / "pids")) + "time.sleep(60)"
    pids, seconds = await cancel_once_started(python(code), tmp_path)
    assert not any(map(is_running, pids))
    assert seconds < 1


async def test_cancelling_kills_a_child_in_its_own_session_without_our_environment(tmp_path: Path) -> None:
    code = SAY_PID.format(path=str(tmp_path / "pids")) + "import time; time.sleep(60)"
    argv = ["setsid", "--wait", "env", "-i", *python(code)]
    pids, seconds = await cancel_once_started(argv, tmp_path)
    assert not any(map(is_running, pids))
    assert seconds < 1


async def test_leaving_the_block_early_stops_the_command(tmp_path: Path) -> None:
    async with start_process(["sleep", "60"], cwd=tmp_path, env=ENV) as process:
        assert process.exit_code is None
    assert process.exit_code == -signal.SIGTERM


async def test_an_error_in_the_block_stops_what_the_command_left_behind(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        async with start_process(
            ["sh", "-c", "sleep 60 >/dev/null 2>&1 & echo $! > pid"], cwd=tmp_path, env=ENV, keep_background=True
        ) as process:
            await process.wait()
            raise ValueError
    assert not is_running(int((tmp_path / "pid").read_text()))


async def test_both_outputs_can_share_one_pipe(tmp_path: Path) -> None:
    async with start_process(["sh", "-c", "echo a; echo b >&2"], cwd=tmp_path, env=ENV, stderr="stdout") as process:
        output = await process.stdout.read()
        with pytest.raises(ValueError):
            _ = process.stderr
    assert output == b"a\nb\n"


async def test_marks_of_nested_servers_add_up(tmp_path: Path) -> None:
    done = await run_process(["printenv", "OPENCODE_PROCESS"], cwd=tmp_path, env={**ENV, "OPENCODE_PROCESS": "outer"})
    assert done.stdout.startswith(b"outer/")


async def test_background_commands_end_with_the_owner_of_their_environment(tmp_path: Path) -> None:
    argv = ["sh", "-c", "setsid sleep 60 >/dev/null 2>&1 & echo $! > pid"]
    async with owned_environment(ENV) as env:
        async with start_process(argv, cwd=tmp_path, env=env, keep_background=True) as process:
            await process.wait()
        pid = int((tmp_path / "pid").read_text())
        assert is_running(pid)
    assert not is_running(pid)


async def test_a_background_child_that_never_stops_printing_does_not_hold_up_the_answer(tmp_path: Path) -> None:
    with anyio.fail_after(5):
        done = await run_process(["sh", "-c", "(while :; do echo x; sleep 0.02; done) &"], cwd=tmp_path, env=ENV)
    assert done.exit_code == 0


async def test_where_the_kernel_cannot_tell_of_an_end_a_thread_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    done = await run_process(["sh", "-c", "echo hi; exit 3"], cwd=tmp_path, env=ENV)
    assert (done.exit_code, done.stdout) == (3, b"hi\n")
    with anyio.fail_after(5), pytest.raises(TimeoutError):
        await run_process(["sleep", "60"], cwd=tmp_path, env=ENV, timeout_seconds=0.1)
