"""What commands leave open: sources of further commands, and a hook before they run."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2 as httpx
import pytest

from opencode.command.schema import Command
from opencode.command.service import CommandService
from opencode.core.ids import SessionID
from opencode.core.wire import UNSET, decode
from opencode.instance.shared import Shared
from opencode.loop.abilities import Abilities
from opencode.loop.command import CommandRunner, CommandShell
from opencode.loop.references import References
from opencode.session.inputs import CommandInput
from opencode.session.schema import MessageWithParts, PartInput, TextPart, TextPartInput
from opencode.session.sqlite_store import SqliteSessionStore
from tests.wire.delegating import Script, scripted


class Prompts:
    """Stands in for an MCP server with one prompt."""

    def commands(self) -> list[Command]:
        return [Command(name="docs:explain", source="mcp", template="", hints=["$1"])]

    async def template(self, name: str) -> str:
        return "Explain $1 with !`touch made.txt` and @hello.txt"


async def add_a_word(session_id: SessionID, wanted: CommandInput, parts: list[PartInput]) -> list[PartInput]:
    return [*parts, TextPartInput(text=f"hooked into {wanted.command}")]


@pytest.fixture
async def script(client: httpx.AsyncClient, shared: Shared, project: Path) -> AsyncIterator[Script]:
    async with scripted(client, shared, project) as script:
        yield script


async def runner(shared: Shared, project: Path) -> CommandRunner:
    instance = await shared.registry.open(str(project))
    return CommandRunner(
        commands=CommandService({}, [], project, [Prompts()]),
        sessions=instance.sessions,
        store=SqliteSessionStore(shared.database, instance.events, shared.clock, str(project)),
        abilities=Abilities(instance.agents, instance.providers, instance.tools, instance.permissions),
        prompts=instance.prompts,
        references=References(instance.agents, project, project, shared.paths.home),
        shell=CommandShell(project, "/bin/sh", {"PATH": "/usr/bin:/bin"}),
        on_initialized=lambda: instance.sessions.get_raw(SessionID("ses_none")),
        before=add_a_word,
    )


async def prompted(script: Script, session: str) -> list[str]:
    question = decode((await script.client.get(f"/session/{session}/message")).content, list[MessageWithParts])[0]
    return [part.text for part in question.parts if isinstance(part, TextPart)]


async def test_the_text_of_an_mcp_prompt_is_filled_in_and_runs_nothing(
    script: Script, shared: Shared, project: Path
) -> None:
    session = await script.session()
    wanted = CommandInput(command="docs:explain", arguments="this and that", parts=UNSET)
    await (await runner(shared, project)).run(SessionID(session), wanted)
    assert await prompted(script, session) == [
        "Explain this and that with !`touch made.txt` and @hello.txt",
        "hooked into docs:explain",
    ]
    assert not (project / "made.txt").exists()


async def test_a_hook_may_change_what_a_command_prompts_with(script: Script, shared: Shared, project: Path) -> None:
    session = await script.session()
    await (await runner(shared, project)).run(SessionID(session), CommandInput(command="review", arguments="HEAD"))
    assert await prompted(script, session) == ["hooked into review"]
