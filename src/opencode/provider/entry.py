"""Providers and models as the catalogue and the configuration describe them (spec: providers, sections 1.1 and 4)."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from opencode.core.log import Logger
from opencode.core.wire import UNSET, UnsetType, Wire

log = Logger("provider.catalogue")

Number = int | float


class Entry(Wire, rename={}):
    """Base: the catalogue's own spelling, absent fields ``UNSET``, unknown ones ignored."""


class CostEntry(Entry):
    """USD per million tokens."""

    input: Number | UnsetType = UNSET
    output: Number | UnsetType = UNSET
    cache_read: Number | UnsetType = UNSET
    cache_write: Number | UnsetType = UNSET
    context_over_200k: "CostEntry | UnsetType | None" = UNSET
    tiers: "list[CostTierEntry] | UnsetType" = UNSET


class TierRuleEntry(Entry):
    """From how many input tokens on a tier applies."""

    type: str = "context"
    size: Number = 0


class CostTierEntry(CostEntry):
    """Prices of one tier."""

    tier: TierRuleEntry = TierRuleEntry()


class LimitEntry(Entry):
    """Tokens."""

    context: Number | UnsetType = UNSET
    input: Number | UnsetType = UNSET
    output: Number | UnsetType = UNSET


class ModalitiesEntry(Entry):
    """Kinds of content by name."""

    input: list[str] | UnsetType = UNSET
    output: list[str] | UnsetType = UNSET


class ModelProviderEntry(Entry):
    """Where one model is reached when that differs from its provider."""

    npm: str | UnsetType = UNSET
    api: str | UnsetType = UNSET


class ModeProviderEntry(Entry):
    """What a mode adds to requests."""

    body: dict[str, Any] = {}
    headers: dict[str, str] = {}


class ModeEntry(Entry):
    """A way to use a model at other prices: faster, for one."""

    cost: CostEntry | None = None
    provider: ModeProviderEntry | None = None


class ExperimentalEntry(Entry):
    """What the catalogue says of a model on trial."""

    modes: dict[str, ModeEntry] = {}


class ModelEntry(Entry):
    """What is said of a model; in the configuration every field may be absent."""

    id: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    family: str | UnsetType | None = UNSET
    release_date: str | UnsetType = UNSET
    attachment: bool | UnsetType = UNSET
    reasoning: bool | UnsetType = UNSET
    reasoning_options: Any = UNSET
    temperature: bool | UnsetType = UNSET
    tool_call: bool | UnsetType = UNSET
    interleaved: Any = UNSET
    cost: CostEntry | UnsetType | None = UNSET
    limit: LimitEntry | UnsetType | None = UNSET
    modalities: ModalitiesEntry | UnsetType | None = UNSET
    status: Literal["alpha", "beta", "deprecated", "active"] | UnsetType | None = UNSET
    experimental: Any = UNSET
    options: dict[str, Any] | UnsetType = UNSET
    headers: dict[str, str] | UnsetType = UNSET
    provider: ModelProviderEntry | UnsetType | None = UNSET
    variants: dict[str, dict[str, Any]] | UnsetType = UNSET


class ProviderEntry(Entry):
    """What is said of a provider."""

    id: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    env: list[str] | UnsetType = UNSET
    npm: str | UnsetType = UNSET
    api: str | UnsetType = UNSET
    whitelist: list[str] | UnsetType = UNSET
    blacklist: list[str] | UnsetType = UNSET
    options: dict[str, Any] | UnsetType = UNSET
    models: dict[str, ModelEntry] | UnsetType = UNSET


class CatalogueProvider(Entry):
    """One provider; its models are decoded only when somebody asks for them."""

    id: str
    name: str
    env: list[str] = []
    npm: str = ""
    api: str = ""
    models: msgspec.Raw = msgspec.Raw(b"{}")

    def model_entries(self) -> dict[str, ModelEntry]:
        """The models by id. One that cannot be read is left out."""
        entries: dict[str, ModelEntry] = {}
        for model_id, raw in msgspec.json.decode(self.models, type=dict[str, msgspec.Raw]).items():
            try:
                entries[model_id] = msgspec.json.decode(raw, type=ModelEntry)
            except msgspec.ValidationError as error:
                log.debug("catalogue model not understood", provider=self.id, model=model_id, reason=str(error))
        return entries


def entries_of_config(configured: Mapping[str, Wire] | UnsetType | None) -> dict[str, ProviderEntry]:
    """The configured providers, in the catalogue's terms and the order of the configuration."""
    plain = msgspec.to_builtins(configured) if configured else {}
    return msgspec.convert(plain, dict[str, ProviderEntry])
