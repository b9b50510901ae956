import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from opencode.agent.rules import rule
from opencode.agent.schema import Agent
from opencode.config.environment import Environment
from opencode.config.schema import Config
from opencode.core.ids import ModelID, ProviderID
from opencode.core.paths import Paths
from opencode.core.wire import UNSET
from opencode.loop.instructions import InstructionFiles
from opencode.loop.prompt_text import prompt_text
from opencode.loop.system_prompt import Surroundings, SystemPrompt, environment_block, prompt_family, skills_block
from opencode.provider.schema import Capabilities, Modalities, Model, ModelApi
from opencode.skill.schema import Skill

BASE_PROMPTS = ("default", "gpt", "gemini")
PROMPTS = (*BASE_PROMPTS, "plan_reminder", "build_switch", "max_steps", "structured_output")
GREET = Skill(name="greet", description="For <all> & sundry", location="/skills/greet/SKILL.md", content="x")
ANY = [rule("*", "allow")]


class NoonOfTheSecondOfJanuary:
    def now_ms(self) -> int:
        return 1_767_355_200_000


def model(name: str = "m1") -> Model:
    return Model(
        id=ModelID(name),
        provider_id=ProviderID("scripted"),
        name="M One",
        api=ModelApi(id=name, url="", npm=""),
        capabilities=Capabilities(
            temperature=True,
            reasoning=False,
            attachment=False,
            toolcall=True,
            input=Modalities(),
            output=Modalities(),
            interleaved=False,
        ),
    )


def agent(**fields: Any) -> Agent:
    return Agent(**{"name": "build", "mode": "primary", "permission": ANY, "options": {}, **fields})


@pytest.fixture
def prompt(tmp_path: Path) -> SystemPrompt:
    (tmp_path / "AGENTS.md").write_text("Be kind.")
    instructions = InstructionFiles(
        tmp_path, tmp_path, Paths.from_environ({"HOME": "/nowhere"}), Config(), Environment()
    )
    surroundings = Surroundings(tmp_path, tmp_path, is_git=True, platform="linux")
    return SystemPrompt(
        surroundings, instructions, lambda: [GREET], NoonOfTheSecondOfJanuary(), lambda: ["Use the server well."]
    )


async def test_blocks_stand_in_order_and_the_users_own_words_last(prompt: SystemPrompt, tmp_path: Path) -> None:
    text = await prompt.text(agent(), model(), "Speak Dutch.", is_structured=True)
    starts = [
        prompt_text("default"),
        "\n<env>\n",
        f"\nInstructions from: {tmp_path}/AGENTS.md\nBe kind.\n",
        "\nUse the server well.\n",
        "\n<available_skills>\n",
        f"\n{prompt_text('structured_output')}\nSpeak Dutch.",
    ]
    places = [text.index(start) for start in starts]
    assert places == sorted(places)
    assert places[0] == 0
    assert text.endswith(starts[-1])


async def test_an_agents_prompt_replaces_the_base_prompt(prompt: SystemPrompt) -> None:
    text = await prompt.text(agent(prompt="You write prose."), model())
    assert text.startswith("You write prose.\n<env>\n")
    assert prompt_text("default") not in text


@pytest.mark.parametrize(("is_git", "said"), [(False, "no"), (True, "yes")])
def test_the_environment_is_stated_to_the_day(is_git: bool, said: str) -> None:
    surroundings = Surroundings(Path("/w/pkg"), Path("/w"), is_git=is_git, platform="darwin")
    assert environment_block(model(), surroundings, date(2026, 1, 2)).splitlines() == [
        "<env>",
        "  Model: M One (scripted/m1)",
        "  Working directory: /w/pkg",
        "  Worktree root: /w",
        f"  Git repository: {said}",
        "  Platform: darwin",
        "  Date: Friday, 2026-01-02",
        "</env>",
    ]


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("gpt-5.1-codex", "gpt"),
        ("openai/gpt-4o", "gpt"),
        ("o3-mini", "gpt"),
        ("gemini-3-pro", "gemini"),
        ("claude-sonnet-4-5", "default"),
        ("qwen3-pro1-o30b", "default"),
        ("m1", "default"),
    ],
)
def test_the_model_decides_the_base_prompt(name: str, family: str) -> None:
    assert prompt_family(model(name)) == family


# --- skills -----------------------------------------------------------------------------------------------------


def test_skills_are_listed_by_name_with_a_description_and_escaped() -> None:
    other = Skill(name="alpha", description="First", location="<built-in>", content="x")
    silent = Skill(name="beta", location="/b/SKILL.md", content="x")
    lines = skills_block([GREET, silent, other], ANY).splitlines()[1:]
    assert lines == [
        "<available_skills>",
        "  <skill>",
        "    <name>alpha</name>",
        "    <description>First</description>",
        "    <location>&lt;built-in&gt;</location>",
        "  </skill>",
        "  <skill>",
        "    <name>greet</name>",
        "    <description>For &lt;all&gt; &amp; sundry</description>",
        "    <location>file:///skills/greet/SKILL.md</location>",
        "  </skill>",
        "</available_skills>",
    ]


def test_quotes_need_no_escape_in_what_is_said_of_a_skill() -> None:
    skill = Skill(name="say", description='Says "hello"', location="<it's built in>", content="x")
    block = skills_block([skill], ANY)
    assert '<description>Says "hello"</description>' in block
    assert "<location>&lt;it's built in&gt;</location>" in block


@pytest.mark.parametrize("denied", ["*", "gr*"])
def test_skills_an_agent_may_not_load_are_not_mentioned(denied: str) -> None:
    assert skills_block([GREET], [*ANY, rule("skill", "deny", denied)]) == ""


def test_without_skills_there_is_no_block() -> None:
    assert skills_block([], ANY) == ""
    assert GREET.description is not UNSET


# --- the texts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BASE_PROMPTS)
@pytest.mark.parametrize(
    "subject",
    [
        "through tools", "[Cc]oncise|brief", "conventions|Follow the repository|best maintainers", "[Nn]ever commit",
        "Read a file before|Read before you edit", "todo tool", "<system-reminder>", "URLs", "malicious|malware",
        "path:line", "parallel", "(tests|checks).*cover", "shell", "secrets", "refused permission",
    ],
)  # fmt: skip
def test_every_base_prompt_covers_what_an_agent_must_know(name: str, subject: str) -> None:
    assert re.search(subject, prompt_text(name))


@pytest.mark.parametrize("name", PROMPTS)
def test_prompts_are_tight_and_name_no_other_product(name: str) -> None:
    text = prompt_text(name)
    assert 150 < len(text) < 7000
    assert not re.search(r"claude|anthropic|codex|openai|cursor|copilot|gemini|aider", text, re.IGNORECASE)


@pytest.mark.parametrize("name", ["plan_reminder", "build_switch"])
def test_reminders_are_marked_as_coming_from_the_system(name: str) -> None:
    assert prompt_text(name).startswith("<system-reminder>\n")
    assert prompt_text(name).endswith("\n</system-reminder>")
