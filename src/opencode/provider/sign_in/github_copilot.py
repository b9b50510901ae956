"""GitHub Copilot: the device flow of github.com or of an enterprise's own GitHub (spec: providers, section 11).

The client id is OpenCode's public one. Tokens do not expire; one token serves as access and refresh token.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from opencode.auth.schema import OAuth
from opencode.core.wire import UNSET
from opencode.provider.sign_in.errors import ServerRefused, ServerUnreachable, WrongInput
from opencode.provider.sign_in.method import Flow, Inputs, SignedIn, SignInContext, SignInMethod, SignInProvider
from opencode.provider.sign_in.schema import AuthPromptWhen, AuthSelectOption, AuthSelectPrompt, AuthTextPrompt

CLIENT_ID = "Ov23li8tweQw6odWQebz"
SCOPE = "read:user"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
GITHUB = "https://github.com"
DEFAULT_INTERVAL_SECONDS = 5.0
MARGIN_SECONDS = 3.0
"""Added to every pause: clocks differ, and asking too early is punished."""
SLOWER_SECONDS = 5.0
LIFETIME_SECONDS = 900.0
PATIENCE = 5
"""How many times in a row GitHub may be out of reach."""
_DOMAIN = re.compile(r"(?:https?://)?([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?)/*", re.IGNORECASE | re.ASCII)

PROMPTS = (
    AuthSelectPrompt(
        key="deploymentType",
        message="Which GitHub?",
        options=[
            AuthSelectOption(label="GitHub.com", value="github.com", hint="the public one"),
            AuthSelectOption(label="GitHub Enterprise", value="enterprise", hint="your company's"),
        ],
    ),
    AuthTextPrompt(
        key="enterpriseUrl",
        message="Address of your GitHub Enterprise",
        placeholder="company.ghe.com",
        when=AuthPromptWhen(key="deploymentType", op="eq", value="enterprise"),
    ),
)


@asynccontextmanager
async def begin(inputs: Inputs, context: SignInContext) -> AsyncIterator[Flow]:
    """Ask for a code that the user enters at GitHub."""
    domain = _domain(inputs["enterpriseUrl"]) if inputs["deploymentType"] == "enterprise" else None
    github = context.settings.url or (f"https://{domain}" if domain else GITHUB)
    asked = {"client_id": context.settings.client_id or CLIENT_ID, "scope": SCOPE}
    answer = await context.server.post(f"{github}/login/device/code", form=asked)
    url, user_code = answer.text("verification_uri"), answer.text("user_code")
    device_code, interval = answer.text("device_code"), answer.seconds("interval", DEFAULT_INTERVAL_SECONDS)
    yield Flow(
        url=url,
        instructions=f"Enter code: {user_code}",
        kind="auto",
        finish=partial(_wait, github, domain, device_code, interval, context),
        lifetime_seconds=min(answer.seconds("expires_in", LIFETIME_SECONDS), LIFETIME_SECONDS),
    )


async def _wait(
    github: str, domain: str | None, device_code: str, interval: float, context: SignInContext, _code: str
) -> SignedIn:
    """Ask again and again until the user has entered the code."""
    client_id = context.settings.client_id or CLIENT_ID
    asked = {"client_id": client_id, "device_code": device_code, "grant_type": GRANT}
    failures = 0
    while True:
        try:
            answer = await context.server.post(f"{github}/login/oauth/access_token", form=asked)
        except ServerUnreachable:
            failures += 1
            if failures == PATIENCE:
                raise
        else:
            failures = 0
            match answer.data.get("error"):
                case None:
                    token = answer.text("access_token")
                    return SignedIn(OAuth(refresh=token, access=token, expires=0, enterprise_url=domain or UNSET))
                case "authorization_pending":
                    pass
                case "slow_down":
                    interval = answer.seconds("interval", interval + SLOWER_SECONDS)
                case "access_denied":
                    raise ServerRefused("The request was turned down at GitHub")
                case "expired_token":
                    raise ServerRefused("The code was not entered in time")
                case _:
                    raise ServerRefused(answer.reason)
        await context.sleep(interval + MARGIN_SECONDS)


def _domain(address: str) -> str:
    """``company.ghe.com`` from whatever way it is written."""
    found = _DOMAIN.fullmatch(address)
    if found is None:
        raise WrongInput("enterpriseUrl", f"inputs.enterpriseUrl is no address like company.ghe.com: {address!r}")
    return found[1].lower()


PROVIDER = SignInProvider(methods=(SignInMethod("Login with GitHub Copilot", begin, PROMPTS),))
