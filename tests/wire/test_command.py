"""Slash commands: templates, agents, models, subtasks, files, and what is told of them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from opencode.command.schema import CommandExecuted
from opencode.instance.shared import Shared
from opencode.session.schema import SessionErrored, SessionIdle
from tests.wire.delegating import Script, begins, scripted

FILES = {
    "command/greet.md": "---\ndescription: Greets\nagent: build\n---\nGreet $1 and then $2. All: $ARGUMENTS\n",
    "command/plain.md": "Nothing to fill in.\n",
    "command/shell.md": "It says !`echo printed in; basename $PWD; echo lost >&2; exit 3` of @hello.txt. $ARGUMENTS\n",
    "command/look.md": "---\ndescription: Looks\nsubtask: true\nagent: general\n---\nbelow: look at $ARGUMENTS\n",
    "command/explore.md": "---\nagent: explore\n---\nbelow: explore $1\n",
    "command/inline.md": "---\nagent: explore\nsubtask: false\n---\nexplore $1 here\n",
    "command/lost.md": "---\nagent: nobody\n---\nx\n",
    "command/count.md": "!`echo x >> count.txt`Counted.\n",
    "command/nested/deep.md": "Deep $1\n",
    "skill/tidy/SKILL.md": "---\nname: tidy\ndescription: Tidies\n---\nRun !`touch made.txt` for $1 and @hello.txt\n",
}
COMMANDS = {"quick": {"template": "Quick: $ARGUMENTS", "model": "scripted/m2"}}


@pytest.fixture
async def script(client: httpx.AsyncClient, shared: Shared, project: Path) -> AsyncIterator[Script]:
    for name, text in FILES.items():
        path = project / ".opencode" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    async with scripted(client, shared, project, command=COMMANDS) as script:
        yield script


@pytest.fixture
async def session(script: Script) -> str:
    return await script.session()


async def command(script: Script, session: str, name: str, arguments: str = "", **fields: Any) -> dict[str, Any]:
    body = {"command": name, "arguments": arguments, **fields}
    return await script.post(session, "command", body)  # type: ignore[no-any-return]


def told(script: Script) -> list[tuple[str, str, str, str]]:
    """What was told of commands that are done."""
    return [(done.name, done.session_id, done.arguments, done.message_id) for done in script.heard(CommandExecuted)]


def texts(message: dict[str, Any]) -> list[str]:
    return [part["text"] for part in message["parts"] if part["type"] == "text"]


async def test_a_command_prompts_with_its_template_and_is_told_when_answered(script: Script, session: str) -> None:
    """Source: golden trace ``command``."""
    script.model.push("Hello both.")
    answer = await command(script, session, "greet", 'Ann "Bob Lee" third')
    [prompt, stored] = await script.messages(session)
    assert texts(prompt) == ['Greet Ann and then Bob Lee third. All: Ann "Bob Lee" third']
    assert stored == answer
    assert told(script) == [("greet", session, 'Ann "Bob Lee" third', answer["info"]["id"])]
    kinds = [type(event) for event in script.events]
    assert kinds.index(SessionIdle) < kinds.index(CommandExecuted)


async def test_commands_are_found_with_their_slash_and_in_folders(script: Script, session: str) -> None:
    await command(script, session, "/nested/deep", "one two")
    assert texts((await script.messages(session))[0]) == ["Deep one two"]


async def test_shell_commands_and_files_of_a_template_become_part_of_the_prompt(
    script: Script, session: str, project: Path
) -> None:
    await command(script, session, "shell", "Well?")
    prompt = (await script.messages(session))[0]
    text, call, content, file = prompt["parts"]
    assert text["text"] == f"It says printed in\n{project.name}\n of @hello.txt. Well?"
    assert call["text"].startswith("Called the Read tool")
    assert "1: hello" in content["text"]
    assert (file["type"], file["filename"], file["url"]) == ("file", "hello.txt", (project / "hello.txt").as_uri())


async def test_a_command_sent_again_under_its_id_runs_nothing_again(
    script: Script, session: str, project: Path
) -> None:
    (project / "count.txt").write_text("")
    once = await command(script, session, "count", messageID="msg_mine")
    assert await command(script, session, "count", messageID="msg_mine") == once
    assert (project / "count.txt").read_text() == "x\n"
    assert len(await script.messages(session)) == 2


async def test_attached_files_follow_the_template_and_none_comes_twice(
    script: Script, session: str, project: Path
) -> None:
    file = {"type": "file", "mime": "text/plain", "filename": "mine", "url": (project / "hello.txt").as_uri()}
    await command(script, session, "shell", parts=[file])
    prompt = (await script.messages(session))[0]
    assert [part["filename"] for part in prompt["parts"] if part["type"] == "file"] == ["mine"]


async def test_models_and_agents_come_from_the_command_the_caller_and_the_session(script: Script, session: str) -> None:
    chosen = []
    for name, fields in (
        ("greet", {"agent": "plan"}),
        ("quick", {}),
        ("plain", {"agent": "plan"}),
        ("plain", {"agent": "plan", "model": "scripted/m1"}),
    ):
        answer = await command(script, session, name, "x", **fields)
        chosen.append((answer["info"]["agent"], answer["info"]["modelID"]))
    assert chosen == [("build", "m1"), ("build", "m2"), ("plan", "m2"), ("plan", "m1")]


async def test_a_command_for_a_subagent_runs_as_a_subtask(script: Script, session: str) -> None:
    """Source: golden trace ``command``."""
    script.model.push_for(begins("below"), "Seen.")
    script.model.push("To sum up.")
    answer = await command(script, session, "look", "the docs")
    [prompt, call, go_on, final] = await script.messages(session)
    [part] = prompt["parts"]
    assert {key: part[key] for key in ("type", "agent", "description", "command", "model", "prompt")} == {
        "type": "subtask",
        "agent": "general",
        "description": "Looks",
        "command": "look",
        "model": {"providerID": "scripted", "modelID": "m1"},
        "prompt": "below: look at the docs",
    }
    assert call["parts"][0]["state"]["input"] == {
        "prompt": "below: look at the docs",
        "description": "Looks",
        "subagent_type": "general",
        "command": "look",
    }
    assert (go_on["info"]["role"], go_on["info"]["agent"], go_on["parts"][0]["synthetic"]) == ("user", "build", True)
    assert (final["info"]["parentID"], texts(final)) == (go_on["info"]["id"], ["To sum up."])
    assert final == answer
    assert [event.message_id for event in script.heard(CommandExecuted)] == [final["info"]["id"]]


@pytest.mark.parametrize(("name", "agent", "children"), [("explore", "build", 1), ("inline", "explore", 0)])
async def test_a_command_says_whether_its_subagent_runs_apart(
    script: Script, session: str, name: str, agent: str, children: int
) -> None:
    answer = await command(script, session, name, "x")
    assert answer["info"]["agent"] == agent
    assert len(await script.get(f"/session/{session}/children")) == children


async def test_a_skill_is_a_command_that_runs_nothing_by_itself(script: Script, session: str, project: Path) -> None:
    await command(script, session, "tidy", "up @hello.txt")
    prompt = (await script.messages(session))[0]
    assert prompt["parts"][0]["text"].startswith("Run !`touch made.txt` for $1 and @hello.txt\n")
    assert prompt["parts"][0]["text"].endswith("\n\nup @hello.txt")
    assert [part["filename"] for part in prompt["parts"] if part["type"] == "file"] == ["hello.txt"]
    assert not (project / "made.txt").exists()


@pytest.mark.parametrize(
    ("name", "fields", "problem"),
    [
        ("nothing", {}, 'Command not found: "nothing". Available commands: init, review, '),
        ("lost", {}, 'Agent not found: "nobody". Available agents: '),
        ("plain", {"agent": "none"}, 'Agent not found: "none". Available agents: '),
        ("plain", {"model": "scripted/absent"}, "Model not found: scripted/absent"),
    ],
)
async def test_what_does_not_exist_is_refused_and_told(
    script: Script, session: str, name: str, fields: dict[str, str], problem: str
) -> None:
    body = {"command": name, "arguments": "", **fields}
    answer = await script.post(session, "command", body, status=400)
    assert answer["data"]["message"].startswith(problem)
    assert [event.session_id for event in script.heard(SessionErrored)] == [session]
    assert await script.messages(session) == []


async def test_init_marks_the_project(script: Script, session: str, project: Path) -> None:
    """Source: golden trace ``init``."""
    script.model.push("Written.")
    body = {"messageID": "msg_init", "providerID": "scripted", "modelID": "m1"}
    assert await script.post(session, "init", body) is True
    [prompt, answer] = await script.messages(session)
    assert (prompt["info"]["id"], texts(answer)) == ("msg_init", ["Written."])
    assert str(project) in prompt["parts"][0]["text"]
    assert told(script) == [("init", session, "", answer["info"]["id"])]
    [marked] = [one for one in await script.get("/project") if one["worktree"] == str(project)]
    assert marked["time"]["initialized"] >= answer["info"]["time"]["completed"]
