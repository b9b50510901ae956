"""Providers whose API key is of use only with something beside it, which is stored as its ``metadata``."""

from opencode.provider.sign_in.method import SignInMethod, SignInProvider
from opencode.provider.sign_in.schema import AuthTextPrompt

LABEL = "API key"

AZURE = SignInProvider(
    (
        SignInMethod(
            LABEL,
            prompts=(
                AuthTextPrompt(key="resourceName", message="Name of your Azure resource", placeholder="my-models"),
            ),
        ),
    )
)
CLOUDFLARE_ACCOUNT = AuthTextPrompt(key="accountId", message="Id of your Cloudflare account")
CLOUDFLARE_WORKERS_AI = SignInProvider((SignInMethod(LABEL, prompts=(CLOUDFLARE_ACCOUNT,)),))
CLOUDFLARE_AI_GATEWAY = SignInProvider(
    (
        SignInMethod(
            LABEL,
            prompts=(
                CLOUDFLARE_ACCOUNT,
                AuthTextPrompt(key="gatewayId", message="Id of the gateway", placeholder="default"),
            ),
        ),
    )
)
SNOWFLAKE_CORTEX = SignInProvider(
    (
        SignInMethod(
            LABEL,
            prompts=(
                AuthTextPrompt(key="account", message="Your Snowflake account", placeholder="organisation-account"),
            ),
        ),
    )
)
