from pathlib import Path
from typing import Any

import msgspec
import pytest

from opencode.command.errors import CommandNotFound
from opencode.command.schema import Command
from opencode.command.service import CommandService, hints
from opencode.config.schema import CommandConfig
from opencode.core.wire import encode
from opencode.skill.schema import Skill

GREET = Skill(name="greet", description="Greets", location="/skills/greet/SKILL.md", content="\n# Greeting\n")
HELLO = Command(name="sample:hello", source="mcp", template="", hints=["$1"])


class Prompts:
    """Stands in for MCP servers."""

    def __init__(self, commands: list[Command]) -> None:
        self._commands = commands

    def commands(self) -> list[Command]:
        return self._commands

    async def template(self, name: str) -> str:
        return f"fetched {name} $1"


def service(skills: list[Skill] | None = None, mcp: list[Command] | None = None, **config: Any) -> CommandService:
    entries = msgspec.convert(config, dict[str, CommandConfig])
    return CommandService(entries, skills or [], Path("/work tree"), [Prompts(mcp or [])])


def test_init_and_review_are_always_there() -> None:
    shown = [msgspec.json.decode(encode(command)) for command in service().list()]
    init, review = ({**command, "template": ""} for command in shown)
    assert init == {
        "name": "init",
        "description": "guided AGENTS.md setup",
        "source": "command",
        "template": "",
        "hints": ["$ARGUMENTS"],
    }
    assert review == {
        "name": "review",
        "description": "review changes [commit|branch|pr], defaults to uncommitted",
        "source": "command",
        "template": "",
        "subtask": True,
        "hints": ["$ARGUMENTS"],
    }


def test_init_writes_at_the_worktree() -> None:
    template = service().get("init").template
    assert "`/work tree/AGENTS.md`" in template
    assert "${path}" not in template


def test_built_in_templates_run_nothing_and_refer_to_nothing_when_they_are_expanded() -> None:
    for command in service().list():
        assert "!`" not in command.template
        assert "@" not in command.template


def test_sources_are_listed_one_after_the_other() -> None:
    names = [command.name for command in service([GREET], [HELLO], **{"nested/deep": {"template": "Deep $1"}}).list()]
    assert names == ["init", "review", "nested/deep", "sample:hello", "greet"]


def test_a_configured_command_keeps_its_fields_and_gets_hints() -> None:
    entry = {"template": "Greet $2 and $1: $ARGUMENTS", "description": "Greets", "agent": "plan", "model": "a/b"}
    assert service(greet={**entry, "subtask": False}).get("greet") == Command(
        name="greet",
        description="Greets",
        agent="plan",
        model="a/b",
        source="command",
        template="Greet $2 and $1: $ARGUMENTS",
        subtask=False,
        hints=["$1", "$2", "$ARGUMENTS"],
    )


def test_configuration_replaces_built_in_commands_in_their_place() -> None:
    commands = service(init={"template": "mine"}).list()
    assert [(command.name, command.template == "mine") for command in commands] == [("init", True), ("review", False)]


def test_prompts_of_mcp_servers_replace_commands_but_skills_do_not() -> None:
    mcp = Command(name="greet", source="mcp", template="hi", hints=[])
    assert service([GREET], [mcp], greet={"template": "mine"}).get("greet") == mcp
    assert service([GREET], greet={"template": "mine"}).get("greet").source == "command"


def test_a_skill_is_a_command_that_says_where_its_files_are() -> None:
    assert service([GREET]).get("greet") == Command(
        name="greet",
        description="Greets",
        source="skill",
        template="# Greeting\n\nThe files of this skill are in /skills/greet; relative paths in it start there.",
        hints=[],
    )


def test_a_leading_slash_is_accepted() -> None:
    assert service().get("/init").name == "init"


def test_an_unknown_command_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(CommandNotFound) as refusal:
        service(plain={"template": "x"}).get("nothing")
    assert refusal.value.message == 'Command not found: "nothing". Available commands: init, review, plain'


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain", []),
        ("$ARGUMENTS and $ARGUMENTS", ["$ARGUMENTS"]),
        ("$10 $2 $1 $2", ["$1", "$10", "$2"]),
        ("$ARGUMENTS $1", ["$1", "$ARGUMENTS"]),
    ],
)
def test_hints_are_the_placeholders_once_each(template: str, expected: list[str]) -> None:
    assert hints(template) == expected


async def test_the_text_of_a_command_is_fetched_where_it_comes_from() -> None:
    commands = service([GREET], [HELLO], plain={"template": "mine"})
    texts = [await commands.template(commands.get(name)) for name in ("sample:hello", "plain")]
    assert texts == ["fetched sample:hello $1", "mine"]
