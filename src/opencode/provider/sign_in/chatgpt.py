"""ChatGPT Plus, Pro and the like: OpenAI's sign-in for Codex, in a browser or with a code to enter.

The client id is the public one of the Codex command line, which OpenCode uses as well.
Source: github.com/openai/codex, ``codex-rs/login``.
"""

import base64
import hashlib
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import urlencode

import msgspec

from opencode.auth.schema import OAuth, OAuthCredential
from opencode.core.wire import UNSET
from opencode.provider.sign_in.errors import ServerRefused, ServerUnreachable
from opencode.provider.sign_in.method import Flow, Inputs, SignedIn, SignInContext, SignInMethod, SignInProvider
from opencode.provider.sign_in.redirect import Redirect, open_redirect
from opencode.provider.sign_in.token_server import TokenAnswer

CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann"
ISSUER = "https://auth.openai.com"
SCOPE = "openid profile email offline_access"
REDIRECT_PORT = 1455
REDIRECT_PATH = "/auth/callback"
ORIGINATOR = "opencode"
LIFETIME_SECONDS = 900.0
DEFAULT_INTERVAL_SECONDS = 5.0
MARGIN_SECONDS = 3.0
DEFAULT_EXPIRY_SECONDS = 3600.0
PATIENCE = 5
"""How many times in a row the issuer may be out of reach."""
PENDING = frozenset({403, 404})
"""What is answered as long as the user has not entered the code."""
CLAIMS = "https://api.openai.com/auth"


@asynccontextmanager
async def begin_in_browser(inputs: Inputs, context: SignInContext) -> AsyncIterator[Flow]:
    """Authorization code with PKCE; the browser comes back to a port of this machine."""
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    port = context.settings.redirect_port
    async with open_redirect(REDIRECT_PORT if port is None else port, REDIRECT_PATH, state) as redirect:
        query = {
            "response_type": "code",
            "client_id": _client_id(context),
            "redirect_uri": redirect.url,
            "scope": SCOPE,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
            "id_token_add_organizations": "true",
            "codex_cli_simplified_flow": "true",
            "state": state,
            "originator": ORIGINATOR,
        }
        yield Flow(
            url=f"{_issuer(context)}/oauth/authorize?{urlencode(query)}",
            instructions="Sign in in the browser, on the machine on which this server runs.",
            kind="auto",
            finish=partial(_come_back, redirect, verifier, context),
            lifetime_seconds=LIFETIME_SECONDS,
        )


async def _come_back(redirect: Redirect, verifier: str, context: SignInContext, _code: str) -> SignedIn:
    return await _exchange(await redirect.code(), verifier, redirect.url, context)


@asynccontextmanager
async def begin_with_code(inputs: Inputs, context: SignInContext) -> AsyncIterator[Flow]:
    """Ask for a code that the user enters in a browser anywhere."""
    issuer = _issuer(context)
    asked = {"client_id": _client_id(context)}
    answer = await context.server.post(f"{issuer}/api/accounts/deviceauth/usercode", json=asked)
    if answer.status == 404:
        raise ServerRefused("OpenAI does not offer codes for this account: allow them in ChatGPT's security settings")
    device = {"device_auth_id": answer.text("device_auth_id"), "user_code": answer.text("user_code")}
    yield Flow(
        url=f"{issuer}/codex/device",
        instructions=f"Enter code: {device['user_code']}",
        kind="auto",
        finish=partial(_wait, device, answer.seconds("interval", DEFAULT_INTERVAL_SECONDS), context),
        lifetime_seconds=LIFETIME_SECONDS,
    )


async def _wait(device: Mapping[str, str], interval: float, context: SignInContext, _code: str) -> SignedIn:
    """Ask again and again until the user has entered the code."""
    issuer, failures = _issuer(context), 0
    while True:
        try:
            answer = await context.server.post(f"{issuer}/api/accounts/deviceauth/token", json=device)
        except ServerUnreachable:
            failures += 1
            if failures == PATIENCE:
                raise
        else:
            failures = 0
            if answer.status not in PENDING:
                code, verifier = answer.text("authorization_code"), answer.text("code_verifier")
                return await _exchange(code, verifier, f"{issuer}/deviceauth/callback", context)
        await context.sleep(interval + MARGIN_SECONDS)


async def _exchange(code: str, verifier: str, redirect_url: str, context: SignInContext) -> SignedIn:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_url,
        "client_id": _client_id(context),
        "code_verifier": verifier,
    }
    answer = await context.server.post(f"{_issuer(context)}/oauth/token", form=form)
    return SignedIn(_tokens(answer, answer.text("refresh_token"), context))


async def renew(credential: OAuthCredential, context: SignInContext) -> OAuth:
    """New tokens; the issuer may keep the refresh token or give another."""
    old = credential.refresh.reveal()
    form = {"grant_type": "refresh_token", "refresh_token": old, "client_id": _client_id(context)}
    answer = await context.server.post(f"{_issuer(context)}/oauth/token", form=form)
    refresh = answer.data.get("refresh_token")
    return _tokens(answer, refresh if isinstance(refresh, str) and refresh else old, context)


def _tokens(answer: TokenAnswer, refresh: str, context: SignInContext) -> OAuth:
    access = answer.text("access_token")
    lasts_ms = int(answer.seconds("expires_in", DEFAULT_EXPIRY_SECONDS) * 1000)
    account = account_id(answer.data.get("id_token")) or account_id(access)
    return OAuth(refresh=refresh, access=access, expires=context.clock.now_ms() + lasts_ms, account_id=account or UNSET)


def account_id(token: Any) -> str | None:
    """The account that a token of OpenAI names. Not verified: it came from the issuer itself."""
    try:
        payload = token.split(".")[1]
        claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        nested = claims.get(CLAIMS) or {}
        organizations = claims.get("organizations") or [{}]
        found = claims.get("chatgpt_account_id") or nested.get("chatgpt_account_id") or organizations[0].get("id")
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None
    return found if isinstance(found, str) else None


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _issuer(context: SignInContext) -> str:
    return context.settings.url or ISSUER


def _client_id(context: SignInContext) -> str:
    return context.settings.client_id or CLIENT_ID


PROVIDER = SignInProvider(
    methods=(
        SignInMethod("ChatGPT Pro/Plus (browser)", begin_in_browser),
        SignInMethod("ChatGPT Pro/Plus (headless)", begin_with_code),
        SignInMethod("Manually enter API Key"),
    ),
    renew=renew,
)
