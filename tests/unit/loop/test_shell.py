"""Commands that a person runs in a session."""

import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from opencode.core.ids import MessageID, ModelID, ProviderID, SessionID
from opencode.core.wire import UNSET, decode
from opencode.loop.shell import SHOWN_CHARACTERS
from opencode.provider.schema import ModelRef
from opencode.session.errors import SessionBusy
from opencode.session.inputs import ShellInput
from opencode.session.schema import (
    AssistantMessage,
    MessageWithParts,
    SessionIdle,
    SessionStatusChanged,
    StatusBusy,
    StatusIdle,
    TextPart,
    ToolPart,
    ToolStateCompleted,
    ToolStateRunning,
    UserMessage,
)
from tests.support.opened_instance import Opened, open_instance_in, said

OTHER = ModelRef(provider_id=ProviderID("elsewhere"), model_id=ModelID("m2"))
STOPPED = "\n\n<metadata>\nUser aborted the command\n</metadata>"
WAITS = "echo begun; until [ -e go ]; do sleep 0.02; done"


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opened]:
    with anyio.fail_after(30):
        async with open_instance_in(tmp_path) as opened:
            yield opened


async def until_shown(opened: Opened, session: SessionID, output: str) -> None:
    """Wait until the running command has shown that."""
    while True:
        messages = await opened.messages(session)
        states = [part.state for message in messages for part in message.parts if isinstance(part, ToolPart)]
        if any(isinstance(state, ToolStateRunning) and state.metadata == {"output": output} for state in states):
            return
        await anyio.lowlevel.checkpoint()


async def test_a_command_becomes_a_note_of_the_user_and_a_message_with_its_call(opened: Opened) -> None:
    session = await opened.session()
    wanted = ShellInput(command="echo hello; pwd; echo $TERM", agent="plan", model=OTHER)
    answer = decode(await opened.prompts.shell(session, wanted), MessageWithParts)
    prompt, stored = await opened.messages(session)
    assert answer == stored
    user, message, directory = prompt.info, stored.info, str(opened.instance.directory)
    assert isinstance(user, UserMessage)
    assert isinstance(message, AssistantMessage)
    assert (user.agent, user.model.provider_id, user.model.model_id) == ("plan", "elsewhere", "m2")
    [note] = prompt.parts
    assert isinstance(note, TextPart)
    assert (note.text, note.synthetic) == ("The following tool was executed by the user", True)
    assert message == AssistantMessage(
        id=message.id, session_id=session, parent_id=user.id, mode="plan", agent="plan", path=message.path,
        time=message.time, model_id=OTHER.model_id, provider_id=OTHER.provider_id,
    )  # fmt: skip
    assert (message.path.cwd, message.id > user.id) == (directory, True)
    assert message.time.completed is not UNSET
    [call] = stored.parts
    assert isinstance(call, ToolPart)
    state = call.state
    assert isinstance(state, ToolStateCompleted)
    output = f"hello\n{directory}\ndumb\n"
    assert state == ToolStateCompleted(
        input={"command": wanted.command}, output=output, title="", metadata={"output": output}, time=state.time
    )
    assert (call.tool, call.message_id, len(call.call_id)) == ("bash", message.id, 26)
    assert state.time.start <= state.time.end


async def test_the_session_is_busy_while_it_runs_and_idle_after_it(opened: Opened) -> None:
    session = await opened.session()
    await opened.prompts.shell(session, ShellInput(command="true"))
    assert [event.status for event in opened.heard(SessionStatusChanged)] == [StatusBusy(), StatusIdle()]
    assert len(opened.heard(SessionIdle)) == 1
    assert opened.prompts.statuses() == {}


async def test_the_clients_own_id_is_kept(opened: Opened) -> None:
    session, id = await opened.session(), MessageID("msg_000000000001AAAAAAAAAAAAAA")
    await opened.prompts.shell(session, ShellInput(command="true", message_id=id))
    prompt, answer = await opened.messages(session)
    assert (prompt.info.id, answer.info.id > id) == (id, True)
    await opened.prompts.shell(session, ShellInput(command="true"))
    ids = [message.info.id for message in await opened.messages(session)]
    assert ids == sorted(ids)


@pytest.mark.parametrize(
    ("command", "gone", "reason"),
    [
        ("true\0", False, "embedded null byte"),
        ("x" * 3_000_000, False, "Argument list too long"),
        ("true", True, "No such file or directory"),
    ],
    ids=["a byte that none takes", "too long", "a directory that is gone"],
)
async def test_of_a_command_that_cannot_be_started_the_output_is_the_reason(
    opened: Opened, command: str, gone: bool, reason: str
) -> None:
    session = await opened.session()
    if gone:
        shutil.rmtree(opened.instance.directory)
    answer = decode(await opened.prompts.shell(session, ShellInput(command=command)), MessageWithParts)
    [call] = answer.parts
    assert isinstance(call, ToolPart)
    assert isinstance(call.state, ToolStateCompleted)
    assert call.state.output.startswith("The command could not be started: ")
    assert reason in call.state.output
    assert opened.prompts.statuses() == {}


async def test_a_command_shows_its_output_while_it_runs_and_keeps_others_out(opened: Opened, tmp_path: Path) -> None:
    session = await opened.session()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(opened.prompts.shell, session, ShellInput(command=WAITS))
        await until_shown(opened, session, "begun\n")
        _, answer = await opened.messages(session)
        [call] = answer.parts
        assert isinstance(call, ToolPart)
        assert call.state.input == {"command": WAITS}
        [path] = tmp_path.rglob("opencode-server.db")
        with closing(sqlite3.connect(path)) as database:
            assert database.execute("SELECT kind FROM run").fetchall() == [("shell",)]
        with pytest.raises(SessionBusy):
            await opened.prompts.shell(session, ShellInput(command="true"))
        (opened.instance.directory / "go").touch()


async def test_of_much_output_the_end_is_shown_while_the_command_runs_and_more_of_it_is_kept(opened: Opened) -> None:
    session = await opened.session()
    command = f"head -c 200000 /dev/zero | tr '\\0' x; {WAITS}"
    answers: list[MessageWithParts] = []

    async def run() -> None:
        answers.append(decode(await opened.prompts.shell(session, ShellInput(command=command)), MessageWithParts))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        await until_shown(opened, session, "x" * (SHOWN_CHARACTERS - len("begun\n")) + "begun\n")
        (opened.instance.directory / "go").touch()
    [call] = answers[0].parts
    assert isinstance(call, ToolPart)
    assert isinstance(call.state, ToolStateCompleted)
    assert call.state.output == "x" * 200_000 + "begun\n"


async def test_a_stopped_command_keeps_its_output_and_says_that_it_was_stopped(opened: Opened) -> None:
    session = await opened.session()
    answers: list[MessageWithParts] = []

    async def run() -> None:
        answers.append(decode(await opened.prompts.shell(session, ShellInput(command=WAITS)), MessageWithParts))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        await until_shown(opened, session, "begun\n")
        await opened.prompts.abort(session)
    [call] = answers[0].parts
    assert isinstance(call, ToolPart)
    assert isinstance(call.state, ToolStateCompleted)
    assert (call.state.output, call.state.metadata) == ("begun\n" + STOPPED, {"output": "begun\n" + STOPPED})
    assert isinstance(answers[0].info, AssistantMessage)
    assert answers[0].info.time.completed is not UNSET
    assert opened.prompts.statuses() == {}


async def test_a_prompt_that_comes_meanwhile_is_answered_after_it_without_rest_in_between(opened: Opened) -> None:
    session = await opened.session()
    opened.model.push("Seen.")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(opened.prompts.shell, session, ShellInput(command=WAITS))
        await until_shown(opened, session, "begun\n")
        await opened.prompts.prompt_async(session, said("Look"))
        assert opened.model.requests == []
        (opened.instance.directory / "go").touch()
    await opened.rests()
    assert (await opened.texts(session))[-1] == ["Seen."]
    assert len(opened.heard(SessionIdle)) == 1
