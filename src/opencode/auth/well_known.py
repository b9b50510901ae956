"""Organisations the user has signed in to: a token in a variable, and a configuration from their server.

An entry of ``auth.json`` with type ``wellknown`` has the URL of such a server as its key; what the server says stands
at ``URL/.well-known/opencode``. Source: spec: configuration, section 1, number 1.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import anyio
import msgspec

from opencode.auth.schema import WellKnownCredential
from opencode.auth.store import CredentialStore
from opencode.config.environment import Environment
from opencode.config.remote import RemoteConfig
from opencode.config.substitute import with_environment
from opencode.core.errors import Unavailable
from opencode.core.internal_address import TurnsInside, refuse_turn_inside
from opencode.core.log import Logger
from opencode.core.masking import without_user
from opencode.core.version import SERVER_VERSION

log = Logger("auth")

PATH = "/.well-known/opencode"
FETCH_SECONDS = 10.0
LARGEST_BYTES = 1024 * 1024
REDIRECTS = 3
_VARIABLE = re.compile(r"[A-Za-z_]\w*", re.ASCII)

Json = dict[str, Any]


class OrganisationUnavailable(Unavailable):
    """The configuration of an organisation cannot be had, and it was not had before."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"{url} does not give its configuration: {reason}. Without it nothing is opened; to do without, remove"
            f" the entry {url} from auth.json (opencode calls it `wellknown`)"
        )


@dataclass(frozen=True, slots=True, repr=False)
class Organisations:
    """What all of them say. Holds tokens, so it does not print."""

    variables: Mapping[str, str]
    configs: tuple[RemoteConfig, ...]

    def added_to(self, environment: Environment) -> Environment:
        """The environment with their tokens in it."""
        return Environment({**environment.values, **self.variables}) if self.variables else environment


class WellKnown:
    """Fetches what the user's organisations say, each time a directory is opened. One per process.

    When a server is out of reach, what it said last to this process counts.
    """

    def __init__(self, store: CredentialStore, environment: Environment) -> None:
        self._store = store
        self._environment = environment
        self._last: dict[str, list[RemoteConfig]] = {}

    async def load(self) -> Organisations:
        """The tokens and configurations, in the order of ``auth.json``. Raises ``OrganisationUnavailable``."""
        stored = self._store.all().items()
        entries = {url: entry for url, entry in stored if isinstance(entry, WellKnownCredential) and _is_usable(url)}
        variables = {
            entry.variable: entry.token.reveal() for entry in entries.values() if _VARIABLE.fullmatch(entry.variable)
        }
        environment = Organisations(variables, ()).added_to(self._environment)
        configs: list[RemoteConfig] = []
        for url in entries:
            configs += await self._configs(url, environment)
        return Organisations(variables, tuple(configs))

    async def _configs(self, url: str, environment: Environment) -> list[RemoteConfig]:
        shown = without_user(url)
        try:
            with anyio.fail_after(FETCH_SECONDS):
                self._last[url] = await _fetched(url, environment)
        except (_Unusable, TurnsInside, TimeoutError) as error:
            reason = str(error) or "it does not answer"
            if url not in self._last:
                raise OrganisationUnavailable(shown, reason) from None
            log.warning("an organisation's configuration is the one of before", url=shown, reason=reason)
        return self._last[url]


class _Unusable(Exception):
    """The server says nothing of use."""


def _is_usable(url: str) -> bool:
    """Whether a key of ``auth.json`` is an address."""
    return url.startswith(("https://", "http://"))


async def _fetched(url: str, environment: Environment) -> list[RemoteConfig]:
    """What one server says, and what it points to."""
    said = await _get(url + PATH, {})
    found = []
    if isinstance(config := said.get("config"), dict):
        found.append(config)
    if isinstance(pointer := said.get("remote_config"), dict) and isinstance(pointer.get("url"), str):
        headers = pointer.get("headers")
        texts = headers if isinstance(headers, dict) else {}
        filled = {str(name): with_environment(str(value), environment) for name, value in texts.items()}
        more = await _get(with_environment(pointer["url"], environment), filled)
        found.append(more["config"] if isinstance(more.get("config"), dict) else more)
    return [RemoteConfig(without_user(url + PATH), msgspec.json.encode(config).decode()) for config in found]


async def _get(url: str, headers: Mapping[str, str]) -> Json:
    """The JSON object at an address. With headers, which may be secret, redirects are not followed."""
    import httpx2  # slow to import: only where a request is made

    try:
        async with (
            httpx2.AsyncClient(
                timeout=FETCH_SECONDS,
                follow_redirects=not headers,
                max_redirects=REDIRECTS,
                headers={"accept": "application/json", "user-agent": f"opencode-server/{SERVER_VERSION}"},
                event_hooks={"response": [refuse_turn_inside]},
            ) as client,
            client.stream("GET", url, headers=headers) as response,
        ):
            body = bytearray()
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > LARGEST_BYTES:
                    raise _Unusable("its answer is too large")
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise _Unusable(f"it cannot be reached ({type(error).__name__})") from None
    if response.status_code != 200:
        raise _Unusable(f"it answers {response.status_code}")
    if response.headers.get("content-type", "").startswith("text/html"):
        raise _Unusable("it answers with a page for people")
    try:
        return msgspec.json.decode(body, type=Json)
    except msgspec.DecodeError:
        raise _Unusable("its answer is no JSON object") from None
