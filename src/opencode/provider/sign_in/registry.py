"""The providers one can sign in to. All others take an API key and nothing else, which clients store
without asking how.

Anthropic's subscriptions are left out: Anthropic allows their sign-in in its own products only
(code.claude.com, "Legal and compliance").
"""

from collections.abc import Mapping
from types import MappingProxyType

from opencode.provider.sign_in import api_keys, chatgpt, github_copilot
from opencode.provider.sign_in.method import SignInProvider

SIGN_INS: Mapping[str, SignInProvider] = MappingProxyType(
    {
        "openai": chatgpt.PROVIDER,
        "github-copilot": github_copilot.PROVIDER,
        "azure": api_keys.AZURE,
        "cloudflare-workers-ai": api_keys.CLOUDFLARE_WORKERS_AI,
        "cloudflare-ai-gateway": api_keys.CLOUDFLARE_AI_GATEWAY,
        "snowflake-cortex": api_keys.SNOWFLAKE_CORTEX,
    }
)
