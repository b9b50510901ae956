"""Variants: what the catalogue says of a model, what its name says, and how each package spells it."""

from typing import Any

import pytest

from opencode.core.ids import ModelID, ProviderID
from opencode.core.wire import replace
from opencode.provider.schema import Model, ModelApi, ModelLimit
from opencode.provider.variants import model_variants
from tests.support.wires import ANTHROPIC, CHAT, RESPONSES, model_of

SEALED = {"reasoningSummary": "auto", "include": ["reasoning.encrypted_content"]}
BEDROCK, GOOGLE, GATEWAY = "@ai-sdk/amazon-bedrock", "@ai-sdk/google", "@ai-sdk/gateway"
OPENROUTER, COPILOT, AZURE = "@openrouter/ai-sdk-provider", "@ai-sdk/github-copilot", "@ai-sdk/azure"
LMH = ["low", "medium", "high"]
ALL = ["none", "minimal", *LMH, "xhigh"]


def model(name: str, npm: str = CHAT, **changes: Any) -> Model:
    changes = {"limit": ModelLimit(context=200_000, output=64_000)} | changes
    api = ModelApi(id=name, url="", npm=npm)
    return replace(model_of(npm), id=ModelID(name), api=api, provider_id=ProviderID("p"), **changes)


@pytest.mark.parametrize(
    ("name", "npm", "levels"),
    [
        ("m1", CHAT, LMH),
        ("deepseek-reasoner", CHAT, []),
        ("deepseek-v3.1", CHAT, []),
        ("deepseek-v5", CHAT, LMH),
        ("deepseek-v4-pro", CHAT, [*LMH, "max"]),
        ("k2p6", CHAT, []),
        ("qwen3-max", CHAT, []),
        ("minimax-m2", CHAT, []),
        ("minimax-m3", CHAT, ["none", "thinking"]),
        ("minimax-m3", "@ai-sdk/groq", []),
        ("glm-5", CHAT, []),
        ("glm-5.2", CHAT, ["high", "max"]),
        ("glm-5.2", OPENROUTER, ["high", "xhigh"]),
        ("grok-4", "@ai-sdk/xai", LMH),
        ("grok-3-mini", "@ai-sdk/xai", ["low", "high"]),
        ("gpt-oss", "@ai-sdk/groq", ["none", *LMH]),
        ("x", "@ai-sdk/mistral", []),
        ("mistral-small-latest", "@ai-sdk/mistral", ["high"]),
        ("o3", RESPONSES, LMH),
        ("gpt-5", RESPONSES, ["minimal", *LMH]),
        ("gpt-5-pro", RESPONSES, ["high"]),
        ("gpt-5-chat", RESPONSES, []),
        ("gpt-5-codex", RESPONSES, LMH),
        ("gpt-5.1", RESPONSES, ["none", *LMH]),
        ("gpt-5.1-chat-latest", RESPONSES, ["medium"]),
        ("gpt-5.1-codex-max", RESPONSES, [*LMH, "xhigh"]),
        ("gpt-5.2-codex", RESPONSES, [*LMH, "xhigh"]),
        ("gpt-5.3-codex", RESPONSES, ["none", *LMH, "xhigh"]),
        ("gpt-5.4", AZURE, ["none", *LMH, "xhigh"]),
        ("gpt-5.4-pro", AZURE, ["medium", "high", "xhigh"]),
        ("o1-mini", AZURE, []),
        ("openai.gpt-oss-120b", "@ai-sdk/amazon-bedrock/mantle", LMH),
        ("gpt-4o", OPENROUTER, ALL),
        ("claude-sonnet-4-5", OPENROUTER, LMH),
        ("openai/gpt-5", GATEWAY, ALL),
        ("anthropic/claude-sonnet-4-5", GATEWAY, ["high", "max"]),
        ("google/gemini-3-pro", GATEWAY, ["low", "high"]),
        ("gemini-3-pro", COPILOT, []),
        ("gpt-5.2", COPILOT, [*LMH, "xhigh"]),
        ("claude-sonnet-4-5", ANTHROPIC, ["high", "max"]),
        ("claude-sonnet-4-20250514", ANTHROPIC, ["high", "max"]),
        ("claude-opus-4-5", ANTHROPIC, LMH),
        ("claude-opus-4-6", ANTHROPIC, [*LMH, "max"]),
        ("claude-sonnet-5", ANTHROPIC, [*LMH, "xhigh", "max"]),
        ("kimi-k2.5", ANTHROPIC, [*LMH, "xhigh", "max"]),
        ("anthropic.claude-opus-4-7-v1", BEDROCK, [*LMH, "xhigh", "max"]),
        ("anthropic.claude-sonnet-4-5-v1", BEDROCK, ["high", "max"]),
        ("amazon.nova-2-lite-v1", BEDROCK, LMH),
        ("gemini-2.5-pro", GOOGLE, ["high", "max"]),
        ("gemini-3-pro", GOOGLE, LMH),
        ("gemini-3-flash", GOOGLE, ["minimal", *LMH]),
        ("unheard-of", "@acme/sdk", []),
    ],
)
def test_levels_by_package_and_family(name: str, npm: str, levels: list[str]) -> None:
    assert list(model_variants(model(name, npm))) == levels


@pytest.mark.parametrize(
    ("released", "levels"),
    [("2025-06-01", LMH), ("2025-11-20", ["none", *LMH]), ("2026-02-01", ["none", *LMH, "xhigh"])],
)
def test_models_of_openai_know_the_levels_of_their_time(released: str, levels: list[str]) -> None:
    assert list(model_variants(model("gpt-6", RESPONSES, release_date=released))) == levels


def test_the_options_of_variants_fit_their_wire() -> None:
    assert model_variants(model("o3", RESPONSES))["low"] == {"reasoningEffort": "low", **SEALED}
    assert model_variants(model("o3", OPENROUTER))["low"] == {"reasoning": {"effort": "low"}}
    assert model_variants(model("claude-sonnet-4-5", ANTHROPIC))["max"] == {
        "thinking": {"type": "enabled", "budgetTokens": 31_999}
    }
    assert model_variants(model("claude-sonnet-4", ANTHROPIC, limit=ModelLimit(output=8_192)))["high"] == {
        "thinking": {"type": "enabled", "budgetTokens": 4_095}
    }
    assert model_variants(model("claude-opus-4-6", ANTHROPIC))["max"] == {
        "thinking": {"type": "adaptive"},
        "effort": "max",
    }
    assert model_variants(model("claude-opus-4.7", ANTHROPIC))["max"] == {
        "thinking": {"type": "adaptive", "display": "summarized"},
        "effort": "max",
    }
    assert model_variants(model("gemini-2.5-pro", GOOGLE))["max"] == {
        "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 32_768}
    }


def test_a_model_that_does_not_reason_has_no_variants() -> None:
    plain = model("m")
    plain = replace(plain, capabilities=replace(plain.capabilities, reasoning=False))
    assert model_variants(plain) == {}
    assert model_variants(plain, [{"type": "effort", "values": ["low"]}]) == {}


def test_levels_of_the_catalogue_come_before_those_of_the_name() -> None:
    assert list(model_variants(model("glm-5"), [{"type": "effort", "values": [None, "xhigh"]}])) == ["none", "xhigh"]
    assert model_variants(model("m"), []) == {}, "nothing can be chosen"
    assert model_variants(model("m"), [{"type": "toggle"}, {"type": "effort", "values": ["low"]}]) == {
        "low": {"reasoningEffort": "low"}
    }


def test_budgets_of_the_catalogue_stay_within_their_limits() -> None:
    budget = [{"type": "budget_tokens", "min": 512, "max": 24_576}]
    assert model_variants(model("claude-x", ANTHROPIC), budget) == {
        "high": {"thinking": {"type": "enabled", "budgetTokens": 12_288}},
        "max": {"thinking": {"type": "enabled", "budgetTokens": 24_576}},
    }
    assert model_variants(model("x", OPENROUTER), [{"type": "budget_tokens"}]) == {
        "high": {"reasoning": {"max_tokens": 16_000}},
        "max": {"reasoning": {"max_tokens": 31_999}},
    }
    assert list(model_variants(model("m"), budget)) == LMH, "this package knows no budgets"


def test_thinking_that_is_only_switched_gets_two_names() -> None:
    assert model_variants(model("command-a", "@ai-sdk/cohere"), [{"type": "toggle"}]) == {
        "none": {"thinking": {"type": "disabled"}},
        "high": {"thinking": {"type": "enabled"}},
    }
    assert list(model_variants(model("qwen", "@ai-sdk/alibaba"), [{"type": "toggle"}, {"type": "budget_tokens"}])) == [
        "none",
        "high",
        "max",
    ]


def test_options_that_nobody_understands_are_left_to_the_name() -> None:
    assert list(model_variants(model("m"), ["?", {"type": "mood"}, {"values": ["low"]}])) == LMH
