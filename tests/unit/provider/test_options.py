"""Options and sampling of model families."""

from typing import Any

import pytest

from opencode.core.ids import ModelID, ProviderID, SessionID
from opencode.core.wire import replace
from opencode.provider.options import deep_merge, default_options, small_options
from opencode.provider.sampling import Sampling, default_sampling, max_output_tokens
from opencode.provider.schema import Model, ModelApi, ModelLimit
from opencode.provider.variants import model_variants
from tests.support.wires import ANTHROPIC, CHAT, GOOGLE, RESPONSES, model_of

SESSION = SessionID("ses_1")


def model(name: str, npm: str = CHAT, provider: str = "p", **changes: Any) -> Model:
    api = ModelApi(id=name, url="", npm=npm)
    return replace(model_of(npm), id=ModelID(name), api=api, provider_id=ProviderID(provider), **changes)


def test_layers_merge_deeply_and_later_ones_win() -> None:
    assert deep_merge({"a": {"x": 1, "y": 1}, "b": [1]}, {"a": {"y": 2}, "b": [2]}) == {"a": {"x": 1, "y": 2}, "b": [2]}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (model("m1"), {}),
        (model("gpt-5-scripted"), {"reasoningEffort": "medium", "reasoningSummary": "auto"}),
        (
            model("gpt-5.2", RESPONSES, "openai"),
            {
                "store": False,
                "promptCacheKey": "ses_1",
                "reasoningEffort": "medium",
                "reasoningSummary": "auto",
                "include": ["reasoning.encrypted_content"],
                "textVerbosity": "low",
            },
        ),
        (
            model("o3", RESPONSES, "openai"),
            {"store": False, "promptCacheKey": "ses_1", "include": ["reasoning.encrypted_content"]},
        ),
        (model("gpt-5.2"), {"reasoningEffort": "medium", "reasoningSummary": "auto"}),
        (model("claude-sonnet-4-5", ANTHROPIC, "anthropic"), {}),
        (
            model("kimi-k2.5", ANTHROPIC),
            {"thinking": {"type": "adaptive", "display": "summarized"}, "effort": "high"},
        ),
        (model("minimax-m3", ANTHROPIC), {"thinking": {"type": "adaptive"}}),
        (model("glm-4.6", CHAT, "zai"), {"thinking": {"type": "enabled", "clear_thinking": False}}),
        (model("qwen3", CHAT, "alibaba-cn"), {"enable_thinking": True}),
        (
            model("x", "@openrouter/ai-sdk-provider", "openrouter"),
            {"usage": {"include": True}, "prompt_cache_key": "ses_1"},
        ),
    ],
)
def test_default_options_by_family(given: Model, expected: dict[str, Any]) -> None:
    assert default_options(given, SESSION, {}) == expected


def test_a_provider_may_ask_for_a_cache_key_and_refuse_one() -> None:
    assert default_options(model("m"), SESSION, {"setCacheKey": True}) == {"promptCacheKey": "ses_1"}
    for npm in (RESPONSES, "@ai-sdk/azure", "@ai-sdk/mistral", "@ai-sdk/cerebras", "venice-ai-sdk-provider"):
        assert default_options(model("m", npm), SESSION, {})["promptCacheKey"] == "ses_1"
        assert "promptCacheKey" not in default_options(model("m", npm), SESSION, {"setCacheKey": False})
    routed = model("m", "@openrouter/ai-sdk-provider")
    assert default_options(routed, SESSION, {"setCacheKey": False}) == {"usage": {"include": True}}


@pytest.mark.parametrize("npm", [RESPONSES, "@ai-sdk/azure", "@ai-sdk/amazon-bedrock/mantle"])
def test_what_is_not_stored_at_the_provider_comes_along_sealed(npm: str) -> None:
    options = default_options(model("gpt-oss", npm), SESSION, {})
    assert (options["store"], options["include"]) == (False, ["reasoning.encrypted_content"])


def test_small_calls_think_as_little_as_possible() -> None:
    compatible = model("m1")
    assert small_options(replace(compatible, variants=model_variants(compatible))) == {"reasoningEffort": "low"}
    assert small_options(model("gpt-5-nano", RESPONSES)) == {"store": False, "reasoningEffort": "minimal"}
    assert small_options(model("gpt-5.1", RESPONSES)) == {"store": False, "reasoningEffort": "low"}
    assert small_options(model("claude-haiku-4-5", ANTHROPIC)) == {}


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("gemini-2.5-flash", {"thinkingBudget": 0}),
        ("gemini-2.5-pro", {"thinkingBudget": 128}),
        ("gemini-3-flash", {"thinkingLevel": "minimal"}),
        ("gemini-3-pro", {"thinkingLevel": "low"}),
    ],
)
def test_gemini_thinks_in_small_calls_as_little_as_it_accepts(name: str, least: dict[str, Any]) -> None:
    assert small_options(model(name, GOOGLE)) == {"thinkingConfig": least}


def test_a_model_of_openai_without_reasoning_is_not_asked_for_it() -> None:
    plain = model("gpt-4.1", RESPONSES, "openai")
    plain = replace(plain, capabilities=replace(plain.capabilities, reasoning=False))
    assert default_options(plain, SESSION, {}) == {"store": False, "promptCacheKey": "ses_1"}


def test_gemini_without_thinking_is_not_asked_for_its_thoughts() -> None:
    plain = model("gemini-2.0-flash", GOOGLE)
    assert default_options(plain, SESSION, {}) == {"thinkingConfig": {"includeThoughts": True}}
    plain = replace(plain, capabilities=replace(plain.capabilities, reasoning=False))
    assert (default_options(plain, SESSION, {}), small_options(plain)) == ({}, {})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("qwen3-coder", Sampling()),
        ("gemini-2.0-flash", Sampling()),
        ("claude-sonnet-4-5", Sampling()),
        ("gemini-3-pro", Sampling(1.0, 0.95, 64)),
        ("glm-4.7", Sampling(1.0)),
        ("minimax-m2", Sampling(1.0, 0.95, 20)),
        ("minimax-m2.1", Sampling(1.0, 0.95, 40)),
        ("kimi-k2", Sampling(0.6)),
        ("kimi-k2-thinking", Sampling(1.0)),
        ("kimi-k2.5", Sampling(1.0, 0.95)),
        ("other", Sampling()),
    ],
)
def test_sampling_by_family(name: str, expected: Sampling) -> None:
    assert default_sampling(model(name)) == expected


def test_a_model_without_temperature_gets_none() -> None:
    cold = model("gemini-2.5-flash")
    cold = replace(cold, capabilities=replace(cold.capabilities, temperature=False))
    assert default_sampling(cold) == Sampling(None, 0.95, 64)


def test_the_output_limit_is_the_smaller_of_the_model_s_and_ours() -> None:
    assert max_output_tokens(model("m"), {}) == 8_000
    assert max_output_tokens(model("m", limit=ModelLimit()), {}) == 32_000
    large = model("m", limit=ModelLimit(output=128_000))
    assert max_output_tokens(large, {"OPENCODE_EXPERIMENTAL_OUTPUT_TOKEN_MAX": "64000"}) == 64_000
    assert max_output_tokens(large, {"OPENCODE_EXPERIMENTAL_OUTPUT_TOKEN_MAX": "much"}) == 32_000
