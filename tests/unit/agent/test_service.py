from pathlib import Path
from typing import Any

import msgspec
import pytest

from opencode.agent.errors import AgentNotFound, NoDefaultAgent
from opencode.agent.schema import Agent
from opencode.agent.service import AgentService, parse_model
from opencode.config.schema import Config
from opencode.core.ids import ModelID, ProviderID
from opencode.core.paths import Paths
from opencode.core.wire import encode
from opencode.permission.ruleset import evaluate, is_disabled
from opencode.provider.schema import ModelRef

PATHS = Paths.from_environ({"HOME": "/home/ann"})
WORKTREE = Path("/home/ann/project")


@pytest.fixture(autouse=True)
def temporary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/tmp")


def service(*skills: Path, **config: Any) -> AgentService:
    return AgentService(msgspec.convert(config, Config), PATHS, WORKTREE, skills)


def lines(agent: Agent) -> list[str]:
    """The rules, one per line."""
    return [f"{rule.permission} {rule.pattern} {rule.action}" for rule in agent.permission]


OUTPUTS = "external_directory /home/ann/.local/share/opencode/tool-output/* allow"
OUTSIDE = ["external_directory * ask", OUTPUTS, "external_directory /tmp/opencode/* allow"]
DEFAULTS = [
    "* * allow",
    "doom_loop * ask",
    *OUTSIDE,
    "question * deny",
    "plan_enter * deny",
    "plan_exit * deny",
    "read * allow",
    "read *.env ask",
    "read *.env.* ask",
    "read *.env.example allow",
]


# --- built in ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("build", ["question * allow", "plan_enter * allow"]),
        (
            "plan",
            [
                "question * allow",
                "plan_exit * allow",
                "task general deny",
                "external_directory /home/ann/.local/share/opencode/plans/* allow",
                "edit * deny",
                "edit .opencode/plans/*.md allow",
                "edit ../.local/share/opencode/plans/*.md allow",
            ],
        ),
        ("general", ["todowrite * deny"]),
        (
            "explore",
            [
                "* * deny",
                "grep * allow",
                "glob * allow",
                "list * allow",
                "bash * allow",
                "webfetch * allow",
                "websearch * allow",
                "read * allow",
                *OUTSIDE,
            ],
        ),
        ("compaction", ["* * deny"]),
        ("title", ["* * deny"]),
        ("summary", ["* * deny"]),
    ],
)
def test_each_built_in_agent_has_its_rules_between_the_defaults_and_the_users(name: str, own: list[str]) -> None:
    agent = service(permission={"bash": {"git *": "allow"}}).get(name)
    assert lines(agent) == [*DEFAULTS, *own, "bash git * allow", OUTPUTS]


def test_agents_are_listed_by_name_with_build_first_and_hidden_ones_included() -> None:
    shown = [(agent.name, agent.mode, agent.native, agent.hidden is True) for agent in service().list()]
    assert shown == [
        ("build", "primary", True, False),
        ("compaction", "primary", True, True),
        ("explore", "subagent", True, False),
        ("general", "subagent", True, False),
        ("plan", "primary", True, False),
        ("summary", "primary", True, True),
        ("title", "primary", True, True),
    ]


def test_the_wire_record_has_the_official_keys_and_leaves_out_what_is_not_set() -> None:
    keys = {agent.name: list(msgspec.json.decode(encode(agent))) for agent in service().list()}
    assert keys["build"] == ["name", "description", "mode", "native", "permission", "options"]
    assert keys["explore"] == ["name", "description", "mode", "native", "permission", "prompt", "options"]
    assert keys["title"] == ["name", "mode", "native", "hidden", "temperature", "permission", "prompt", "options"]


def test_skill_directories_may_be_read_from_outside() -> None:
    agent = service(Path("/skills/greet")).get("build")
    assert lines(agent)[5] == "external_directory /skills/greet/* allow"


def test_explore_is_offered_tools_that_look_and_none_that_change() -> None:
    rules = service().get("explore").permission
    offered = [name for name in ("read", "grep", "edit", "task", "todowrite", "bash") if not is_disabled(name, rules)]
    assert offered == ["read", "grep", "bash"]


def test_plan_may_write_plans_and_nothing_else() -> None:
    rules = service().get("plan").permission
    assert evaluate("edit", ".opencode/plans/x.md", rules).action == "allow"
    assert evaluate("edit", "src/x.py", rules).action == "deny"


def test_agents_with_work_of_their_own_have_a_prompt_of_their_own() -> None:
    prompts = [agent.prompt for agent in service().list() if isinstance(agent.prompt, str)]
    assert len(prompts) == 4
    assert all(len(prompt) > 300 for prompt in prompts)


# --- configuration ----------------------------------------------------------------------------------------------


def test_a_new_agent_starts_from_the_defaults_and_the_users_rules() -> None:
    entry = {
        "description": "Writes",
        "mode": "primary",
        "prompt": "You write prose.",
        "model": "scripted/deep/plain",
        "temperature": 0.2,
        "top_p": 0.9,
        "steps": 2,
        "color": "#ff0000",
        "options": {"effort": "high"},
        "permission": {"bash": "deny"},
    }
    agents = service(agent={"writer": entry}, permission={"webfetch": "deny"}, default_agent="writer")
    writer = agents.list()[0]
    assert lines(writer) == [*DEFAULTS, "webfetch * deny", "bash * deny", OUTPUTS]
    assert msgspec.structs.replace(writer, permission=[]) == Agent(
        name="writer",
        description="Writes",
        mode="primary",
        native=False,
        top_p=0.9,
        temperature=0.2,
        color="#ff0000",
        permission=[],
        model=ModelRef(provider_id=ProviderID("scripted"), model_id=ModelID("deep/plain")),
        prompt="You write prose.",
        options={"effort": "high"},
        steps=2,
    )


def test_an_entry_changes_only_what_it_says_of_a_built_in_agent() -> None:
    before, after = service().get("build"), service(agent={"build": {"temperature": 0.1}}).get("build")
    assert after == msgspec.structs.replace(before, temperature=0.1)


def test_an_entry_without_a_mode_can_be_used_in_every_way() -> None:
    assert service(agent={"x": {}}).get("x").mode == "all"


def test_disabled_agents_are_gone() -> None:
    agents = service(agent={"general": {"disable": True}, "nobody": {"disable": True}})
    assert "general" not in [agent.name for agent in agents.list()]


def test_saved_outputs_stay_readable_unless_they_are_refused_by_name() -> None:
    outputs = OUTPUTS.split()[1]
    refused = service(permission={"external_directory": "deny"}).get("build")
    assert evaluate("external_directory", outputs, refused.permission).action == "allow"
    by_name = service(permission={"external_directory": {outputs: "deny"}}).get("build")
    assert evaluate("external_directory", outputs, by_name.permission).action == "deny"


# --- names ------------------------------------------------------------------------------------------------------


def test_an_unknown_agent_is_refused_with_the_visible_names() -> None:
    with pytest.raises(AgentNotFound) as refusal:
        service().get("nobody")
    assert refusal.value.message == 'Agent not found: "nobody". Available agents: build, explore, general, plan'


def test_build_answers_by_default_and_plan_when_build_is_disabled() -> None:
    assert service().default().name == "build"
    assert service(agent={"build": {"disable": True}}).default().name == "plan"


@pytest.mark.parametrize(
    ("config", "cause"),
    [
        ({"default_agent": "general"}, "is a subagent"),
        ({"default_agent": "title"}, "is hidden"),
        ({"agent": {"build": {"disable": True}, "plan": {"disable": True}}}, "no primary agent"),
    ],
)
def test_a_default_that_cannot_answer_is_refused_with_the_cause(config: dict[str, Any], cause: str) -> None:
    with pytest.raises(NoDefaultAgent, match=cause):
        service(**config).default()


def test_a_default_that_does_not_exist_is_refused() -> None:
    with pytest.raises(AgentNotFound):
        service(default_agent="nobody").default()


def test_model_names_are_split_at_the_first_slash() -> None:
    assert parse_model("a/b/c") == ModelRef(provider_id=ProviderID("a"), model_id=ModelID("b/c"))
