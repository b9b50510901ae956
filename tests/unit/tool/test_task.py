"""``task``: who may be called, what is asked, and what the model reads. Source: golden trace ``tools_task``."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from opencode.agent.service import AgentService
from opencode.config.schema import AgentConfig, Config
from opencode.core.ids import SessionID
from opencode.core.paths import Paths
from opencode.permission.schema import PermissionRule
from opencode.tool.arguments import check_arguments, parameters_schema
from opencode.tool.builtin.task import NAMED_BY_USER, Delegated, Delegation, TaskParams, TaskTool
from opencode.tool.tool import ToolContext, ToolError, ToolResult
from opencode.tool.wrapper import PARTIAL_RESULT

GIVEN = {"description": "Look around", "prompt": "Look.", "subagent_type": "general"}
CHILD = SessionID("ses_child")


class Subagents:
    """Answers at once, and remembers what was wanted."""

    def __init__(self) -> None:
        self.wanted: list[Delegation] = []

    async def run(self, wanted: Delegation, context: ToolContext) -> Delegated:
        self.wanted.append(wanted)
        return Delegated(CHILD, "All is well.", {"sessionId": CHILD})


@pytest.fixture
def agents(tmp_path: Path) -> AgentService:
    own = {"helper": AgentConfig(description="Helps", mode="all"), "quiet": AgentConfig(mode="subagent")}
    return AgentService(Config(agent=own), Paths.from_environ({"HOME": str(tmp_path)}), tmp_path)


@pytest.fixture
def subagents() -> Subagents:
    return Subagents()


@pytest.fixture
def tool(agents: AgentService, subagents: Subagents) -> TaskTool:
    return TaskTool(agents, subagents.run)


def params(**more: Any) -> TaskParams:
    return check_arguments("task", TaskParams, {**GIVEN, **more})


async def test_the_words_of_the_subagent_come_back_with_the_name_of_the_task(
    tool: TaskTool, subagents: Subagents, agents: AgentService, context: ToolContext, recorded: Any
) -> None:
    result = await tool.run(params(), context)
    assert result == ToolResult(
        title="Look around",
        output='<task id="ses_child" state="completed">\n<task_result>\nAll is well.\n</task_result>\n</task>',
        metadata={"sessionId": CHILD},
    )
    assert subagents.wanted == [Delegation(agents.get("general"), "Look around", "Look.")]
    metadata = {"description": "Look around", "subagent_type": "general"}
    assert recorded.asks == [{"permission": "task", "patterns": ["general"], "always": ["*"], "metadata": metadata}]


async def test_a_task_to_go_on_with_is_handed_on(tool: TaskTool, subagents: Subagents, context: ToolContext) -> None:
    await tool.run(params(task_id="ses_1", command="look"), context)
    await tool.run(params(task_id=""), context)
    assert [wanted.resumed for wanted in subagents.wanted] == ["ses_1", None]


async def test_agents_the_user_named_are_called_without_asking_and_may_be_primary(
    tool: TaskTool, subagents: Subagents, context: ToolContext, recorded: Any
) -> None:
    named = dataclasses.replace(context, extra={NAMED_BY_USER: {"build"}})
    await tool.run(params(subagent_type="build"), named)
    await tool.run(params(), named)
    assert [wanted.agent.name for wanted in subagents.wanted] == ["build", "general"]
    assert [ask["patterns"] for ask in recorded.asks] == [["general"]]


@pytest.mark.parametrize("name", ["nobody", "build", "compaction", ""])
async def test_what_is_no_subagent_is_refused_with_the_names_of_those_there_are(
    tool: TaskTool, context: ToolContext, recorded: Any, name: str
) -> None:
    with pytest.raises(ToolError) as error:
        await tool.run(params(subagent_type=name), context)
    expected = f"Unknown agent type: {name} is not a valid agent type. Valid are: explore, general, helper, quiet"
    assert (str(error.value), recorded.asks) == (expected, [])


async def test_a_cancelled_call_says_so(tool: TaskTool, context: ToolContext) -> None:
    await tool.run(params(), context)
    assert str(context.extra[PARTIAL_RESULT]) == "Task cancelled"


def test_the_description_lists_the_subagents_that_the_caller_may_use(tool: TaskTool) -> None:
    def listed(*rules: PermissionRule) -> list[str]:
        lines = tool.describe(rules).partition("can be called:\n")[2].partition("\n\n")[0]
        return [line.partition(":")[0] for line in lines.splitlines()]

    deny = PermissionRule(permission="task", pattern="*", action="deny")
    allow = PermissionRule(permission="task", pattern="he*", action="allow")
    assert listed() == ["- explore", "- general", "- helper", "- quiet"]
    assert listed(deny, allow) == ["- helper"]
    assert listed(allow, deny) == ["(none at present)"]
    assert "- helper: Helps\n- quiet: no description" in tool.description


def test_its_parameters_are_the_official_ones() -> None:
    schema = parameters_schema(TaskParams)
    assert list(schema["properties"]) == ["description", "prompt", "subagent_type", "task_id", "command"]
    assert schema["required"] == ["description", "prompt", "subagent_type"]
