"""Variants: the reasoning levels a model offers, as a table (spec: providers, section 7)."""

from collections.abc import Callable
from typing import Any

from opencode.provider.schema import Model

Variants = dict[str, dict[str, Any]]

NO_VARIANTS = ("deepseek", "minimax", "glm", "mistral", "kimi", "k2p5")
ADAPTIVE = ("opus-4-6", "opus-4.6", "sonnet-4-6", "sonnet-4.6")
EXTENDED = ("opus-4-7", "opus-4.7", "opus-5", "sonnet-5", "opus-4-8", "opus-4.8")
LOW_TO_HIGH = ("low", "medium", "high")
ALL_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")


def model_variants(model: Model) -> Variants:
    """The variants of a model by name; none when it does not reason."""
    if not model.capabilities.reasoning:
        return {}
    model_id = model.id.lower()
    if any(name in model_id for name in NO_VARIANTS):
        return {}
    openrouter = model.api.npm == "@openrouter/ai-sdk-provider"
    if "grok-3-mini" in model_id:
        return _nested(("low", "high")) if openrouter else _efforts(("low", "high"))
    if "grok" in model_id:
        return {}
    rule = BY_PACKAGE.get(model.api.npm)
    return rule(model) if rule else {}


def _efforts(levels: tuple[str, ...], **more: Any) -> Variants:
    return {level: {"reasoningEffort": level, **more} for level in levels}


def _nested(levels: tuple[str, ...]) -> Variants:
    return {level: {"reasoning": {"effort": level}} for level in levels}


def _compatible(_: Model) -> Variants:
    return _efforts(LOW_TO_HIGH)


def _openai(model: Model) -> Variants:
    model_id = model.id.lower()
    if model_id == "gpt-5-pro":
        return {}
    levels: tuple[str, ...] = LOW_TO_HIGH
    if "codex" in model_id:
        if "5.2" in model_id or "5.3" in model_id:
            levels = (*levels, "xhigh")
        return _openai_efforts(levels)
    if model_id == "gpt-5" or model_id.startswith("gpt-5-"):
        levels = ("minimal", *levels)
    if model.release_date >= "2025-11-13":
        levels = ("none", *levels)
    if model.release_date >= "2025-12-04":
        levels = (*levels, "xhigh")
    return _openai_efforts(levels)


def _azure(model: Model) -> Variants:
    model_id = model.id.lower()
    if model_id == "o1-mini":
        return {}
    is_gpt5 = model_id == "gpt-5" or model_id.startswith("gpt-5-")
    return _openai_efforts(("minimal", *LOW_TO_HIGH) if is_gpt5 else LOW_TO_HIGH)


def _openai_efforts(levels: tuple[str, ...]) -> Variants:
    return _efforts(levels, reasoningSummary="auto", include=["reasoning.encrypted_content"])


def _anthropic(model: Model) -> Variants:
    api_id = model.api.id.lower()
    if any(name in api_id for name in EXTENDED):
        return _adaptive((*LOW_TO_HIGH, "xhigh", "max"))
    if any(name in api_id for name in ADAPTIVE):
        return _adaptive((*LOW_TO_HIGH, "max"))
    output = int(model.limit.output)
    return {"high": _budget(min(16_000, output // 2 - 1)), "max": _budget(min(31_999, output - 1))}


def _adaptive(levels: tuple[str, ...]) -> Variants:
    return {level: {"thinking": {"type": "adaptive"}, "effort": level} for level in levels}


def _budget(tokens: int) -> dict[str, Any]:
    return {"thinking": {"type": "enabled", "budgetTokens": tokens}}


def _openrouter(model: Model) -> Variants:
    model_id = model.id.lower()
    return _nested(ALL_EFFORTS) if any(name in model_id for name in ("gpt", "gemini-3", "claude")) else {}


def _copilot(model: Model) -> Variants:
    model_id = model.id.lower()
    if "gemini" in model_id:
        return {}
    if "claude" in model_id:
        return {"thinking": {"thinking_budget": 4000}}
    widest = any(name in model_id for name in ("5.1-codex-max", "5.2", "5.3"))
    return _openai_efforts((*LOW_TO_HIGH, "xhigh") if widest else LOW_TO_HIGH)


def _google(model: Model) -> Variants:
    model_id = model.id.lower()
    if "2.5" in model_id:
        return {
            name: {"thinkingConfig": {"includeThoughts": True, "thinkingBudget": tokens}}
            for name, tokens in (("high", 16_000), ("max", 24_576))
        }
    levels = LOW_TO_HIGH if "3.1" in model_id else ("low", "high")
    return {level: {"thinkingConfig": {"includeThoughts": True, "thinkingLevel": level}} for level in levels}


BY_PACKAGE: dict[str, Callable[[Model], Variants]] = {
    "@ai-sdk/openai-compatible": _compatible,
    "@ai-sdk/cerebras": _compatible,
    "@ai-sdk/togetherai": _compatible,
    "@ai-sdk/xai": _compatible,
    "@ai-sdk/deepinfra": _compatible,
    "venice-ai-sdk-provider": _compatible,
    "@ai-sdk/groq": lambda _: _efforts(("none", *LOW_TO_HIGH)),
    "@ai-sdk/openai": _openai,
    "@ai-sdk/azure": _azure,
    "@ai-sdk/anthropic": _anthropic,
    "@ai-sdk/google-vertex/anthropic": _anthropic,
    "@openrouter/ai-sdk-provider": _openrouter,
    "@ai-sdk/github-copilot": _copilot,
    "@ai-sdk/google": _google,
    "@ai-sdk/google-vertex": _google,
}
