"""How one provider is reached: base URL, credentials, headers and limits. Never sent to anyone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from opencode.auth.schema import OAuthCredential
from opencode.auth.secret import Secret
from opencode.core.ids import ProviderID
from opencode.provider.errors import ProviderAuthFailed, ProviderInitFailed

HOST_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}")
PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
DEFAULT_TIMEOUT_SECONDS = 300.0


class Account(Protocol):
    """The account a user has signed in to, where a provider takes that in place of a key."""

    @property
    def can_renew(self) -> bool:
        """Whether its tokens expire and can be had anew."""
        ...

    async def credential(self, refused: OAuthCredential | None = None) -> OAuthCredential:
        """Tokens that are good for a while; other ones than ``refused``. Raises the errors of ``errors.py``."""
        ...

    def ended(self, reason: str) -> ProviderAuthFailed:
        """The error for a sign-in that is worth nothing any more."""
        ...


@dataclass(frozen=True, slots=True)
class Connection:
    """One provider as an adapter needs it. ``None`` of a timeout: no limit. ``refusal``: why it must not be called."""

    provider_id: str
    npm: str
    base_url: str
    key: Secret | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    header_timeout_seconds: float | None = DEFAULT_TIMEOUT_SECONDS
    chunk_timeout_seconds: float | None = DEFAULT_TIMEOUT_SECONDS
    user_agent: str = "opencode-server"
    refusal: str | None = None
    account: Account | None = None


def filled_url(url: str, environ: Mapping[str, str]) -> str:
    """The URL with ``${NAME}`` replaced from the environment where it is set."""
    return PLACEHOLDER.sub(lambda match: environ.get(match[1], match[0]), url).rstrip("/")


def unfilled(url: str) -> list[str]:
    """The variables that a URL waits for still, in order, each once."""
    return list(dict.fromkeys(PLACEHOLDER.findall(url)))


def host_label(connection: "Connection", option: str, value: object) -> str:
    """A piece of a host name from the options. Raises ``ProviderInitFailed``: anything else could lead elsewhere."""
    text = str(value)
    if not HOST_LABEL.fullmatch(text):
        provider_id = ProviderID(connection.provider_id)
        raise ProviderInitFailed(provider_id, f"options.{option} must be letters, digits and hyphens: {text!r}")
    return text


def timeout_seconds(options: Mapping[str, Any], name: str) -> float | None:
    """A timeout option (milliseconds; ``false``: none) in seconds."""
    value = options.get(name)
    if value is None:
        return DEFAULT_TIMEOUT_SECONDS
    return None if value is False else float(value) / 1000
