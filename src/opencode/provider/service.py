"""The model providers of one directory: what there is, what is chosen, and the models that can be called."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from anyio import lowlevel, to_thread

from opencode.auth.secret import Secret
from opencode.auth.store import CredentialStore
from opencode.config.confinement import UNCONFINED, Confinement
from opencode.config.environment import Environment
from opencode.config.schema import Config
from opencode.core.clock import Clock, SystemClock
from opencode.core.errors import NamedError
from opencode.core.ids import ModelID, ProviderID
from opencode.core.log import Logger
from opencode.core.masking import MASK, masked
from opencode.core.paths import Paths
from opencode.core.wire import UnsetType, Wire
from opencode.provider import choice
from opencode.provider.adapters import AdapterPool, finds_credentials
from opencode.provider.catalogue import Catalogue
from opencode.provider.connection import Connection, filled_url, timeout_seconds
from opencode.provider.demo import DEMO_NPM, DEMO_PROVIDER_ID, DemoModel, demo_provider
from opencode.provider.entry import ProviderEntry, entries_of_config
from opencode.provider.errors import NoProviders, ProviderModelNotFound
from opencode.provider.local import LocalServers
from opencode.provider.provider_set import Draft, ProviderSet, ProviderSources, with_enterprise
from opencode.provider.schema import Model, ModelRef, Provider
from opencode.provider.sign_in.account import SignedInAccount
from opencode.provider.sign_in.method import SignInSettings
from opencode.provider.sign_in.registry import SIGN_INS
from opencode.provider.stream import LanguageModel
from opencode.provider.think_tags import SplitThinking, writes_think_tags

log = Logger("provider")

SLICE_SECONDS: Final = 0.002
"""How long the making of models may keep others waiting."""


class ProviderList(Wire):
    """The answer of ``provider.list``: every known provider, the best model of each, the ids of those in use."""

    all: list[Provider]
    default: dict[str, str]
    connected: list[str]


class ConfigProviders(Wire):
    """The answer of ``config.providers``: the providers in use and the best model of each."""

    providers: list[Provider]
    default: dict[str, str]


class ProviderService:
    """Reads the providers of one directory and hands out their models. Open with :func:`open_providers`.

    The set is built once, from catalogue, configuration, environment and credentials: a change of those is seen
    when the directory's instance is opened anew. Only while nothing usable is known does the set look again at
    the model servers found on this machine; when there are none either it offers the demonstration model.
    Records that leave this service have their secrets masked.
    """

    def __init__(
        self,
        *,
        config: Config,
        catalogue: Catalogue,
        credentials: CredentialStore,
        local: LocalServers,
        paths: Paths,
        environ: Mapping[str, str],
        adapters: AdapterPool,
        confinement: Confinement = UNCONFINED,
        clock: Clock | None = None,
    ) -> None:
        self._config = config
        self._confinement = confinement
        self._credentials = credentials
        self._clock = clock or SystemClock()
        self._accounts: dict[str, SignedInAccount] = {}
        self._local = local
        self._recent = paths.state / "model.json"
        self._environ = environ
        self._adapters = adapters
        self._configured = entries_of_config(config.provider)
        self._stored = credentials.all()
        enabled = config.enabled_providers
        self._sources = ProviderSources(
            catalogue=with_enterprise(catalogue.providers(), self._stored),
            models_of=catalogue.models,
            configured=self._configured,
            credentials=self._stored,
            environ=environ,
            enabled=None if isinstance(enabled, UnsetType) else enabled,
            disabled=config.disabled_providers or (),
            experimental_models=Environment(environ).flag("OPENCODE_ENABLE_EXPERIMENTAL_MODELS"),
        )
        self._set = ProviderSet(self._sources)
        self._local_seen: list[Any] = []
        self._local_set: dict[str, Draft] = {}
        self._demo = demo_provider()

    # --- what there is ---

    def providers(self) -> list[Provider]:
        """The usable providers, in the order in which they became active; never empty unless filtered away."""
        return [draft.record() for draft in self._active().values()] or self._demonstration()

    async def list_all(self) -> ProviderList:
        """Every known provider, those in use as they are used."""
        await self._make_models()
        active = self._active()
        shown = {draft.id: draft.catalogue_record() for draft in self._set.all() if draft.id not in active}
        in_use = {provider.id: provider for provider in self.providers()}
        everything = [*shown.values(), *in_use.values()]
        stored = [key for key in self._stored if key in shown]
        return ProviderList(all=everything, default=_defaults(everything), connected=[*in_use, *stored])

    async def _make_models(self) -> None:
        """Make the models of all providers. The first time there are thousands: others run in between."""
        began = time.monotonic()
        for provider in self._sources.catalogue.values():
            self._sources.models_of(provider)
            if time.monotonic() - began > SLICE_SECONDS:
                await lowlevel.checkpoint()
                began = time.monotonic()

    def config_providers(self) -> ConfigProviders:
        """The usable providers with the best model of each."""
        usable = self.providers()
        return ConfigProviders(providers=usable, default=_defaults(usable))

    # --- which one ---

    def model(self, provider_id: ProviderID, model_id: ModelID) -> Model:
        """One usable model. Raises ``ProviderModelNotFound`` with near names."""
        models = self._models(provider_id)
        if models is None:
            names = [provider.id for provider in self.providers()]
            raise ProviderModelNotFound(provider_id, model_id, choice.suggestions(provider_id, names), names)
        if model_id not in models:
            raise ProviderModelNotFound(provider_id, model_id, choice.suggestions(model_id, models), models)
        return models[model_id]

    def default_model(self) -> ModelRef:
        """The configured model, the last one used, or the best of the first provider. Raises ``NoProviders``."""
        if self._config.model:
            return choice.parse_model(self._config.model)
        for recent in self._recent_models():
            if recent.model_id in (self._models(recent.provider_id) or {}):
                return recent
        for provider in self.providers():
            best = choice.best_model(provider.models)
            if best and (not self._configured or provider.id in self._configured or provider.id == DEMO_PROVIDER_ID):
                return ModelRef(provider_id=provider.id, model_id=ModelID(best))
        raise NoProviders

    def small_model(self, provider_id: ProviderID) -> Model | None:
        """The model for titles and the like; None: take the main model."""
        if self._config.small_model:
            wanted = choice.parse_model(self._config.small_model)
            found = (self._models(wanted.provider_id) or {}).get(wanted.model_id)
            if found is None:
                log.warning("the configured small model does not exist", model=self._config.small_model)
            return found
        if provider_id.startswith("azure"):
            return None
        return choice.small_model(self._models(provider_id) or {})

    # --- how to call it ---

    def language_model(self, model: Model) -> LanguageModel:
        """The model, ready to be called; one adapter per provider and endpoint. Raises ``ProviderInitFailed``."""
        if model.api.npm == DEMO_NPM:
            return DemoModel()
        connection = self._connection(model)
        adapter = self._adapters.language_model(connection)
        raw = model.provider_id in self._local_set or writes_think_tags(connection.options, model.id)
        return SplitThinking(adapter) if raw else adapter

    async def warm(self, model: Model) -> None:
        """Load what the first call of this model needs, in a thread, so that the call does not wait for it."""
        if model.api.npm != DEMO_NPM:
            adapter = self._adapters.language_model(self._connection(model))
            await to_thread.run_sync(adapter.preload)

    async def warm_default(self) -> None:
        """The same for the model that a prompt gets by default, if there is one."""
        with suppress(NamedError):
            wanted = self.default_model()
            await self.warm(self.model(wanted.provider_id, wanted.model_id))

    def provider_options(self, provider_id: ProviderID) -> dict[str, Any]:
        """The options of a provider that decide about requests (``setCacheKey`` and the like); no secrets."""
        draft = self._active().get(provider_id)
        return masked(draft.options) if draft else {}

    # --- inside ---

    def _active(self) -> dict[str, Draft]:
        if any(not _is_keyless(draft) for draft in self._set.active.values()):
            return self._set.active
        return {**self._local_drafts(), **self._set.active}

    def _local_drafts(self) -> dict[str, Draft]:
        found = self._local.found()
        if found is not self._local_seen:
            self._local_seen = found
            self._local_set = {
                server.id: Draft(server.id, ProviderEntry(), server, self._sources)
                for server in found
                if self._sources.allows(server.id)
            }
        return self._local_set

    def _demonstration(self) -> list[Provider]:
        return [self._demo] if self._sources.allows(DEMO_PROVIDER_ID) else []

    def _models(self, provider_id: ProviderID) -> Mapping[str, Model] | None:
        draft = self._active().get(provider_id)
        if draft is not None:
            return draft.models
        return next((provider.models for provider in self.providers() if provider.id == provider_id), None)

    def _recent_models(self) -> list[ModelRef]:
        try:
            return choice.recent_models(Path(self._recent).read_bytes())
        except OSError:
            return []

    def patience_seconds(self, provider_id: ProviderID) -> tuple[float | None, float | None]:
        """How long a call waits for the beginning of an answer, and then for more of it; None: without limit."""
        draft = self._active().get(provider_id)
        return _patience_seconds(draft.options if draft else {})

    def _connection(self, model: Model) -> Connection:
        draft = self._active().get(model.provider_id)
        options = draft.options if draft else {}
        variables = draft.loaded.variables if draft else {}
        key = options.get("apiKey")
        header_seconds, chunk_seconds = _patience_seconds(options)
        account = self._account(draft)
        signs = finds_credentials(model.provider_id, model.api.npm)
        has_key = signs or account is not None or (draft is not None and draft.key is not None)
        refusal = self._confinement.refusal(model.provider_id, has_key=has_key)
        return Connection(
            provider_id=model.provider_id,
            npm=model.api.npm,
            base_url=filled_url(options.get("baseURL") or model.api.url, {**self._environ, **variables}),
            key=Secret(key) if key and key != MASK else (draft.key if draft else None),
            headers={name: str(value) for name, value in (options.get("headers") or {}).items()},
            options=options,
            header_timeout_seconds=header_seconds,
            chunk_timeout_seconds=chunk_seconds,
            refusal=refusal,
            account=account,
        )

    def _account(self, draft: Draft | None) -> SignedInAccount | None:
        """The account in whose name a provider is called; one for all its models, so that tokens are renewed once."""
        if draft is None or draft.account is None:
            return None
        if draft.id not in self._accounts:
            known = SIGN_INS.get(draft.id)
            self._accounts[draft.id] = SignedInAccount(
                ProviderID(draft.id),
                draft.account,
                self._credentials,
                known.renew if known else None,
                SignInSettings.of_options(draft.options),
                self._clock,
            )
        return self._accounts[draft.id]

    def options_of(self, provider_id: str) -> Mapping[str, Any]:
        """The configured options of a provider, secrets included: not for answers."""
        entry = self._configured.get(provider_id)
        return {} if entry is None or isinstance(entry.options, UnsetType) else entry.options

    def sign_in_refusal(self, provider_id: str) -> str | None:
        """Why nobody signs in at a provider from this directory; None when one may."""
        return self._confinement.refusal(provider_id, has_key=True)


@asynccontextmanager
async def open_providers(
    *,
    config: Config,
    catalogue: Catalogue,
    credentials: CredentialStore,
    local: LocalServers,
    paths: Paths,
    environ: Mapping[str, str],
    confinement: Confinement = UNCONFINED,
    clock: Clock | None = None,
) -> AsyncIterator[ProviderService]:
    """The providers of one directory; on exit every connection to a model is closed."""
    await catalogue.first_copy()
    async with AdapterPool() as adapters:
        yield ProviderService(
            config=config,
            catalogue=catalogue,
            credentials=credentials,
            local=local,
            paths=paths,
            environ=environ,
            adapters=adapters,
            confinement=confinement,
            clock=clock,
        )


def _patience_seconds(options: Mapping[str, Any]) -> tuple[float | None, float | None]:
    header = "headerTimeout" if "headerTimeout" in options else "timeout"
    return timeout_seconds(options, header), timeout_seconds(options, "chunkTimeout")


def _is_keyless(draft: Draft) -> bool:
    """Whether the provider is only there because it gives something away without a key."""
    return draft.source == "custom" and not draft.key and draft.account is None


def _defaults(providers: list[Provider]) -> dict[str, str]:
    best = {provider.id: choice.best_model(provider.models) for provider in providers}
    return {provider_id: model for provider_id, model in best.items() if model}
