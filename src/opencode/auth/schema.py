"""Credentials: what clients send (``PUT /auth``), and what the server holds (spec: providers, section 3)."""

from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from opencode.auth.secret import Secret
from opencode.core.masking import MASK
from opencode.core.wire import UNSET, UnsetType, Wire


class _Masked(Wire, forbid_unknown_fields=True):
    """A body with secrets in it: it is decoded, never printed and never sent back."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({MASK})"


class ApiAuth(_Masked, tag_field="type", tag="api"):
    """An API key."""

    key: str
    metadata: dict[str, str] | UnsetType = UNSET


class OAuth(_Masked, tag_field="type", tag="oauth"):
    """Tokens of an account. ``expires``: milliseconds since the epoch; 0: never."""

    refresh: str
    access: str
    expires: Annotated[int, Meta(ge=0)]
    account_id: str | UnsetType = msgspec.field(default=UNSET, name="accountId")
    enterprise_url: str | UnsetType = UNSET


class WellKnownAuth(_Masked, tag_field="type", tag="wellknown"):
    """A token of an organisation: it goes into the environment variable ``key``."""

    key: str
    token: str


Auth = OAuth | ApiAuth | WellKnownAuth


@dataclass(frozen=True, slots=True)
class ApiCredential:
    """A stored API key. ``metadata`` is whatever the client sent with it."""

    key: Secret
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OAuthCredential:
    """Stored tokens. ``expires_ms`` 0: never. ``extra``: further fields of the entry (account, enterprise URL)."""

    refresh: Secret
    access: Secret
    expires_ms: int
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WellKnownCredential:
    """A stored token and the environment variable it stands for."""

    variable: str
    token: Secret


Credential = ApiCredential | OAuthCredential | WellKnownCredential
