"""Cloudflare's AI Gateway: Chat Completions for the models of many providers, with one token of Cloudflare's."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from opencode.core.ids import ProviderID
from opencode.provider.connection import Connection
from opencode.provider.errors import ProviderAuthFailed, ProviderInitFailed
from opencode.provider.request import ModelRequest
from opencode.provider.wire.openai_chat import OpenAIChat

GATEWAY_URL = "https://gateway.ai.cloudflare.com/v1"
TOKEN_HEADER = "cf-aig-authorization"
NO_TOKEN = "No token of the gateway: set CLOUDFLARE_API_TOKEN or CF_AIG_TOKEN"
NO_PLACE = (
    "Cloudflare's AI Gateway needs an account and a gateway: CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_GATEWAY_ID,"
    " or options.accountId and options.gatewayId"
)


class CloudflareGateway(OpenAIChat):
    """The keys of the providers behind it are kept by the gateway, which is named in the address."""

    def base_url(self, connection: Connection) -> str:
        account, gateway = connection.options.get("accountId"), connection.options.get("gatewayId")
        if connection.base_url:
            return connection.base_url
        if not account or not gateway:
            raise ProviderInitFailed(ProviderID(connection.provider_id), NO_PLACE)
        return f"{GATEWAY_URL}/{quote(str(account), safe='')}/{quote(str(gateway), safe='')}/compat"

    def headers(self, connection: Connection, request: ModelRequest) -> Mapping[str, str]:
        """The gateway's token, in a header of its own. Raises ``ProviderAuthFailed`` without one."""
        if connection.key:
            return {TOKEN_HEADER: f"Bearer {connection.key.reveal()}"}
        if any(name.lower() in (TOKEN_HEADER, "authorization") for name in connection.headers):
            return {}
        raise ProviderAuthFailed(ProviderID(connection.provider_id), NO_TOKEN)

    def body(self, request: ModelRequest) -> Mapping[str, Any]:
        return {**super().body(request), "model": gateway_name(request.model.api.id)}


def gateway_name(model_id: str) -> str:
    """The catalogue writes ``anthropic/claude-haiku-4.5``; behind the gateway Anthropic's own spelling is wanted."""
    return model_id.replace(".", "-") if model_id.startswith("anthropic/") else model_id
