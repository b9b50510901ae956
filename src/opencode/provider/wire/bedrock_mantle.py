"""Amazon Bedrock's newer models: the Responses wire at an address of its own, with Bedrock's bearer token."""

from collections.abc import Mapping

from opencode.core.ids import ProviderID
from opencode.provider.connection import Connection
from opencode.provider.errors import ProviderAuthFailed
from opencode.provider.request import ModelRequest
from opencode.provider.wire.bedrock import region_of
from opencode.provider.wire.openai_responses import OpenAIResponses

NO_TOKEN = (
    "This model of Amazon Bedrock takes a bearer token and no account: create a Bedrock API key and set it as"
    " AWS_BEARER_TOKEN_BEDROCK, or store it with `opencode auth login -p amazon-bedrock`"
)


class BedrockMantle(OpenAIResponses):
    """The catalogue gives the address of each model; without one it is that of the region."""

    def base_url(self, connection: Connection) -> str:
        region = region_of(connection)
        return connection.base_url or f"https://bedrock-mantle.{region}.api.aws/v1"

    def headers(self, connection: Connection, request: ModelRequest) -> Mapping[str, str]:
        """The bearer token. Raises ``ProviderAuthFailed`` without one."""
        if connection.key is None:
            raise ProviderAuthFailed(ProviderID(connection.provider_id), NO_TOKEN)
        return super().headers(connection, request)
