"""Request options in AI-SDK spelling: defaults per model family, and merging (spec: system prompt, 6.1)."""

from collections.abc import Mapping
from typing import Any

from opencode.core.ids import SessionID
from opencode.provider.schema import Model

Options = dict[str, Any]

ENCRYPTED_REASONING = "reasoning.encrypted_content"
MANTLE = "@ai-sdk/amazon-bedrock/mantle"
OPENAI = ("@ai-sdk/openai", "@ai-sdk/azure", MANTLE)
CACHING = (
    "@ai-sdk/openai",
    "@ai-sdk/azure",
    "@ai-sdk/mistral",
    "@ai-sdk/deepinfra",
    "@ai-sdk/cerebras",
    "venice-ai-sdk-provider",
)
"""Packages whose providers find the cached beginning of a prompt by a key; ``setCacheKey: false`` sends none."""
GOOGLE = ("@ai-sdk/google", "@ai-sdk/google-vertex")
ANTHROPIC = ("@ai-sdk/anthropic", "@ai-sdk/google-vertex/anthropic")


def deep_merge(*layers: Mapping[str, Any]) -> Options:
    """The layers over one another, lowest first; objects merge, everything else is replaced."""
    merged: Options = {}
    for layer in layers:
        for key, value in layer.items():
            known = merged.get(key)
            merged[key] = deep_merge(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return merged


def default_options(model: Model, session_id: SessionID, provider_options: Mapping[str, Any]) -> Options:
    """What is sent with every ordinary call of a model, below what model, agent and variant say."""
    options: Options = {}
    provider, npm, api_id = model.provider_id, model.api.npm, model.api.id.lower()
    caches = provider_options.get("setCacheKey")
    if npm in (*OPENAI, "@ai-sdk/github-copilot"):
        options["store"] = False
    if npm in OPENAI and model.capabilities.reasoning:
        options["include"] = [ENCRYPTED_REASONING]  # nothing is stored there, so it has to come along
        if provider == "meta":
            options["reasoningSummary"] = "auto"
    if npm == "@openrouter/ai-sdk-provider":
        options["usage"] = {"include": True}
        if caches is not False:
            options["prompt_cache_key"] = session_id
        if "gemini-3" in api_id:
            options["reasoning"] = {"effort": "high"}
    if provider == "baseten" or (provider == "opencode" and api_id in ("kimi-k2-thinking", "glm-4.6")):
        options["chat_template_args"] = {"enable_thinking": True}
    if any(name in provider for name in ("zai", "zhipuai")) and npm == "@ai-sdk/openai-compatible":
        options["thinking"] = {"type": "enabled", "clear_thinking": False}
    if caches is not False and (caches or provider == "openai" or npm in CACHING):
        options["promptCacheKey"] = session_id
    if npm in GOOGLE and model.capabilities.reasoning:
        options["thinkingConfig"] = {"includeThoughts": True} | (
            {"thinkingLevel": "high"} if "gemini-3" in api_id else {}
        )
    if npm == "@ai-sdk/anthropic" and "minimax-m3" in api_id:
        options["thinking"] = {"type": "adaptive"}
    if npm in ANTHROPIC and "kimi" in api_id:
        options |= {"thinking": {"type": "adaptive", "display": "summarized"}, "effort": "high"}
    switchable = model.capabilities.reasoning and "kimi-k2-thinking" not in api_id
    if provider == "alibaba-cn" and switchable and npm == "@ai-sdk/openai-compatible":
        options["enable_thinking"] = True
    if npm == "@ai-sdk/gateway":
        options["gateway"] = {"caching": "auto"}
    return deep_merge(options, _gpt5_options(model, session_id))


def _gpt5_options(model: Model, session_id: SessionID) -> Options:
    api_id, npm = model.api.id.lower(), model.api.npm
    if "gpt-5" not in api_id or "gpt-5-chat" in api_id:
        return {}
    options: Options = {}
    if "gpt-5-pro" not in api_id:
        options |= {"reasoningEffort": "medium", "reasoningSummary": "auto"}
    if npm in ("@ai-sdk/openai", MANTLE) and "gpt-5." in api_id and "codex" not in api_id and "-chat" not in api_id:
        options["textVerbosity"] = "low"
    if model.provider_id.startswith("opencode"):
        options |= {"promptCacheKey": session_id, "include": [ENCRYPTED_REASONING], "reasoningSummary": "auto"}
    return options


def small_options(model: Model) -> Options:
    """What is sent with small calls (titles): as little reasoning as the model allows."""
    api_id, npm = model.api.id.lower(), model.api.npm
    if npm in (*OPENAI, "@ai-sdk/github-copilot"):
        if "gpt-5" in api_id:
            effort = "low" if "gpt-5." in api_id else "minimal"
            return {"store": False, "reasoningEffort": effort}
        return {"store": False}
    if npm in GOOGLE:
        return {"thinkingConfig": _least_thinking(api_id)} if model.capabilities.reasoning else {}
    if npm == "@openrouter/ai-sdk-provider":
        return {"reasoning": {"enabled": False}} if "google" in api_id else {"reasoningEffort": "minimal"}
    if model.provider_id == "venice":
        return {"veniceParameters": {"disableThinking": True}}
    if npm == "@ai-sdk/openai-compatible" and model.variants and "low" in model.variants:
        return dict(model.variants["low"])
    return {}


def _least_thinking(api_id: str) -> Options:
    """Pro models refuse not to think at all."""
    if "gemini-3" in api_id:
        return {"thinkingLevel": "minimal" if "flash" in api_id else "low"}
    return {"thinkingBudget": 128 if "pro" in api_id else 0}
