"""Azure OpenAI: OpenAI's wires below an address of one's own, with the key in a header of its own."""

from collections.abc import Mapping
from typing import Any

from opencode.core.ids import ProviderID
from opencode.provider.connection import Connection, host_label
from opencode.provider.errors import ProviderAuthFailed, ProviderInitFailed
from opencode.provider.request import ModelRequest
from opencode.provider.wire.openai_chat import OpenAIChat
from opencode.provider.wire.openai_responses import OpenAIResponses

API_VERSION = "v1"


class AzureResponses(OpenAIResponses):
    """The wire ``POST /responses``."""

    def base_url(self, connection: Connection) -> str:
        return azure_url(connection)

    def path(self, connection: Connection, request: ModelRequest) -> str:
        return azure_path(connection, request, "/responses")

    def headers(self, connection: Connection, request: ModelRequest) -> Mapping[str, str]:
        return azure_key(connection)


class AzureChat(OpenAIChat):
    """The wire ``POST /chat/completions``, for deployments that have no other (``useCompletionUrls``)."""

    def base_url(self, connection: Connection) -> str:
        return azure_url(connection)

    def path(self, connection: Connection, request: ModelRequest) -> str:
        return azure_path(connection, request, "/chat/completions")

    def headers(self, connection: Connection, request: ModelRequest) -> Mapping[str, str]:
        return azure_key(connection)


def azure_wire(options: Mapping[str, Any]) -> AzureResponses | AzureChat:
    """Responses, unless the options ask for Chat Completions."""
    return AzureChat() if options.get("useCompletionUrls") else AzureResponses()


def azure_url(connection: Connection) -> str:
    """The configured address, or that of the resource. Raises ``ProviderInitFailed`` when neither is known."""
    if connection.base_url:
        return connection.base_url
    if name := connection.options.get("resourceName"):
        return f"https://{host_label(connection, 'resourceName', name)}.openai.azure.com/openai"
    raise ProviderInitFailed(
        ProviderID(connection.provider_id),
        "Azure needs the name of its resource: options.resourceName, AZURE_RESOURCE_NAME, or options.baseURL",
    )


def azure_path(connection: Connection, request: ModelRequest, path: str) -> str:
    """Below ``v1``, or below the deployment that has the model's name (``useDeploymentBasedUrls``)."""
    version = connection.options.get("apiVersion") or API_VERSION
    below = f"/deployments/{request.model.api.id}" if connection.options.get("useDeploymentBasedUrls") else "/v1"
    return f"{below}{path}?api-version={version}"


def azure_key(connection: Connection) -> Mapping[str, str]:
    """The key. Raises ``ProviderAuthFailed`` without one, unless a header of the configuration stands for it."""
    if connection.key:
        return {"api-key": connection.key.reveal()}
    if any(name.lower() in ("authorization", "api-key") for name in connection.headers):
        return {}
    raise ProviderAuthFailed(ProviderID(connection.provider_id), "No API key for this provider")
