import os
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest

from opencode.permission.errors import PermissionRejected
from opencode.tool.builtin.bash import BashParams, BashSettings, BashTool
from opencode.tool.tool import ToolContext, ToolError, ToolResult
from opencode.tool.truncate import OutputTruncator
from opencode.tool.wrapper import PARTIAL_RESULT


@pytest.fixture
def bash(project: Path, truncator: OutputTruncator) -> BashTool:
    settings = BashSettings(shell="/bin/bash", environ=dict(os.environ), home=Path("/home/me"), directory=project)
    return BashTool(settings, truncator)


async def pid_in(path: Path) -> int:
    with anyio.fail_after(5):
        while not path.exists() or not path.read_text().endswith("\n"):  # noqa: ASYNC110
            await anyio.sleep(0.01)
    return int(path.read_text())


def is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


async def test_output_and_errors_come_back_as_one_text(bash: BashTool, context: ToolContext, recorded: Any) -> None:
    result = await bash.run(BashParams(command="echo out; echo err >&2"), context)
    assert result == ToolResult(
        title="echo out; echo err >&2",
        output="out\nerr\n",
        metadata={"output": "out\nerr\n", "exit": 0, "truncated": False},
    )
    assert recorded.reports[0] == {"output": ""}
    assert recorded.reports[-1] == {"output": "out\nerr\n"}
    assert recorded.asks == [
        {
            "permission": "bash",
            "patterns": ["echo out", "echo err >&2"],
            "always": ["echo *"],
            "metadata": {"command": "echo out; echo err >&2"},
        }
    ]


async def test_no_output_is_said_and_the_exit_code_is_in_the_metadata(bash: BashTool, context: ToolContext) -> None:
    result = await bash.run(BashParams(command="exit 3"), context)
    assert (result.output, result.metadata) == (
        "(no output)", {"output": "(no output)", "exit": 3, "truncated": False},
    )  # fmt: skip


async def test_there_is_no_input(bash: BashTool, context: ToolContext) -> None:
    result = await bash.run(BashParams(command='read v; echo "got:$v"'), context)
    assert result.output == "got:\n"


async def test_a_command_runs_in_the_directory_it_is_given(bash: BashTool, context: ToolContext, project: Path) -> None:
    (project / "docs").mkdir()
    result = await bash.run(BashParams(command="pwd", workdir="docs"), context)
    assert result.output == f"{project}/docs\n"
    with pytest.raises(ToolError, match="The working directory does not exist"):
        await bash.run(BashParams(command="pwd", workdir="missing"), context)


async def test_of_a_command_that_cannot_be_started_the_model_is_told_why(bash: BashTool, context: ToolContext) -> None:
    with pytest.raises(OSError, match="Argument list too long"):
        await bash.run(BashParams(command=": " + "x" * 3_000_000), context)


async def test_a_timeout_stops_the_command_and_says_so(bash: BashTool, context: ToolContext, project: Path) -> None:
    with anyio.fail_after(3):
        result = await bash.run(BashParams(command="setsid sleep 60 & echo $! > pid; sleep 60", timeout=200), context)
    assert result.output.startswith(
        "(no output)\n\n<shell_metadata>\nshell tool terminated command after exceeding timeout 200 ms."
    )
    assert result.output.endswith("\n</shell_metadata>")
    assert result.metadata == {"output": result.output, "exit": None, "truncated": False}
    assert not is_running(int((project / "pid").read_text()))


async def test_long_output_keeps_its_end_and_is_saved_whole(bash: BashTool, context: ToolContext) -> None:
    result = await bash.run(BashParams(command='for i in $(seq 1 3000); do echo "row $i"; done'), context)
    path = result.metadata["outputPath"]
    kept = "".join(f"row {n}\n" for n in range(1002, 3001))
    assert result.output == f"...output truncated...\n\nFull output saved to: {path}\n\n{kept}"
    assert result.metadata["truncated"] is True
    assert result.metadata["output"] == Path(path).read_text() == "".join(f"row {n}\n" for n in range(1, 3001))


async def test_very_long_output_is_bounded_in_what_is_shown_and_whole_in_the_file(
    bash: BashTool, context: ToolContext
) -> None:
    result = await bash.run(BashParams(command="yes é | head -n 1000000"), context)
    assert Path(result.metadata["outputPath"]).stat().st_size == 3_000_000
    assert len(result.output.encode()) < 52_000
    assert result.metadata["output"].startswith("...\n\n")
    assert len(result.metadata["output"]) == 30_005
    assert result.metadata["exit"] == 0


async def test_live_output_is_shown_at_a_bounded_rate(bash: BashTool, context: ToolContext, recorded: Any) -> None:
    await bash.run(BashParams(command="for i in $(seq 1 60); do echo $i; sleep 0.01; done"), context)
    assert 3 <= len(recorded.reports) < 25
    assert recorded.reports[-1]["output"].endswith("\n60\n")


async def test_abort_kills_everything_within_a_second_and_leaves_the_output_so_far(
    bash: BashTool, context: ToolContext, project: Path
) -> None:
    command = (
        "echo started; (trap '' TERM; setsid sh -c 'trap \"\" TERM; echo $$ > pid; while :; do sleep 1; done') & wait"
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(bash.run, BashParams(command=command), context)
        pid = await pid_in(project / "pid")
        began = anyio.current_time()
        tasks.cancel_scope.cancel()
    assert anyio.current_time() - began < 1
    assert not is_running(pid)
    partial = context.extra[PARTIAL_RESULT]
    assert partial.output == "started\n\n\n<shell_metadata>\nUser aborted the command\n</shell_metadata>"
    assert partial.metadata == {"output": "started\n", "exit": None, "truncated": False}


async def test_directories_outside_are_asked_for_first(bash: BashTool, context: ToolContext, recorded: Any) -> None:
    recorded.refusal = PermissionRejected()
    with pytest.raises(PermissionRejected):
        await bash.run(BashParams(command="cat /etc/hostname"), context)
    assert recorded.asks == [
        {
            "permission": "external_directory",
            "patterns": ["/etc/*"],
            "always": ["/etc/*"],
            "metadata": {"command": "cat /etc/hostname", "directories": ["/etc"], "patterns": ["/etc/*"]},
        }
    ]


async def test_a_working_directory_outside_is_asked_for_too(
    bash: BashTool, context: ToolContext, recorded: Any, tmp_path: Path
) -> None:
    await bash.run(BashParams(command="cd .", workdir=str(tmp_path)), context)
    assert [ask["patterns"] for ask in recorded.asks] == [[f"{tmp_path}/*"]]


def test_the_description_names_the_directory_and_the_limits(bash: BashTool, project: Path) -> None:
    assert str(project) in bash.description
    assert "2000 lines or 51200 bytes" in bash.description
    assert "{" not in bash.description
