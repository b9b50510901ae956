"""What a way to sign in is: one small module each, listed in ``registry.py``."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import anyio

from opencode.auth.schema import ApiAuth, OAuth, OAuthCredential
from opencode.core.clock import Clock
from opencode.core.wire import UNSET
from opencode.provider.sign_in.schema import AuthPrompt, FlowKind, ProviderAuthMethod
from opencode.provider.sign_in.token_server import TokenServer

Inputs = Mapping[str, str]
"""The answers to the prompts of a method, by key."""


@dataclass(frozen=True, slots=True)
class SignInSettings:
    """What ``provider.<id>.options.oauth`` may say in place of what is built in."""

    client_id: str | None = None
    url: str | None = None
    redirect_port: int | None = None

    @classmethod
    def of_options(cls, options: Mapping[str, Any]) -> "SignInSettings":
        """The settings in the options of a provider; what has the wrong type does not count."""
        said = options.get("oauth")
        said = said if isinstance(said, dict) else {}
        client_id, url, port = said.get("clientId"), said.get("url"), said.get("redirectPort")
        return cls(
            client_id=client_id if isinstance(client_id, str) else None,
            url=url.rstrip("/") if isinstance(url, str) else None,
            redirect_port=port if isinstance(port, int) and 0 <= port < 65536 else None,
        )


@dataclass(frozen=True, slots=True)
class SignInContext:
    """What a sign-in or a renewal works with."""

    settings: SignInSettings
    server: TokenServer
    clock: Clock
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What is stored. ``provider_id``: for which provider, when not for the one that was asked for."""

    auth: ApiAuth | OAuth
    provider_id: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Flow:
    """A sign-in that has begun. ``finish`` waits until it is done; a ``code`` flow is given the user's code.

    ``finish`` raises ``ServerRefused``, ``ServerUnreachable``.
    """

    url: str
    instructions: str
    kind: FlowKind
    finish: Callable[[str], Awaitable[SignedIn]]
    lifetime_seconds: float


Begin = Callable[[Inputs, SignInContext], AbstractAsyncContextManager[Flow]]
"""Begins a sign-in; what it needs stays open until the context is left. Raises ``WrongInput`` and like ``finish``."""
Renew = Callable[[OAuthCredential, SignInContext], Awaitable[OAuth]]
"""New tokens for old. Raises ``ServerRefused`` when the user has to sign in again, ``ServerUnreachable``."""


@dataclass(frozen=True, slots=True)
class SignInMethod:
    """One way to sign in. ``begin`` None: with an API key, which clients store themselves (``auth.set``).

    ``label`` is what scripts choose it by (``opencode auth login --method``), so the official ones stay as they are.
    """

    label: str
    begin: Begin | None = None
    prompts: tuple[AuthPrompt, ...] = ()

    def record(self) -> ProviderAuthMethod:
        """The method as clients see it."""
        prompts = list(self.prompts) or UNSET
        return ProviderAuthMethod(type="oauth" if self.begin else "api", label=self.label, prompts=prompts)


@dataclass(frozen=True, slots=True)
class SignInProvider:
    """How to sign in at one provider. ``renew`` None: its tokens do not expire."""

    methods: tuple[SignInMethod, ...]
    renew: Renew | None = None
