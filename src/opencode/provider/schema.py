"""Providers and models as they are sent to clients (spec: providers, section 2)."""

from typing import Any, Literal

import msgspec

from opencode.core.ids import ModelID, ProviderID
from opencode.core.wire import UNSET, UnsetType, Wire

Number = int | float


class ModelRef(Wire):
    """Which model, as messages and prompts name it."""

    provider_id: ProviderID
    model_id: ModelID


class ModelApi(Wire):
    """How the model is reached: its id there, the base URL, and the adapter package that OpenCode names."""

    id: str
    url: str
    npm: str


class Modalities(Wire):
    """Kinds of content."""

    text: bool = False
    audio: bool = False
    image: bool = False
    video: bool = False
    pdf: bool = False


class Interleaved(Wire):
    """The field of an assistant message in which the model expects its reasoning back."""

    field: str


class Capabilities(Wire):
    """What the model can do."""

    temperature: bool
    reasoning: bool
    attachment: bool
    toolcall: bool
    input: Modalities
    output: Modalities
    interleaved: bool | Interleaved


class CacheCost(Wire):
    """USD per million cached tokens."""

    read: Number = 0
    write: Number = 0


class CostTierRule(Wire):
    """The tier applies when more input tokens than ``size`` were sent."""

    type: Literal["context"]
    size: Number


class CostTier(Wire):
    """USD per million tokens, in one tier."""

    input: Number
    output: Number
    cache: CacheCost
    tier: CostTierRule


class LongContextCost(Wire):
    """USD per million tokens above 200,000 input tokens."""

    input: Number
    output: Number
    cache: CacheCost


class ModelCost(Wire):
    """USD per million tokens."""

    input: Number = 0
    output: Number = 0
    cache: CacheCost = CacheCost()
    tiers: list[CostTier] | UnsetType = UNSET
    over_200k: LongContextCost | UnsetType = msgspec.field(default=UNSET, name="experimentalOver200K")


class ModelLimit(Wire):
    """Tokens. 0: unknown."""

    context: Number = 0
    input: Number | UnsetType = UNSET
    output: Number = 0


class Model(Wire):
    """One model of one provider."""

    id: ModelID
    provider_id: ProviderID
    name: str
    family: str | UnsetType = UNSET
    api: ModelApi
    status: Literal["alpha", "beta", "deprecated", "active"] = "active"
    headers: dict[str, str] = {}
    options: dict[str, Any] = {}
    cost: ModelCost = ModelCost()
    limit: ModelLimit = ModelLimit()
    capabilities: Capabilities
    release_date: str = msgspec.field(default="", name="release_date")
    variants: dict[str, dict[str, Any]] | UnsetType = UNSET


class Provider(Wire):
    """One provider with its usable models. Secrets in ``key`` and ``options`` are masked before it is sent."""

    id: ProviderID
    name: str
    source: Literal["env", "config", "custom", "api"]
    env: list[str]
    key: str | UnsetType = UNSET
    options: dict[str, Any]
    models: dict[str, Model]
