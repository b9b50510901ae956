"""Which model is meant, or taken when none is named (spec: providers, section 6)."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from opencode.core.ids import ModelID, ProviderID
from opencode.provider.schema import Model, ModelRef

PREFERRED = ("gpt-5", "claude-sonnet-4", "big-pickle", "gemini-3-pro")
"""Later ones are better."""
SMALL_FAMILIES = ("gemini-flash", "gpt-nano", "claude-haiku")
SUGGESTIONS = 3


def parse_model(text: str) -> ModelRef:
    """``a/b/c`` is model ``b/c`` of provider ``a``."""
    provider_id, _, model_id = text.partition("/")
    return ModelRef(provider_id=ProviderID(provider_id), model_id=ModelID(model_id))


def best_model(models: Mapping[str, Model]) -> str | None:
    """The id of the model a provider is best represented by."""
    return max(models, key=_rank, default=None)


def _rank(model_id: str) -> tuple[int, bool, str]:
    preference = next((index for index, name in enumerate(PREFERRED) if name in model_id), -1)
    return preference, "latest" in model_id, model_id


def small_model(models: Mapping[str, Model]) -> Model | None:
    """The newest model of the first small family there is."""
    for family in SMALL_FAMILIES:
        members = [model for model in models.values() if model.family == family]
        if members:
            return max(members, key=lambda model: (model.release_date, model.id))
    return None


def suggestions(wanted: str, names: Iterable[str]) -> list[str]:
    """Up to three names that resemble the wanted one, best first."""
    from rapidfuzz import fuzz, process, utils  # a compiled library that only a wrong name needs

    found = process.extract(
        wanted, list(names), scorer=fuzz.WRatio, processor=utils.default_process, limit=SUGGESTIONS, score_cutoff=60
    )
    return [name for name, _, _ in found]


def recent_models(data: bytes) -> list[ModelRef]:
    """The models of a ``model.json`` that clients keep, newest first; what cannot be read counts as none."""
    try:
        state: Any = msgspec.json.decode(data)
        return msgspec.convert(state.get("recent") or [], list[ModelRef])
    except (msgspec.DecodeError, AttributeError):
        return []
