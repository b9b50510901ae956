"""Variants: the reasoning levels a model offers, as tables (spec: providers, section 7).

What the catalogue says of a model (``reasoning_options``) comes first. Of other models, and where a package has no
spelling for what the catalogue says, families of names decide which levels there are, and the package how each one is
spelled.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from opencode.provider.reasoning_options import ReasoningOptions, catalogue_variants
from opencode.provider.schema import Model
from opencode.provider.variant_spelling import (
    SPELLINGS,
    Variants,
    adaptive,
    adaptive_bedrock,
    budget,
    budget_bedrock,
    claude_version,
    effort,
    effort_of_bedrock,
    effort_of_openrouter,
    sealed_effort,
    thinking_budget,
    thinking_level,
)

LOW_TO_HIGH = ("low", "medium", "high")
ALL_EFFORTS = ("none", "minimal", *LOW_TO_HIGH, "xhigh")
NONE_SINCE, XHIGH_SINCE = "2025-11-13", "2025-12-04"
"""Models of OpenAI released since then know these levels."""

SILENT = re.compile(r"deepseek-(?:chat|reasoner|r1|v3)|minimax|glm(?!-5\.2)|kimi|k2p|qwen|big-pickle")
"""Models that think as they like, or whose thinking is an option of the provider."""

GPT5 = re.compile(r"gpt-5(?:\.(\d+))?(.*)")
BUDGETS = (("high", 16_000), ("max", 31_999))


def model_variants(model: Model, options: ReasoningOptions | None = None) -> Variants:
    """The variants of a model by name; none when it does not reason. ``options``: what the catalogue says of it."""
    if not model.capabilities.reasoning:
        return {}
    if options is not None:
        said = catalogue_variants(model, options, SPELLINGS.get(model.api.npm))
        if said is not None:
            return said
    model_id = model.id.lower()
    if "grok-3-mini" in model_id:
        return _each(("low", "high"), effort_of_openrouter if model.api.npm == OPENROUTER else effort)
    exception = EXCEPTIONS.get(model.api.npm, _no_exception)(model_id)
    if exception is not None:
        return exception
    if SILENT.search(model_id):
        return {}
    rule = BY_PACKAGE.get(model.api.npm)
    return rule(model) if rule else {}


def _each(levels: Iterable[str], spell: Callable[[str], dict[str, Any]]) -> Variants:
    return {level: spell(level) for level in levels}


# --- single models that a package treats in its own way ----------------------------------------------------------

MINIMAX_SWITCH: Variants = {"none": {"thinking": {"type": "disabled"}}, "thinking": {"thinking": {"type": "adaptive"}}}


def _no_exception(_: str) -> Variants | None:
    return None


def _compatible_exception(model_id: str) -> Variants | None:
    if "minimax-m3" in model_id:
        return MINIMAX_SWITCH
    return _each(("high", "max"), effort) if "glm-5.2" in model_id else None


def _anthropic_exception(model_id: str) -> Variants | None:
    if "minimax-m3" in model_id:
        return MINIMAX_SWITCH
    if "glm-5.2" in model_id:
        return _each(("high", "max"), lambda level: {"effort": level})
    return _kimi_exception(model_id)


def _kimi_exception(model_id: str) -> Variants | None:
    return _each((*LOW_TO_HIGH, "xhigh", "max"), adaptive(shown=True)) if "kimi" in model_id else None


def _openrouter_exception(model_id: str) -> Variants | None:
    return _each(("high", "xhigh"), effort_of_openrouter) if "glm-5.2" in model_id else None


# --- levels of model families -----------------------------------------------------------------------------------


def gpt5_levels(model_id: str) -> tuple[str, ...] | None:
    """What every endpoint offers of a GPT-5; None where the release date decides, or for other models."""
    found = GPT5.search(model_id)
    if found is None:
        return None
    minor, rest = int(found[1] or 0), found[2]
    if "codex" in rest:
        if minor >= 3:
            return ("none", *LOW_TO_HIGH, "xhigh")
        return (*LOW_TO_HIGH, "xhigh") if minor == 2 or "codex-max" in rest else LOW_TO_HIGH
    if "-chat" in rest:
        return ("medium",) if minor else ()
    if "-pro" in rest:
        return ("medium", "high", "xhigh") if minor >= 2 else ("high",)
    if minor:
        return ("none", *LOW_TO_HIGH, "xhigh") if minor >= 2 else ("none", *LOW_TO_HIGH)
    return None


def _openai_levels(model: Model) -> tuple[str, ...]:
    model_id = model.id.lower()
    levels = gpt5_levels(model_id)
    if levels is not None:
        return levels
    return (
        *(("none",) if model.release_date >= NONE_SINCE else ()),
        *(("minimal",) if "gpt-5" in model_id else ()),
        *LOW_TO_HIGH,
        *(("xhigh",) if model.release_date >= XHIGH_SINCE else ()),
    )


def _adaptive_claude(api_id: str, spell: Callable[[bool], Callable[[str], dict[str, Any]]]) -> Variants | None:
    """The levels of a Claude that decides itself how long it thinks; newer ones show their thoughts when asked to."""
    version = claude_version(api_id)
    if version >= (4, 7):
        return _each((*LOW_TO_HIGH, "xhigh", "max"), spell(True))
    return _each((*LOW_TO_HIGH, "max"), spell(False)) if version == (4, 6) else None


# --- packages ---------------------------------------------------------------------------------------------------


def _compatible(model: Model) -> Variants:
    return _each((*LOW_TO_HIGH, "max") if "deepseek-v4" in model.id.lower() else LOW_TO_HIGH, effort)


def _openai(model: Model) -> Variants:
    return _each(_openai_levels(model), sealed_effort)


def _azure(model: Model) -> Variants:
    return {} if model.id.lower() == "o1-mini" else _openai(model)


def _cloudflare_gateway(model: Model) -> Variants:
    return _each(_openai_levels(model) if model.id.lower().startswith("openai/") else LOW_TO_HIGH, effort)


def _anthropic(model: Model) -> Variants:
    api_id = model.api.id.lower()
    found = _adaptive_claude(api_id, adaptive)
    if found is not None:
        return found
    output = int(model.limit.output)
    half = min(16_000, output // 2 - 1)
    if re.search(r"opus-4[.-]5", api_id):
        return _each(LOW_TO_HIGH, lambda level: {**budget(half), "effort": level})
    return {"high": budget(half), "max": budget(min(31_999, output - 1))}


def _bedrock(model: Model) -> Variants:
    api_id = model.api.id.lower()
    found = _adaptive_claude(api_id, adaptive_bedrock)
    if found is not None:
        return found
    if "anthropic" in api_id:
        return {name: budget_bedrock(tokens) for name, tokens in BUDGETS}
    return _each(LOW_TO_HIGH, effort_of_bedrock)


def _openrouter(model: Model) -> Variants:
    model_id = model.id.lower()
    levels = gpt5_levels(model_id)
    if levels is None:
        levels = ALL_EFFORTS if "gpt" in model_id else LOW_TO_HIGH
    return _each(levels, effort_of_openrouter)


def _vercel_gateway(model: Model) -> Variants:
    model_id = model.id.lower()
    if "anthropic" in model_id:
        found = _adaptive_claude(model_id, adaptive)
        return {name: budget(tokens) for name, tokens in BUDGETS} if found is None else found
    if "google" in model_id:
        if "2.5" in model_id:
            return _google_budgets(model_id)
        return _each(("low", "high"), lambda level: thinking_level(level)["thinkingConfig"])
    levels = gpt5_levels(model_id)
    return _each(ALL_EFFORTS if levels is None else levels, effort)


def _copilot(model: Model) -> Variants:
    model_id = model.id.lower()
    if "gemini" in model_id:
        return {}
    if "claude" in model_id:
        return _each(LOW_TO_HIGH, effort)
    named = any(name in model_id for name in ("5.1-codex-max", "5.2", "5.3"))
    widest = named or ("gpt-5" in model_id and model.release_date >= XHIGH_SINCE)
    return _each((*LOW_TO_HIGH, "xhigh") if widest else LOW_TO_HIGH, sealed_effort)


def _google(model: Model) -> Variants:
    model_id = model.id.lower()
    if "2.5" in model_id:
        return _google_budgets(model_id)
    if "gemma" in model_id:
        return _each(("minimal", "high"), thinking_level)
    return _each(("minimal", *LOW_TO_HIGH) if "flash" in model_id else LOW_TO_HIGH, thinking_level)


def _google_budgets(model_id: str) -> Variants:
    most = 32_768 if "pro" in model_id else 24_576
    return {"high": thinking_budget(16_000), "max": thinking_budget(most)}


def _mistral(model: Model) -> Variants:
    switchable = ("mistral-small-2603", "mistral-small-latest", "mistral-medium-3.5", "mistral-medium-2604")
    return _each(("high",), effort) if model.id.lower() in switchable else {}


OPENROUTER = "@openrouter/ai-sdk-provider"

EXCEPTIONS: dict[str, Callable[[str], Variants | None]] = {
    "@ai-sdk/openai-compatible": _compatible_exception,
    "@ai-sdk/anthropic": _anthropic_exception,
    "@ai-sdk/google-vertex/anthropic": _kimi_exception,
    OPENROUTER: _openrouter_exception,
}

BY_PACKAGE: dict[str, Callable[[Model], Variants]] = {
    "@ai-sdk/openai-compatible": _compatible,
    "@ai-sdk/cerebras": _compatible,
    "@ai-sdk/togetherai": _compatible,
    "@ai-sdk/xai": _compatible,
    "@ai-sdk/deepinfra": _compatible,
    "venice-ai-sdk-provider": _compatible,
    "ai-gateway-provider": _cloudflare_gateway,
    "@ai-sdk/groq": lambda _: _each(("none", *LOW_TO_HIGH), effort),
    "@ai-sdk/mistral": _mistral,
    "@ai-sdk/openai": _openai,
    "@ai-sdk/amazon-bedrock/mantle": _openai,
    "@ai-sdk/azure": _azure,
    "@ai-sdk/anthropic": _anthropic,
    "@ai-sdk/google-vertex/anthropic": _anthropic,
    "@ai-sdk/amazon-bedrock": _bedrock,
    OPENROUTER: _openrouter,
    "@ai-sdk/gateway": _vercel_gateway,
    "@ai-sdk/github-copilot": _copilot,
    "@ai-sdk/google": _google,
    "@ai-sdk/google-vertex": _google,
}
