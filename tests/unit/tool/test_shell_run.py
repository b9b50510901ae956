import os
from itertools import pairwise
from pathlib import Path

import anyio
import pytest

from opencode.tool.shell_choice import login_argv, tool_shell, user_shell
from opencode.tool.shell_run import KEPT_CHARACTERS, run_shell

ENV = {**os.environ, "HOME": "/nonexistent"}


async def test_a_persons_command_streams_all_of_its_output_so_far(tmp_path: Path) -> None:
    shown: list[str] = []

    async def show(output: str) -> None:
        shown.append(output)

    result = await run_shell(
        "echo out; sleep 0.15; echo err >&2; echo $TERM; exit 4",
        shell="/bin/bash", cwd=tmp_path, env=ENV, on_output=show,
    )  # fmt: skip
    assert (result.output, result.exit_code) == ("out\nerr\ndumb\n", 4)
    assert shown[-1] == result.output
    assert all(later.startswith(earlier) for earlier, later in pairwise(shown))


async def test_of_endless_output_the_end_is_kept(tmp_path: Path) -> None:
    async def ignore(output: str) -> None:
        pass

    command = f"head -c {KEPT_CHARACTERS} /dev/zero | tr '\\0' x; echo end"
    result = await run_shell(command, shell="/bin/sh", cwd=tmp_path, env=ENV, on_output=ignore)
    assert result.output == "x" * (KEPT_CHARACTERS - 4) + "end\n"


async def test_the_last_output_is_shown_when_the_command_is_aborted(tmp_path: Path) -> None:
    shown: list[str] = []
    started = anyio.Event()

    async def show(output: str) -> None:
        shown.append(output)
        if "ready" in output:
            started.set()

    async with anyio.create_task_group() as tasks:

        async def run() -> None:
            await run_shell("echo ready; sleep 60", shell="/bin/bash", cwd=tmp_path, env=ENV, on_output=show)

        tasks.start_soon(run)
        with anyio.fail_after(5):
            await started.wait()
        tasks.cancel_scope.cancel()
    assert shown[-1] == "ready\n"


async def test_a_character_split_between_two_pieces_stays_whole(tmp_path: Path) -> None:
    async def ignore(output: str) -> None:
        pass

    command = "printf '\\303'; sleep 0.05; printf '\\251\\377'"
    result = await run_shell(command, shell="/bin/sh", cwd=tmp_path, env=ENV, on_output=ignore)
    assert result.output == "é\N{REPLACEMENT CHARACTER}"


async def test_a_timeout_has_no_exit_code(tmp_path: Path) -> None:
    async def ignore(output: str) -> None:
        pass

    with anyio.fail_after(3):
        result = await run_shell(
            "sleep 60", shell="/bin/sh", cwd=tmp_path, env=ENV, on_output=ignore, timeout_seconds=0.1
        )
    assert result.exit_code is None


@pytest.mark.parametrize(
    ("configured", "shell", "for_tools", "for_people"),
    [
        (None, "/usr/bin/zsh", "/usr/bin/zsh", "/usr/bin/zsh"),
        (None, "/usr/bin/fish", None, "/usr/bin/fish"),
        ("sh", "/usr/bin/zsh", "/sh", "/sh"),
        ("no-such-shell", "/usr/bin/zsh", "/usr/bin/zsh", "/usr/bin/zsh"),
    ],
)
def test_the_shell_is_the_configured_one_or_the_persons(
    configured: str | None, shell: str, for_tools: str | None, for_people: str
) -> None:
    environ = {"SHELL": shell}
    assert tool_shell(configured, environ).endswith(for_tools or "sh")
    assert "fish" not in tool_shell(configured, environ)
    assert user_shell(configured, environ).endswith(for_people)


def test_an_unknown_shell_gets_the_command_as_it_is() -> None:
    assert login_argv("/bin/dash", "ls") == ["/bin/dash", "-c", "ls"]
    assert login_argv("/bin/bash", "ls")[:3] == ["/bin/bash", "-l", "-c"]
    assert login_argv("/bin/zsh", "ls")[-1] == "ls"
