"""What model, agent and variant make of a request."""

from typing import Any

from opencode.agent.schema import Agent
from opencode.core.ids import ProjectID, SessionID
from opencode.core.wire import UNSET, replace
from opencode.loop.request import RequestBuilder
from opencode.provider.request import ModelRequest, TextContent, ToolDefinition, UserTurn
from opencode.provider.schema import Model
from opencode.session.schema import Session, SessionTime
from tests.support.wires import CHAT, model_of

SESSION = Session(
    id=SessionID("ses_1"), slug="x", project_id=ProjectID("p"), directory="/p", title="x", version="1",
    time=SessionTime(created=1, updated=1),
)  # fmt: skip
AGENT = Agent(name="build", mode="primary", permission=[], options={})
MODEL = model_of(CHAT, id="kimi-k2.5-some")
HELLO = [UserTurn(content=[TextContent(text="hello")])]
TOOL = ToolDefinition(name="read", description="reads", parameters={})


def turn(model: Model = MODEL, agent: Agent = AGENT, **fields: Any) -> ModelRequest:
    given: dict[str, Any] = {
        "session": SESSION, "provider_options": {}, "variant": None, "system": "You are.", "messages": HELLO,
        "tools": [], **fields,
    }  # fmt: skip
    return RequestBuilder({}, "9.9").turn(model=model, agent=agent, **given)


def test_a_step_carries_what_it_is_given_and_the_defaults_of_the_models_family() -> None:
    model = replace(MODEL, headers={"x-own": "1"})
    assert turn(model, tools=[TOOL]) == ModelRequest(
        model=model,
        session_id=SESSION.id,
        system=["You are."],
        messages=[*HELLO],
        tools=[TOOL],
        tool_choice="auto",
        temperature=1.0,
        top_p=0.95,
        max_output_tokens=8_000,
        headers={
            "User-Agent": "opencode-server/9.9",
            "x-session-affinity": "ses_1",
            "X-Session-Id": "ses_1",
            "x-own": "1",
        },
    )


def test_an_empty_system_text_is_left_out() -> None:
    assert turn(system="").system == []


def test_the_agents_sampling_goes_before_the_familys() -> None:
    request = turn(agent=replace(AGENT, temperature=0.1, top_p=0.2))
    assert (request.temperature, request.top_p, request.top_k) == (0.1, 0.2, None)
    assert turn(model_of(CHAT, id="gemini-x")).top_k == 64


def test_a_model_that_takes_no_temperature_is_sent_none() -> None:
    model = replace(MODEL, capabilities=replace(MODEL.capabilities, temperature=False))
    assert turn(model, replace(AGENT, temperature=0.1)).temperature is None


def test_options_of_model_agent_and_variant_lie_over_one_another() -> None:
    model = replace(
        MODEL,
        options={"a": 1, "b": 1, "c": 1, "deep": {"x": 1, "y": 1}},
        variants={"high": {"c": 3, "deep": {"y": 3}}},
    )
    agent = replace(AGENT, options={"b": 2, "c": 2})
    assert turn(model, agent, variant="high").options == {"a": 1, "b": 2, "c": 3, "deep": {"x": 1, "y": 3}}
    for variant in (None, "unknown"):
        assert turn(model, agent, variant=variant).options == {"a": 1, "b": 2, "c": 2, "deep": {"x": 1, "y": 1}}
    assert turn(replace(model, variants=UNSET), agent, variant="high").options["c"] == 2


def test_options_of_the_provider_decide_about_defaults() -> None:
    assert turn(provider_options={"setCacheKey": True}).options == {"promptCacheKey": "ses_1"}
    assert turn(provider_options={"setCacheKey": False}).options == {}


def test_how_tools_may_be_chosen_counts_only_where_there_are_some() -> None:
    assert turn(tools=[TOOL], tool_choice="none").tool_choice == "none"
    assert turn(tools=[], tool_choice="none").tool_choice == "auto"


def test_a_child_session_names_its_parent() -> None:
    request = turn(session=replace(SESSION, parent_id=SessionID("ses_0")))
    assert request.headers["x-parent-session-id"] == "ses_0"


def test_a_small_call_has_the_options_for_small_calls_and_no_tools() -> None:
    model = replace(model_of("@ai-sdk/openai", id="gpt-5-nano"), options={"a": 1})
    request = RequestBuilder({}, "9.9").small(
        session=SESSION, model=model, agent=replace(AGENT, options={"b": 2}), system="Name it.", messages=[*HELLO]
    )
    assert (request.system, request.messages, request.tools) == (["Name it."], HELLO, [])
    assert request.options == {"store": False, "reasoningEffort": "minimal", "a": 1, "b": 2}


def test_the_environment_may_bound_the_answer() -> None:
    builder = RequestBuilder({"OPENCODE_EXPERIMENTAL_OUTPUT_TOKEN_MAX": "100"}, "9.9")
    request = builder.small(session=SESSION, model=MODEL, agent=AGENT, system="", messages=[])
    assert request.max_output_tokens == 100
