"""What the options of a model, an agent or a variant become on Chat Completions."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from opencode.provider.schema import Model

Json = dict[str, Any]

RENAMED: Final = {
    "reasoningEffort": "reasoning_effort",
    "textVerbosity": "verbosity",
    "promptCacheKey": "prompt_cache_key",
    "parallelToolCalls": "parallel_tool_calls",
    "serviceTier": "service_tier",
    "enableThinking": "enable_thinking",
    "thinkingBudget": "thinking_budget",
}
NOT_ON_THIS_WIRE: Final = frozenset(
    {"reasoningSummary", "include", "store", "strictJsonSchema", "effort", "gateway", "includeUsage"}
)
UPSTREAM: Final = {"amazon": "bedrock"}
"""What Vercel's gateway calls a provider whose models begin with another name."""


def chat_options(model: Model, options: Mapping[str, Any]) -> Json:
    """The fields of the request. One that is not known here is sent as it is."""
    own = OF_PACKAGES.get(model.api.npm)
    return own(model, options) if own else _renamed(options)


def _renamed(options: Mapping[str, Any]) -> Json:
    return {RENAMED.get(name, name): value for name, value in options.items() if name not in NOT_ON_THIS_WIRE}


def _vercel(model: Model, options: Mapping[str, Any]) -> Json:
    """The gateway takes options as the AI SDK spells them, under the name of the provider that answers."""
    upstream = model.api.id.partition("/")[0]
    ours = {name: value for name, value in options.items() if name not in ("gateway", "includeUsage")}
    said = {"gateway": options.get("gateway"), UPSTREAM.get(upstream, upstream): ours or None}
    given = {name: value for name, value in said.items() if value is not None}
    return {"providerOptions": given} if given else {}


def _venice(model: Model, options: Mapping[str, Any]) -> Json:
    """Venice has a system text of its own, which is not wanted beside ours."""
    given = options.get("veniceParameters")
    own = {"disable_thinking": True} if isinstance(given, dict) and given.get("disableThinking") else {}
    rest = {name: value for name, value in options.items() if name != "veniceParameters"}
    return {**_renamed(rest), "venice_parameters": {"include_venice_system_prompt": False, **own}}


def _cohere(model: Model, options: Mapping[str, Any]) -> Json:
    """Behind this wire Cohere's models think or do not, without a budget."""
    thinking = options.get("thinking")
    rest = _renamed({name: value for name, value in options.items() if name != "thinking"})
    if isinstance(thinking, dict):
        rest["reasoning_effort"] = "none" if thinking.get("type") == "disabled" else "high"
    return rest


OF_PACKAGES: Final[Mapping[str, Callable[[Model, Mapping[str, Any]], Json]]] = {
    "@ai-sdk/gateway": _vercel,
    "@ai-sdk/cohere": _cohere,
    "venice-ai-sdk-provider": _venice,
}
