"""How each package spells a reasoning level, a budget of tokens, and thinking switched on or off."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from opencode.provider.schema import Model

Variants = dict[str, dict[str, Any]]
"""Request options by the name of the variant."""
Options = dict[str, Any]

CLAUDE_VERSION = re.compile(r"claude-[a-z]+-(\d+)(?:[.-](\d{1,2})(?!\d))?")
"""A date that follows the family is no version of it."""


def effort(level: str) -> Options:
    """A level of reasoning in the AI SDK's own word."""
    return {"reasoningEffort": level}


def sealed_effort(level: str) -> Options:
    """With a summary to show, and the reasoning itself encrypted, to be sent back."""
    return {**effort(level), "reasoningSummary": "auto", "include": ["reasoning.encrypted_content"]}


def effort_of_openrouter(level: str) -> Options:
    """OpenRouter nests it."""
    return {"reasoning": {"effort": level}}


def budget(tokens: int) -> Options:
    """Tokens for Claude to think with."""
    return {"thinking": {"type": "enabled", "budgetTokens": tokens}}


def adaptive(shown: bool) -> Callable[[str], Options]:
    """``shown``: the model hides its thoughts unless it is asked for a summary of them."""
    thinking = {"type": "adaptive", **({"display": "summarized"} if shown else {})}
    return lambda level: {"thinking": thinking, "effort": level}


def budget_bedrock(tokens: int) -> Options:
    """The same on Bedrock."""
    return {"reasoningConfig": {"type": "enabled", "budgetTokens": tokens}}


def effort_of_bedrock(level: str) -> Options:
    """A level for the models of Bedrock that are not Claude."""
    return {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": level}}


def adaptive_bedrock(shown: bool) -> Callable[[str], Options]:
    """As :func:`adaptive`, for Bedrock."""
    display = {"display": "summarized"} if shown else {}
    return lambda level: {"reasoningConfig": {"type": "adaptive", "maxReasoningEffort": level, **display}}


def thinking_level(level: str) -> Options:
    """A level for Gemini 3."""
    return {"thinkingConfig": {"includeThoughts": True, "thinkingLevel": level}}


def thinking_budget(tokens: int) -> Options:
    """Tokens for Gemini 2.5."""
    return {"thinkingConfig": {"includeThoughts": True, "thinkingBudget": tokens}}


Spell = Callable[[str], Options]


@dataclass(frozen=True, slots=True)
class Spelling:
    """What a package can say. ``None``: it has no words for it. ``effort_of`` may depend on the model."""

    effort_of: Callable[[Model], Spell | None] = lambda _: None
    budget: Callable[[int], Options] | None = None
    switch: tuple[Options, Options] | None = None
    """Options for thinking off, and on."""


def claude_version(model_id: str) -> tuple[int, int]:
    """``claude-opus-4-6`` is (4, 6); (0, 0) for names without a version behind the family."""
    found = CLAUDE_VERSION.search(model_id)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


def _shows_when_asked(model: Model) -> bool:
    return claude_version(model.api.id.lower()) >= (4, 7)


def _always(spell: Spell) -> Callable[[Model], Spell]:
    return lambda _: spell


def _anthropic_effort(model: Model) -> Spell:
    return adaptive(shown=True) if _shows_when_asked(model) or "kimi" in model.api.id.lower() else _plain_effort


def _plain_effort(level: str) -> Options:
    return {"effort": level}


def _bedrock_effort(model: Model) -> Spell:
    if _shows_when_asked(model):
        return adaptive_bedrock(shown=True)
    return effort_of_bedrock


def _copilot_effort(model: Model) -> Spell | None:
    if "gemini" in model.id.lower():
        return None
    return effort if "claude" in model.id.lower() else sealed_effort


_PLAIN = Spelling(_always(effort))
_SEALED = Spelling(_always(sealed_effort))
_CLAUDE = Spelling(_anthropic_effort, budget)
_GEMINI = Spelling(_always(thinking_level), thinking_budget)

SPELLINGS: dict[str, Spelling] = {
    "@ai-sdk/openai-compatible": _PLAIN,
    "@ai-sdk/cerebras": _PLAIN,
    "@ai-sdk/togetherai": _PLAIN,
    "@ai-sdk/xai": _PLAIN,
    "@ai-sdk/deepinfra": _PLAIN,
    "venice-ai-sdk-provider": _PLAIN,
    "ai-gateway-provider": _PLAIN,
    "@ai-sdk/groq": _PLAIN,
    "@ai-sdk/mistral": _PLAIN,
    "@ai-sdk/gateway": _PLAIN,
    "@ai-sdk/openai": _SEALED,
    "@ai-sdk/amazon-bedrock/mantle": _SEALED,
    "@ai-sdk/azure": _SEALED,
    "@ai-sdk/github-copilot": Spelling(_copilot_effort),
    "@ai-sdk/anthropic": _CLAUDE,
    "@ai-sdk/google-vertex/anthropic": _CLAUDE,
    "@ai-sdk/amazon-bedrock": Spelling(_bedrock_effort, budget_bedrock),
    "@ai-sdk/google": _GEMINI,
    "@ai-sdk/google-vertex": _GEMINI,
    "@openrouter/ai-sdk-provider": Spelling(
        _always(effort_of_openrouter), lambda tokens: {"reasoning": {"max_tokens": tokens}}
    ),
    "@ai-sdk/cohere": Spelling(
        budget=lambda tokens: {"thinking": {"type": "enabled", "tokenBudget": tokens}},
        switch=({"thinking": {"type": "disabled"}}, {"thinking": {"type": "enabled"}}),
    ),
    "@ai-sdk/alibaba": Spelling(
        budget=lambda tokens: {"enableThinking": True, "thinkingBudget": tokens},
        switch=({"enableThinking": False}, {"enableThinking": True}),
    ),
}
