"""Which providers a directory can use, built from catalogue, configuration, environment and credentials.

Source: spec: providers, section 4. The order of the result is the order in which providers became active.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from opencode.auth.schema import ApiCredential, Credential, OAuthCredential
from opencode.auth.secret import Secret
from opencode.core.ids import ProviderID
from opencode.core.masking import MASK, masked, masked_headers, without_user
from opencode.core.wire import UNSET, UnsetType, replace
from opencode.provider.entry import CatalogueProvider, ProviderEntry
from opencode.provider.loaders import LOADERS, Known, Loaded
from opencode.provider.model_entry import configured_model
from opencode.provider.options import deep_merge
from opencode.provider.schema import Model, Provider

Source = Literal["env", "config", "custom", "api"]
KEY_VARIABLE = re.compile(r"API_?KEY|(?<!SESSION_)TOKEN(?!_FILE)|(?<!ACCESS)_KEY$|_PAT$")
"""Of several variables of one provider, those that hold what is sent as its key; others name places and accounts."""

ENTERPRISE = "github-copilot-enterprise"
NEVER_OFFERED = {"gpt-5-chat-latest"}
NEVER_OFFERED_OPENROUTER = {"openai/gpt-5-chat"}


@dataclass(frozen=True, repr=False)
class ProviderSources:
    """Everything the set is made from. Holds secrets, so it does not print."""

    catalogue: Mapping[str, CatalogueProvider]
    models_of: Callable[[CatalogueProvider], Mapping[str, Model]]
    configured: Mapping[str, ProviderEntry]
    credentials: Mapping[str, Credential]
    environ: Mapping[str, str]
    enabled: Collection[str] | None = None
    disabled: Collection[str] = ()
    experimental_models: bool = False

    def allows(self, provider_id: str) -> bool:
        """Whether the user's filters let the provider in."""
        return provider_id not in self.disabled and (self.enabled is None or provider_id in self.enabled)


@dataclass(repr=False)
class Draft:
    """One provider on its way into the set. Models are made when asked for. Holds secrets, so it does not print."""

    id: str
    entry: ProviderEntry
    catalogue: CatalogueProvider | None
    sources: ProviderSources
    source: Source = "custom"
    key: Secret | None = None
    shown_key: Secret | None = None
    options: dict[str, Any] = field(default_factory=dict)
    loaded: Loaded = field(default_factory=Loaded)

    @property
    def name(self) -> str:
        """The configured name, the catalogue's, or the id."""
        known = self.catalogue.name if self.catalogue else self.id
        return known if isinstance(self.entry.name, UnsetType) else self.entry.name

    @property
    def env(self) -> list[str]:
        """The variables that can hold the key."""
        known = self.catalogue.env if self.catalogue else []
        return known if isinstance(self.entry.env, UnsetType) else self.entry.env

    @cached_property
    def known_models(self) -> Mapping[str, Model]:
        """The catalogue's models with the configured ones over them, unfiltered."""
        known = self.sources.models_of(self.catalogue) if self.catalogue else {}
        configured = {} if isinstance(self.entry.models, UnsetType) else self.entry.models
        if not configured:
            return known
        models = dict(known)
        for key, entry in configured.items():
            models[key] = configured_model(ProviderID(self.id), key, entry, models, self.entry, self.catalogue)
        return models

    @cached_property
    def models(self) -> dict[str, Model]:
        """The models the user may use."""
        change = self.loaded.change
        return {key: change(model) for key, model in self.known_models.items() if self._offers(key, model)}

    @property
    def account(self) -> OAuthCredential | None:
        """The sign-in in whose name the provider is called; None: it is called with a key."""
        credential = self.sources.credentials.get(self.id) if self.loaded.uses_account else None
        return credential if isinstance(credential, OAuthCredential) else None

    @property
    def has_key(self) -> bool:
        """Whether a key is known from any source."""
        return self.key is not None or bool(self.options.get("apiKey"))

    def record(self) -> Provider:
        """The provider as clients see it, secrets masked."""
        return self._record(self.models)

    def catalogue_record(self) -> Provider:
        """The provider as the list of all providers shows it when it is not in use."""
        return self._record(self.known_models)

    def _record(self, models: Mapping[str, Model]) -> Provider:
        return Provider(
            id=ProviderID(self.id),
            name=self.name,
            source=self.source,
            env=self.env,
            key=MASK if self.shown_key else UNSET,
            options=masked(self.options),
            models={key: _shown(model) for key, model in models.items()},
        )

    def _offers(self, key: str, model: Model) -> bool:
        if key in NEVER_OFFERED or (self.id == "openrouter" and key in NEVER_OFFERED_OPENROUTER):
            return False
        if model.status == "deprecated" or (model.status == "alpha" and not self.sources.experimental_models):
            return False
        whitelist, blacklist = self.entry.whitelist, self.entry.blacklist
        if not isinstance(blacklist, UnsetType) and key in blacklist:
            return False
        if not isinstance(whitelist, UnsetType) and key not in whitelist:
            return False
        return self.loaded.models(model)


def _shown(model: Model) -> Model:
    """The model without secrets; most have none, and there are thousands."""
    if model.headers or model.options or "@" in model.api.url:
        api = replace(model.api, url=without_user(model.api.url))
        return replace(model, api=api, headers=masked_headers(model.headers), options=masked(model.options))
    return model


def with_enterprise(
    catalogue: Mapping[str, CatalogueProvider], credentials: Mapping[str, Credential]
) -> Mapping[str, CatalogueProvider]:
    """The catalogue, with a second Copilot for who has signed in at an enterprise's (OpenCode 1.2 keeps it apart)."""
    copilot = catalogue.get("github-copilot")
    if copilot is None or ENTERPRISE in catalogue or ENTERPRISE not in credentials:
        return catalogue
    return {**catalogue, ENTERPRISE: replace(copilot, id=ENTERPRISE, name="GitHub Copilot Enterprise", env=[])}


class ProviderSet:
    """The providers of one directory: those in use, and every known one."""

    def __init__(self, sources: ProviderSources) -> None:
        self._sources = sources
        self._drafts: dict[str, Draft] = {}
        self.active: dict[str, Draft] = {}
        for provider_id in (*sources.catalogue, *(key for key in sources.configured if key not in sources.catalogue)):
            entry = sources.configured.get(provider_id, ProviderEntry())
            options = {} if isinstance(entry.options, UnsetType) else dict(entry.options)
            self._drafts[provider_id] = Draft(
                provider_id, entry, sources.catalogue.get(provider_id), sources, options=options
            )
        self._activate()
        self.active = {key: draft for key, draft in self.active.items() if sources.allows(key) and draft.models}

    def all(self) -> list[Draft]:
        """Every known provider that the user's filters let in, in use or not."""
        return [draft for key, draft in self._drafts.items() if self._sources.allows(key)]

    def _activate(self) -> None:
        # Later signs change the source of a provider that is already in, never its place.
        for draft in self._drafts.values():
            self._from_environment(draft)
        for provider_id, credential in self._sources.credentials.items():
            self._from_credential(provider_id, credential)
        for provider_id in LOADERS:
            self._from_loader(provider_id)
        for provider_id in self._sources.configured:
            self._enter(self._drafts[provider_id], "config")

    def _enter(self, draft: Draft, source: Source) -> None:
        draft.source = source
        self.active[draft.id] = draft

    def _from_environment(self, draft: Draft) -> None:
        if not self._sources.allows(draft.id):
            return
        found = {name: value for name in draft.env if (value := self._sources.environ.get(name))}
        key = next((value for name, value in found.items() if len(draft.env) == 1 or KEY_VARIABLE.search(name)), None)
        if key is not None:
            draft.key = Secret(key)
            draft.shown_key = draft.key if len(draft.env) == 1 else None
        if found:
            self._enter(draft, "env")

    def _from_credential(self, provider_id: str, credential: Credential) -> None:
        draft = self._drafts.get(provider_id)
        if draft is not None and isinstance(credential, ApiCredential) and self._sources.allows(provider_id):
            draft.key = draft.shown_key = credential.key
            self._enter(draft, "api")

    def _from_loader(self, provider_id: str) -> None:
        draft = self._drafts.get(provider_id)
        if draft is None or not self._sources.allows(provider_id):
            return
        stored = self._sources.credentials.get(provider_id)
        known = Known(
            draft.has_key,
            lambda: draft.known_models,
            draft.options,
            self._sources.environ,
            stored if isinstance(stored, OAuthCredential) else None,
            stored.metadata if isinstance(stored, ApiCredential) else {},
        )
        loaded = LOADERS[provider_id](known)
        if loaded.activates and provider_id not in self.active:
            self._enter(draft, "custom")
        if provider_id not in self.active and provider_id not in self._sources.configured:
            return
        draft.loaded = loaded
        draft.options = deep_merge(loaded.options, draft.options)
