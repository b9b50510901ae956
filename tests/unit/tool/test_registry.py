import pytest

from opencode.core.ids import ModelID, ProviderID
from opencode.core.wire import Wire
from opencode.permission.schema import PermissionRule, PermissionRuleset
from opencode.provider.schema import Capabilities, Modalities, Model, ModelApi
from opencode.tool.registry import ToolRegistry
from opencode.tool.tool import Tool, ToolContext, ToolResult
from opencode.tool.truncate import OutputTruncator

ALLOW: PermissionRuleset = [PermissionRule(permission="*", pattern="*", action="allow")]
NAMES = [
    "my_tool", "apply_patch", "todoread", "list", "bash", "edit", "glob", "grep", "invalid", "question", "read",
    "skill", "task", "todowrite", "webfetch", "write",
]  # fmt: skip


class NoParams(Wire):
    """Nothing."""


def named(name: str) -> Tool[NoParams]:
    class NamedTool(Tool[NoParams]):
        """Does nothing."""

        id = name
        params = NoParams
        description = "Does nothing."

        async def run(self, params: NoParams, context: ToolContext) -> ToolResult:
            return ToolResult(title="", output="")

    return NamedTool()


def model(api_id: str = "m1") -> Model:
    return Model(
        id=ModelID("m1"),
        provider_id=ProviderID("scripted"),
        name="M1",
        api=ModelApi(id=api_id, url="", npm=""),
        capabilities=Capabilities(
            temperature=True, reasoning=False, attachment=False, toolcall=True,
            input=Modalities(text=True), output=Modalities(text=True), interleaved=False,
        ),
    )  # fmt: skip


@pytest.fixture
def registry(truncator: OutputTruncator) -> ToolRegistry:
    return ToolRegistry([named(name) for name in NAMES], truncator)


def test_ids_come_in_their_fixed_order_with_others_after(registry: ToolRegistry) -> None:
    """Source: operation ``tool.ids``."""
    assert registry.ids() == [
        "invalid", "question", "bash", "read", "glob", "grep", "edit", "write", "task", "webfetch", "todowrite",
        "skill", "apply_patch", "my_tool",
    ]  # fmt: skip


def test_a_model_is_offered_tools_by_name_without_those_it_may_not_see(registry: ToolRegistry) -> None:
    assert [tool.id for tool in registry.for_model(model(), [ALLOW])] == [
        "bash", "edit", "glob", "grep", "my_tool", "question", "read", "skill", "task", "todowrite", "webfetch",
        "write",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("api_id", "patches"), [("gpt-5", True), ("openai/gpt-5.1", True), ("gpt-4o", False), ("gpt-oss-20b", False)]
)
def test_patches_are_for_the_models_trained_on_them(registry: ToolRegistry, api_id: str, patches: bool) -> None:
    ids = {tool.id for tool in registry.for_model(model(api_id), [ALLOW])}
    assert ids & {"apply_patch", "edit", "write"} == ({"apply_patch"} if patches else {"edit", "write"})


def test_rules_and_switches_of_the_prompt_hide_tools(registry: ToolRegistry) -> None:
    rules: PermissionRuleset = [*ALLOW, PermissionRule(permission="edit", pattern="*", action="deny")]
    session: PermissionRuleset = [PermissionRule(permission="webfetch", pattern="*", action="deny")]
    ids = {tool.id for tool in registry.for_model(model(), [rules, session], {"bash": False, "read": True})}
    assert not ids & {"edit", "write", "webfetch", "bash"}
    assert "read" in ids


def test_a_call_can_reach_what_is_offered_and_the_tool_for_faulty_calls(registry: ToolRegistry) -> None:
    offered = registry.for_model(model(), [ALLOW])
    assert set(registry.executable(offered)) == {tool.id for tool in offered} | {"invalid"}


def test_a_later_tool_replaces_an_earlier_one(truncator: OutputTruncator) -> None:
    first, second = named("bash"), named("bash")
    second.description = "The second."
    [tool] = ToolRegistry([first, second], truncator).for_model(model(), [ALLOW])
    assert tool.definition.description == "The second."
