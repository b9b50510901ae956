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
CLOUDFLARE_WORKERS_AI = SignInProvider(
    (SignInMethod(LABEL, prompts=(AuthTextPrompt(key="accountId", message="Id of your Cloudflare account"),)),)
)
