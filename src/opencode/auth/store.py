"""``auth.json``: the credentials file that the official server also reads and writes (spec: providers, section 3)."""

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread

from opencode.auth.errors import RenewalRefused
from opencode.auth.schema import (
    ApiCredential,
    Auth,
    Credential,
    OAuth,
    OAuthCredential,
    WellKnownCredential,
)
from opencode.auth.secret import Secret
from opencode.core.log import Logger
from opencode.core.paths import Paths
from opencode.core.whole_file import write_whole
from opencode.core.wire import encode

log = Logger("auth")

CONTENT_VARIABLE = "OPENCODE_AUTH_CONTENT"
"""JSON that stands for the file when it is read."""
RENEWAL_SECONDS = 40.0
"""How long a renewal may take. Whoever asked for it cannot stop it: the old tokens may be worth nothing by then."""

Entries = dict[str, Any]


class CredentialStore:
    """Reads and changes the user's stored credentials.

    The file is an object keyed by provider id, or by URL for ``wellknown`` entries. Entries that this version
    cannot read are left out of :meth:`all` and survive every write. The file has mode 0600 in a directory of
    mode 0700, and is replaced in one step.
    """

    def __init__(self, paths: Paths, environ: Mapping[str, str]) -> None:
        self._path = paths.data / "auth.json"
        self._content = environ.get(CONTENT_VARIABLE)
        self._writing = anyio.Lock()
        self._renewing: defaultdict[str, anyio.Lock] = defaultdict(anyio.Lock)

    def all(self) -> dict[str, Credential]:
        """Every readable credential by provider id or URL, in the order of the file."""
        raw = _parsed(self._content) if self._content else _read(self._path)
        credentials = {_normal(key): _credential(entry) for key, entry in raw.items()}
        return {key: credential for key, credential in credentials.items() if credential is not None}

    async def set(self, provider_id: str, auth: Auth) -> None:
        """Store a credential, in place of the one that is there. Raises ``FileNotStored``, as :meth:`remove`."""
        await self._put(_normal(provider_id), json.loads(encode(auth)))

    async def remove(self, provider_id: str) -> None:
        """Forget a credential. Does nothing when there is none."""

        def drop(entries: Entries) -> None:
            for key in {provider_id, _normal(provider_id), _normal(provider_id) + "/"}:
                entries.pop(key, None)

        await self._change(drop)

    async def renewed(
        self,
        provider_id: str,
        is_usable: Callable[[OAuthCredential], bool],
        renew: Callable[[OAuthCredential], Awaitable[OAuth]],
    ) -> OAuthCredential | None:
        """The stored tokens of a provider if they are usable, else new ones, which are stored first.

        One renewal at a time for each provider: who waits for it gets what came of it. None: nothing is stored any
        more. Raises what ``renew`` raises, unless another program has renewed them meanwhile.
        """
        async with self._renewing[provider_id]:
            stored = self._tokens(provider_id)
            if stored is None or is_usable(stored):
                return stored
            with anyio.fail_after(RENEWAL_SECONDS, shield=True):
                try:
                    new = await renew(stored)
                except RenewalRefused:
                    other = self._tokens(provider_id)
                    if other is None or not is_usable(other):
                        raise
                    return other
                entry = {**stored.extra, **json.loads(encode(new))}
                await self._put(provider_id, entry)
            if self._content:
                self._content = json.dumps({**_parsed(self._content), provider_id: entry})
            return self._tokens(provider_id)

    def _tokens(self, provider_id: str) -> OAuthCredential | None:
        credential = self.all().get(provider_id)
        return credential if isinstance(credential, OAuthCredential) else None

    async def _put(self, key: str, entry: Entries) -> None:
        def put(entries: Entries) -> None:
            entries.pop(key + "/", None)
            entries[key] = entry

        await self._change(put)

    async def _change(self, change: Callable[[Entries], None]) -> None:
        def rewrite() -> None:
            _keep_damaged(self._path)
            entries = _read(self._path)
            change(entries)
            _write(self._path, entries)

        async with self._writing:
            await to_thread.run_sync(rewrite)


def _normal(key: str) -> str:
    """URLs are kept without trailing slashes."""
    return key.rstrip("/")


def _parsed(text: str) -> Entries:
    try:
        entries = json.loads(text)
    except ValueError:
        log.warning("stored credentials are not JSON and are ignored")
        return {}
    return entries if isinstance(entries, dict) else {}


def _read(path: Path) -> Entries:
    try:
        return _parsed(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}


def _keep_damaged(path: Path) -> None:
    """Move a file that is no JSON object aside: a write must not destroy what somebody may still repair."""
    try:
        readable = isinstance(json.loads(path.read_text("utf-8")), dict)
    except FileNotFoundError:
        return
    except ValueError:
        readable = False
    if not readable:
        path.replace(path.with_name(path.name + ".damaged"))


def _write(path: Path, entries: Entries) -> None:
    text = json.dumps(entries, indent=2, ensure_ascii=False)
    write_whole(path, text.encode(), new_mode=0o600, keep_mode=False, directory_mode=0o700)


def _credential(entry: Any) -> Credential | None:
    """The credential of one entry; None for what this version does not know."""
    match entry:
        case {"type": "api", "key": str(key)}:
            metadata = entry.get("metadata")
            return ApiCredential(Secret(key), metadata if isinstance(metadata, dict) else {})
        case {"type": "oauth", "refresh": str(refresh), "access": str(access), "expires": int(expires)}:
            known = {"type", "refresh", "access", "expires"}
            extra = {name: value for name, value in entry.items() if name not in known}
            return OAuthCredential(Secret(refresh), Secret(access), expires, extra)
        case {"type": "wellknown", "key": str(variable), "token": str(token)}:
            return WellKnownCredential(variable, Secret(token))
        case _:
            return None
