"""From catalogue and configuration entries to models (spec: providers, sections 2 and 4)."""

from typing import Any

import msgspec

from opencode.core.ids import ModelID, ProviderID
from opencode.core.wire import UNSET, UnsetType, replace
from opencode.provider.entry import (
    CatalogueProvider,
    CostEntry,
    ExperimentalEntry,
    LimitEntry,
    ModalitiesEntry,
    ModeEntry,
    ModelEntry,
    ModelProviderEntry,
    ModeProviderEntry,
    ProviderEntry,
)
from opencode.provider.options import deep_merge
from opencode.provider.schema import (
    CacheCost,
    Capabilities,
    CostTier,
    CostTierRule,
    Interleaved,
    LongContextCost,
    Modalities,
    Model,
    ModelApi,
    ModelCost,
    ModelLimit,
)
from opencode.provider.variants import model_variants

DEFAULT_NPM = "@ai-sdk/openai-compatible"
KINDS = ("text", "audio", "image", "video", "pdf")


def catalogue_models(provider: CatalogueProvider) -> dict[str, Model]:
    """Every model of a catalogue provider, with one more for each experimental mode."""
    models: dict[str, Model] = {}
    for key, entry in provider.model_entries().items():
        model = merge_model(ProviderID(provider.id), key, entry, _blank(provider, key), ProviderEntry())
        models[key] = model
        for mode in _modes(model, entry):
            models[mode.id] = mode
    return models


def configured_model(
    provider_id: ProviderID,
    key: str,
    entry: ModelEntry,
    known: dict[str, Model],
    configured: ProviderEntry,
    catalogue: CatalogueProvider | None,
) -> Model:
    """The model that the configuration names ``key``: what it says, over the known model, over defaults."""
    base = known.get(_or(entry.id, key))
    blank = _permissive(provider_id, key, catalogue)
    model = merge_model(provider_id, key, entry, base or blank, configured)
    if base is None and isinstance(entry.interleaved, UnsetType):
        model = _with_usual_interleaving(model)
    if not isinstance(entry.name, UnsetType):
        name = entry.name
    elif not isinstance(entry.id, UnsetType) and entry.id != key:
        name = key
    else:
        name = base.name if base else key
    return replace(model, name=name)


def _with_usual_interleaving(model: Model) -> Model:
    """DeepSeek's models want their thoughts back, wherever they are served."""
    if model.api.npm != DEFAULT_NPM or "deepseek" not in model.api.id:
        return model
    thoughts = Interleaved(field="reasoning_content")
    return replace(model, capabilities=replace(model.capabilities, interleaved=thoughts))


def merge_model(provider_id: ProviderID, key: str, entry: ModelEntry, base: Model, configured: ProviderEntry) -> Model:
    """``base`` with every field that the entry gives."""
    place = entry.provider if isinstance(entry.provider, ModelProviderEntry) else ModelProviderEntry()
    model = replace(
        base,
        id=ModelID(key),
        provider_id=provider_id,
        name=_or(entry.name, base.name),
        family=_or(entry.family or UNSET, base.family),
        api=ModelApi(
            id=_or(entry.id, base.api.id),
            url=_or(place.api, _or(configured.api, base.api.url)),
            npm=_or(place.npm, _or(configured.npm, base.api.npm)),
        ),
        status=_or(entry.status or UNSET, base.status),
        headers={**base.headers, **_or(entry.headers, {})},
        options=deep_merge(base.options, _or(entry.options, {})),
        cost=_cost(entry.cost, base.cost),
        limit=_limit(entry.limit, base.limit),
        capabilities=_capabilities(entry, base.capabilities),
        release_date=_or(entry.release_date, base.release_date),
    )
    return with_variants(model, entry, base)


def with_variants(model: Model, entry: ModelEntry | None, base: Model) -> Model:
    """The model with its computed variants, those of the entry merged over them; ``disabled`` ones go."""
    said = _or(entry.variants, {}) if entry else {}
    merged = deep_merge(_computed_variants(model, entry, base), said)
    return replace(
        model,
        variants={
            name: {option: value for option, value in options.items() if option != "disabled"}
            for name, options in merged.items()
            if not options.get("disabled")
        },
    )


def _computed_variants(model: Model, entry: ModelEntry | None, base: Model) -> dict[str, dict[str, Any]]:
    """What the entry's ``reasoning_options`` give, what is known of the same model already, or what its name says."""
    options = entry.reasoning_options if entry else UNSET
    if isinstance(options, list):
        return model_variants(model, options)
    same = (model.api.npm, model.api.id, model.capabilities.reasoning) == (
        base.api.npm,
        base.api.id,
        base.capabilities.reasoning,
    )
    known = _or(base.variants, None) if same else None
    return model_variants(model) if known is None else known


def _or(value: Any, default: Any) -> Any:
    return default if value is UNSET else value


def _blank(provider: CatalogueProvider, key: str) -> Model:
    """A model of which nothing is known but where it is reached."""
    nothing = Capabilities(
        temperature=False,
        reasoning=False,
        attachment=False,
        toolcall=False,
        input=Modalities(),
        output=Modalities(),
        interleaved=False,
    )
    return Model(
        id=ModelID(key),
        provider_id=ProviderID(provider.id),
        name=key,
        api=ModelApi(id=key, url=provider.api, npm=provider.npm or DEFAULT_NPM),
        capabilities=nothing,
    )


def _permissive(provider_id: ProviderID, key: str, catalogue: CatalogueProvider | None) -> Model:
    """What a model that only the configuration knows can do, when the configuration does not say."""
    text = Modalities(text=True)
    return Model(
        id=ModelID(key),
        provider_id=provider_id,
        name=key,
        family="",
        api=ModelApi(
            id=key,
            url=catalogue.api if catalogue else "",
            npm=(catalogue.npm if catalogue else "") or DEFAULT_NPM,
        ),
        capabilities=Capabilities(
            temperature=False,
            reasoning=False,
            attachment=False,
            toolcall=True,
            input=text,
            output=text,
            interleaved=False,
        ),
    )


def _capabilities(entry: ModelEntry, base: Capabilities) -> Capabilities:
    modalities = entry.modalities if isinstance(entry.modalities, ModalitiesEntry) else ModalitiesEntry()
    return Capabilities(
        temperature=_or(entry.temperature, base.temperature),
        reasoning=_or(entry.reasoning, base.reasoning),
        attachment=_or(entry.attachment, base.attachment),
        toolcall=_or(entry.tool_call, base.toolcall),
        input=_modalities(modalities.input, base.input),
        output=_modalities(modalities.output, base.output),
        interleaved=_interleaved(entry.interleaved, base.interleaved),
    )


def _modalities(names: list[str] | UnsetType, base: Modalities) -> Modalities:
    if isinstance(names, UnsetType):
        return base
    return Modalities(**{kind: kind in names for kind in KINDS})


def _interleaved(value: Any, base: bool | Interleaved) -> bool | Interleaved:
    match value:
        case bool():
            return value
        case str(field) | {"field": str(field)}:
            return Interleaved(field=field)
        case _:
            return base


def _limit(entry: LimitEntry | UnsetType | None, base: ModelLimit) -> ModelLimit:
    if not isinstance(entry, LimitEntry):
        return base
    return ModelLimit(
        context=_or(entry.context, base.context),
        input=_or(entry.input, base.input),
        output=_or(entry.output, base.output),
    )


def _cost(entry: CostEntry | UnsetType | None, base: ModelCost) -> ModelCost:
    if not isinstance(entry, CostEntry):
        return base
    long = entry.context_over_200k
    return ModelCost(
        input=_or(entry.input, base.input),
        output=_or(entry.output, base.output),
        cache=_cache_cost(entry, base.cache),
        tiers=_tiers(entry) or base.tiers,
        over_200k=LongContextCost(input=_or(long.input, 0), output=_or(long.output, 0), cache=_cache_cost(long))
        if isinstance(long, CostEntry)
        else base.over_200k,
    )


def _cache_cost(entry: CostEntry, base: CacheCost | None = None) -> CacheCost:
    base = base or CacheCost()
    return CacheCost(read=_or(entry.cache_read, base.read), write=_or(entry.cache_write, base.write))


def _tiers(entry: CostEntry) -> list[CostTier]:
    return [
        CostTier(
            input=_or(tier.input, 0),
            output=_or(tier.output, 0),
            cache=_cache_cost(tier),
            tier=CostTierRule(type="context", size=tier.tier.size),
        )
        for tier in _or(entry.tiers, [])
        if tier.tier.type == "context"
    ]


def _modes(model: Model, entry: ModelEntry) -> list[Model]:
    """The models ``<id>-<mode>`` of ``experimental.modes``; none when they cannot be read."""
    if not isinstance(entry.experimental, dict):
        return []
    try:
        modes = msgspec.convert(entry.experimental, ExperimentalEntry).modes
    except msgspec.ValidationError:
        return []
    return [_mode(model, name, mode) for name, mode in modes.items()]


def _mode(model: Model, name: str, mode: ModeEntry) -> Model:
    provider = mode.provider or ModeProviderEntry()
    return replace(
        model,
        id=ModelID(f"{model.id}-{name}"),
        name=f"{model.name} {_capital(name)}",
        cost=_cost(mode.cost, ModelCost()) if mode.cost else model.cost,
        options=deep_merge(model.options, {_camel(key): value for key, value in provider.body.items()}),
        headers={**model.headers, **provider.headers},
    )


def _camel(key: str) -> str:
    """Options are spelled as the AI SDK does: ``service_tier`` is ``serviceTier``."""
    head, *rest = key.split("_")
    return head + "".join(map(_capital, rest))


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]
