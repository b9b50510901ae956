"""The real ``opencode run``, on a server of its own and on a running one."""

import json
import os
import pty
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from anyio.abc import Process

from opencode.client.client import OpenCodeClient
from opencode.client.stream import EventStream
from opencode.session.schema import MessagePartUpdated, ToolPart, ToolStateRunning
from tests.support.scripted_config import MODEL, scripted_config, write_config
from tests.support.scripted_model.script import Call, Fail, Text, turn
from tests.support.scripted_model.server import ScriptedModel
from tests.support.server_process import OPENCODE, Home, run_opencode, server_process


async def test_an_answer_goes_to_stdout_and_the_tool_calls_beside_it(
    home: Home, project: Path, model: ScriptedModel
) -> None:
    model.push(turn(Call("read", {"filePath": "app.py"})), turn(Text("It prints Hello.", chunks=4)))
    ended = await run_opencode(home, project, "run", "what does app.py do?")
    assert (ended.returncode, ended.stdout.decode()) == (0, "It prints Hello.\n")
    header, tool = ended.stderr.decode().splitlines()
    assert header == "> build · m1"
    assert tool.startswith("✓ read") and tool.endswith("app.py")


async def test_json_lines_tell_every_part_of_the_turn(home: Home, project: Path, model: ScriptedModel) -> None:
    model.push(turn(Call("bash", {"command": "echo from-the-shell", "description": "x"})), "done")
    ended = await run_opencode(home, project, "run", "--format", "json", "go")
    assert ended.returncode == 0
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    kinds = ["step_start", "tool_use", "step_finish", "step_start", "text", "step_finish"]
    assert [line["type"] for line in lines] == kinds
    assert {line["sessionID"] for line in lines} == {lines[0]["part"]["sessionID"]}
    assert "from-the-shell" in lines[1]["part"]["state"]["output"]
    assert lines[4]["part"]["text"] == "done"


async def test_without_a_terminal_a_request_for_permission_is_refused(
    home: Home, project: Path, model: ScriptedModel
) -> None:
    write_config(project, scripted_config(model.url, permission={"bash": "ask"}))
    model.push(turn(Call("bash", {"command": "touch made", "description": "x"})), "done")
    ended = await run_opencode(home, project, "run", "go")
    assert "permission requested: bash (touch made); auto-rejecting" in ended.stderr.decode()
    assert not (project / "made").exists()


async def test_auto_allows_what_the_agent_asks(home: Home, project: Path, model: ScriptedModel) -> None:
    write_config(project, scripted_config(model.url, permission={"bash": "ask"}))
    model.push(turn(Call("bash", {"command": "touch made", "description": "x"})), "done")
    ended = await run_opencode(home, project, "run", "--auto", "go")
    assert (ended.returncode, ended.stdout.decode()) == (0, "done\n")
    assert (project / "made").exists()


@asynccontextmanager
async def asked_on_a_terminal(home: Home, project: Path) -> AsyncIterator[tuple[Process, int]]:
    """A run that waits for a person's decision: its process, and the person's keyboard."""
    keyboard, terminal = pty.openpty()
    command = [OPENCODE, "run", "go"]
    async with await anyio.open_process(
        command, cwd=project, env=home.environment, stdin=terminal, stderr=terminal
    ) as process:
        os.close(terminal)
        with anyio.fail_after(30):
            shown = b""
            while b"Allow?" not in shown:
                await anyio.wait_readable(keyboard)
                shown += os.read(keyboard, 4096)
            assert b"bash  touch made" in shown
            yield process, keyboard
    os.close(keyboard)


async def test_on_a_terminal_a_person_decides(home: Home, project: Path, model: ScriptedModel) -> None:
    write_config(project, scripted_config(model.url, permission={"bash": "ask"}))
    model.push(turn(Call("bash", {"command": "touch made", "description": "x"})), "done")
    async with asked_on_a_terminal(home, project) as (process, keyboard):
        os.write(keyboard, b"once\n")
        assert process.stdout is not None
        answer = b"".join([chunk async for chunk in process.stdout])
        assert (await process.wait(), answer) == (0, b"done\n")
    assert (project / "made").exists()


async def test_a_person_who_is_asked_can_interrupt_instead(home: Home, project: Path, model: ScriptedModel) -> None:
    write_config(project, scripted_config(model.url, permission={"bash": "ask"}))
    model.push(turn(Call("bash", {"command": "touch made", "description": "x"})))
    async with asked_on_a_terminal(home, project) as (process, _):
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 130
    assert not (project / "made").exists()


async def test_a_failing_model_makes_the_run_fail(home: Home, project: Path, model: ScriptedModel) -> None:
    model.push(turn(Fail(400, "no such thing")))
    ended = await run_opencode(home, project, "run", "go")
    assert ended.returncode == 1
    assert "no such thing" in ended.stderr.decode()


async def test_an_unknown_model_or_session_makes_the_run_fail(home: Home, project: Path, model: ScriptedModel) -> None:
    for arguments, told in ((["-m", "no/thing"], "no/thing"), (["-s", "ses_none"], "Session not found")):
        ended = await run_opencode(home, project, "run", *arguments, "go")
        assert ended.returncode == 1
        assert told in ended.stderr.decode()


async def test_an_empty_message_is_refused_before_anything_starts(home: Home, project: Path) -> None:
    ended = await run_opencode(home, project, "run")
    assert (ended.returncode, ended.stderr.decode()) == (1, "You must provide a message or a command\n")
    assert not home.data.joinpath("opencode-server.db").exists()


async def test_what_is_piped_in_and_attached_reaches_the_model(home: Home, project: Path, model: ScriptedModel) -> None:
    await run_opencode(home, project, "run", "look", "-f", "app.py", stdin="piped text")
    (request,) = model.turns
    assert b"look\\npiped text" in request.raw
    assert b"Hello" in request.raw


async def test_a_run_goes_on_with_the_newest_session(home: Home, project: Path, model: ScriptedModel) -> None:
    await run_opencode(home, project, "run", "first question")
    await run_opencode(home, project, "run", "--continue", "second question")
    sent = json.dumps(model.turns[-1].body)
    assert "first question" in sent and "second question" in sent


async def test_a_run_attaches_to_a_server_with_its_password(home: Home, project: Path, model: ScriptedModel) -> None:
    elsewhere = Home(home.root / "elsewhere")
    home.variables["OPENCODE_SERVER_PASSWORD"] = "pw"
    async with server_process(home, project) as server:
        attach = ["run", "--attach", server.url, "-m", MODEL]
        refused = await run_opencode(elsewhere, project, *attach, "hi")
        assert (refused.returncode, refused.stderr.decode()) == (1, "Authentication required\n")
        ended = await run_opencode(elsewhere, project, *attach, "-p", "pw", "hi")
        assert (ended.returncode, ended.stdout.decode()) == (0, "OK.\n")


async def test_a_run_uses_the_server_that_owns_the_data_already(
    home: Home, project: Path, model: ScriptedModel
) -> None:
    async with server_process(home, project) as server, OpenCodeClient(server.url) as client:
        ended = await run_opencode(home, project, "run", "hi")
        assert (ended.returncode, ended.stdout.decode()) == (0, "OK.\n")
        assert len(await client.sessions()) == 1


async def test_a_server_that_is_not_there_is_told(home: Home, project: Path) -> None:
    ended = await run_opencode(home, project, "run", "--attach", "http://127.0.0.1:9", "hi")
    assert ended.returncode == 1
    assert ended.stderr.decode().startswith("Cannot reach the server at http://127.0.0.1:9")


async def test_an_interrupt_stops_the_agent_and_ends_with_130(home: Home, project: Path, model: ScriptedModel) -> None:
    model.push(turn(Call("bash", {"command": "sleep 60; touch ended", "description": "x"})))
    async with server_process(home, project) as server, OpenCodeClient(server.url) as client, client.events() as stream:
        command = [OPENCODE, "run", "--attach", server.url, "go"]
        async with await anyio.open_process(
            command, cwd=project, env=home.environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process:
            with anyio.fail_after(30):
                await until_running(stream)
                process.send_signal(signal.SIGINT)
                assert await process.wait() == 130
        assert await client.statuses() == {}
        assert await server.stop() == 0


async def until_running(stream: EventStream) -> None:
    """Until a tool is at work."""
    async for event in stream:
        match event:
            case MessagePartUpdated(part=ToolPart(state=ToolStateRunning())):
                return
