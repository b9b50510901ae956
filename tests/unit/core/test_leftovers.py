"""Process groups of a dead server are found by its mark; all others are left alone."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import anyio
import pytest

from opencode.core.leftovers import end_leftovers
from opencode.core.process import marked

MARK = f"test.{os.getpid()}"
STUBBORN = "trap '' TERM; echo $$ > pid; while :; do sleep 0.1; done"
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts commands in sessions of their own, and kills what is left of them."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*argv: str, env: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        started.append(subprocess.Popen(argv, cwd=tmp_path, env=env, start_new_session=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def with_mark(*marks: str) -> dict[str, str]:
    env = {"PATH": os.environ["PATH"]}
    for mark in marks:
        env = marked(env, mark)
    return env


async def written(path: Path) -> int:
    with anyio.fail_after(20):
        while not path.exists() or not path.read_text().strip():  # noqa: ASYNC110 (another process)
            await anyio.sleep(0.01)
    return int(path.read_text())


async def test_commands_of_a_dead_server_end_and_others_go_on(start: Start) -> None:
    left = [start("sleep", "60", env=with_mark(MARK)), start("sleep", "60", env=with_mark("outer", MARK, "inner"))]
    others = [start("sleep", "60", env=with_mark()), start("sleep", "60", env=with_mark(f"{MARK}0", f"x{MARK}"))]
    assert await end_leftovers(MARK) == 2
    assert [process.wait(20) for process in left] == [-signal.SIGTERM] * 2
    assert [process.poll() for process in others] == [None, None]


async def test_a_command_that_ignores_the_first_signal_gets_the_second(start: Start, tmp_path: Path) -> None:
    process = start("sh", "-c", STUBBORN, env=with_mark(MARK))
    await written(tmp_path / "pid")
    await end_leftovers(MARK)
    assert process.wait(20) == -signal.SIGKILL


async def test_what_hides_its_environment_ends_with_its_group(start: Start, tmp_path: Path) -> None:
    script = "env -i /bin/sh -c 'echo $$ > hidden; exec sleep 60' & sleep 60"
    start("sh", "-c", script, env=with_mark(MARK))
    hidden = await written(tmp_path / "hidden")
    await end_leftovers(MARK)
    with anyio.fail_after(20):
        while Path(f"/proc/{hidden}").exists() and "Z" not in state_of(hidden):  # noqa: ASYNC110
            await anyio.sleep(0.01)


def state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "Z"


async def test_a_server_that_such_a_command_started_spares_itself_and_its_ancestors(
    start: Start, tmp_path: Path
) -> None:
    """The shell carries the mark, and so does the program below it that ends what is left."""
    program = (
        "import anyio; from opencode.core.leftovers import end_leftovers;"
        f"print(anyio.run(end_leftovers, {MARK!r}), file=open('count', 'w'))"
    )
    shell = start(
        "sh", "-c", f'{sys.executable} -c "$0" && echo survived > shell; exit 3', program, env=with_mark(MARK)
    )
    sibling = start("sleep", "60", env=with_mark(MARK))
    assert await anyio.to_thread.run_sync(shell.wait) == 3
    assert (tmp_path / "count").read_text() == "1\n"
    assert (tmp_path / "shell").read_text() == "survived\n"
    assert sibling.wait(20) == -signal.SIGTERM


async def test_nothing_left_is_nothing_done() -> None:
    assert await end_leftovers(MARK) == 0
