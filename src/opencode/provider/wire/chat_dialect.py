"""Where providers of Chat Completions differ. Several refuse a request for one field that they do not know.

What each takes was seen in what its own package sends, and in the refusals that users have met.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from opencode.provider.schema import Interleaved, Model

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ChatDialect:
    """``reasoning``: the field that takes a model's thoughts back; None: there is none.

    ``output_limit``: what the limit of the answer is called. ``asks_for_usage``: whether it counts tokens only when it
    is asked to.
    """

    reasoning: str | None = "reasoning_content"
    output_limit: str = "max_tokens"
    asks_for_usage: bool = True


PLAIN: Final = ChatDialect()
DIALECTS: Final[Mapping[str, ChatDialect]] = {
    "@ai-sdk/cerebras": ChatDialect(reasoning="reasoning", asks_for_usage=False),
    "@ai-sdk/groq": ChatDialect(reasoning="reasoning", asks_for_usage=False),
    "@ai-sdk/mistral": ChatDialect(reasoning=None, asks_for_usage=False),
    "@ai-sdk/perplexity": ChatDialect(reasoning=None, asks_for_usage=False),
    "@ai-sdk/xai": ChatDialect(reasoning=None, output_limit="max_completion_tokens"),
    "venice-ai-sdk-provider": ChatDialect(output_limit="max_completion_tokens"),
}


def dialect_of(model: Model) -> ChatDialect:
    """The dialect of the package that the model names."""
    return DIALECTS.get(model.api.npm, PLAIN)


def reasoning_field(model: Model) -> str | None:
    """Where the model's thoughts go back: into the field that is known of it, or that of its provider."""
    dialect = dialect_of(model)
    if dialect is PLAIN:
        interleaved = model.capabilities.interleaved
        return interleaved.field if isinstance(interleaved, Interleaved) else PLAIN.reasoning
    # Of another model's thoughts a model that has none wants to hear nothing.
    return dialect.reasoning if model.capabilities.reasoning else None
