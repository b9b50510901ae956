"""Sampling defaults and output limits per model family (spec: system prompt, 6.2; LLM and errors, 1.2)."""

from collections.abc import Mapping
from dataclasses import dataclass

from opencode.provider.schema import Model

OUTPUT_MAX = 32_000
OUTPUT_MAX_VARIABLE = "OPENCODE_EXPERIMENTAL_OUTPUT_TOKEN_MAX"


@dataclass(frozen=True, slots=True)
class Sampling:
    """What a family of models works best with; ``None``: do not send."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None


FAMILIES: tuple[tuple[tuple[str, ...], Sampling], ...] = (
    (("claude", "gemini-1", "gemini-2.0"), Sampling()),
    (("gemini",), Sampling(1.0, 0.95, 64)),
    (("glm-4.6", "glm-4.7"), Sampling(1.0)),
    (("minimax-m2.", "minimax-m25", "minimax-m21"), Sampling(1.0, 0.95, 40)),
    (("minimax-m2",), Sampling(1.0, 0.95, 20)),
    (("kimi-k2.5", "kimi-k2p5", "kimi-k2-5"), Sampling(1.0, 0.95)),
    (("kimi-k2-thinking", "kimi-k2.", "kimi-k2p"), Sampling(1.0)),
    (("kimi-k2",), Sampling(0.6)),
)
"""The first row of which one name is part of the model's id decides."""


def default_sampling(model: Model) -> Sampling:
    """The family's defaults; no temperature for models that take none."""
    model_id = model.id.lower()
    found = next((sampling for names, sampling in FAMILIES if any(name in model_id for name in names)), Sampling())
    if model.capabilities.temperature:
        return found
    return Sampling(None, found.top_p, found.top_k)


def max_output_tokens(model: Model, environ: Mapping[str, str]) -> int:
    """How long an answer may get: the model's limit, within ours."""
    most = _positive(environ.get(OUTPUT_MAX_VARIABLE)) or OUTPUT_MAX
    return min(int(model.limit.output), most) or most


def _positive(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and int(text) > 0 else None
