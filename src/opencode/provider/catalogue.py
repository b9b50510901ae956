"""The catalogue of known providers and models: models.dev, its copy on disk, or the short built-in list."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from hashlib import sha1
from importlib import resources
from pathlib import Path

import anyio
import msgspec
from anyio import to_thread

from opencode.core.log import Logger
from opencode.core.paths import Paths
from opencode.core.whole_file import FileNotStored, write_whole
from opencode.provider.entry import CatalogueProvider
from opencode.provider.model_entry import catalogue_models
from opencode.provider.schema import Model

log = Logger("provider.catalogue")

DEFAULT_URL = "https://models.dev"
REFRESH_SECONDS = 3600.0
FETCH_SECONDS = 10.0
FRESH_SECONDS = 300.0
LARGEST_BYTES = 64 * 1024 * 1024


Providers = dict[str, CatalogueProvider]


def parse_catalogue(data: bytes) -> Providers:
    """The providers of an ``api.json``. Raises ``msgspec.DecodeError`` when it is no catalogue."""
    return msgspec.json.decode(data, type=Providers)


def builtin_catalogue() -> Providers:
    """The short list that the package brings along: facts about a few widely used models."""
    return parse_catalogue(resources.files(__package__).joinpath("catalogue.json").read_bytes())


class Catalogue:
    """What the server knows of the world's providers. Reading it never waits for the network.

    Order: the file named by ``OPENCODE_MODELS_PATH``; the copy of models.dev on disk; the built-in list.
    """

    def __init__(self, paths: Paths, environ: Mapping[str, str]) -> None:
        base = environ.get("OPENCODE_MODELS_URL") or DEFAULT_URL
        self._override = environ.get("OPENCODE_MODELS_PATH")
        self._fetches = not environ.get("OPENCODE_DISABLE_MODELS_FETCH") and not self._override
        self._url = base.rstrip("/") + "/api.json"
        self._cache = paths.cache / (
            "models.json" if base == DEFAULT_URL else f"models-{sha1(base.encode()).hexdigest()[:12]}.json"
        )
        self._providers: Providers | None = None
        self._models: dict[str, tuple[CatalogueProvider, dict[str, Model]]] = {}
        self._etag: str | None = None

    def providers(self) -> Providers:
        """Every known provider by id."""
        if self._providers is None:
            self._providers = self._load()
        return self._providers

    def models(self, provider: CatalogueProvider) -> dict[str, Model]:
        """The models of one provider, made once for all directories. Not to be changed."""
        made_from, models = self._models.get(provider.id, (None, {}))
        if made_from is not provider:
            models = catalogue_models(provider)
            self._models[provider.id] = (provider, models)
        return models

    async def refresh(self, user_agent: str) -> bool:
        """Fetch models.dev, if that is allowed and the copy is not fresh; True when the catalogue was replaced.

        Instances that are open keep the providers they were built with.
        """
        if not self._fetches or self._is_fresh():
            return False
        data = await self._fetch(user_agent)
        if data is None:
            return False
        self._providers = await to_thread.run_sync(parse_catalogue, data)
        await to_thread.run_sync(_keep, self._cache, data)
        return True

    def _load(self) -> Providers:
        path = Path(self._override) if self._override else self._cache
        try:
            return parse_catalogue(path.read_bytes())
        except OSError:
            return builtin_catalogue()
        except msgspec.DecodeError:
            log.warning("the model catalogue on disk is damaged and is not used", path=str(path))
            if not self._override:
                path.unlink(missing_ok=True)
            return builtin_catalogue()

    def _is_fresh(self) -> bool:
        try:
            age_seconds = time.time() - self._cache.stat().st_mtime
        except OSError:
            return False
        return 0 <= age_seconds < FRESH_SECONDS

    async def _fetch(self, user_agent: str) -> bytes | None:
        import httpx2  # slow to import: only where a request is made

        headers = {"user-agent": user_agent}
        if self._etag:
            headers["if-none-match"] = self._etag
        try:
            async with httpx2.AsyncClient(timeout=FETCH_SECONDS, follow_redirects=True) as client:
                response = await client.get(self._url, headers=headers)
        except (httpx2.HTTPError, OSError) as error:
            log.info("the model catalogue could not be fetched", url=self._url, reason=repr(error))
            return None
        if response.status_code != 200 or len(response.content) > LARGEST_BYTES:
            return None
        try:
            await to_thread.run_sync(parse_catalogue, response.content)
        except msgspec.DecodeError:
            log.warning("what was fetched is no model catalogue", url=self._url)
            return None
        self._etag = response.headers.get("etag")
        return response.content


@asynccontextmanager
async def open_catalogue(paths: Paths, environ: Mapping[str, str], user_agent: str) -> AsyncIterator[Catalogue]:
    """The catalogue, refreshed in the background now and every hour until the context is left."""
    catalogue = Catalogue(paths, environ)

    async def keep_fresh() -> None:
        while True:
            await catalogue.refresh(user_agent)
            await anyio.sleep(REFRESH_SECONDS)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keep_fresh)
        yield catalogue
        tasks.cancel_scope.cancel()


def _keep(path: Path, data: bytes) -> None:
    """Store the copy for the next start; a disk that refuses it is no reason to stop."""
    try:
        write_whole(path, data)
    except FileNotStored as error:
        log.warning("the model catalogue could not be kept", reason=str(error))
