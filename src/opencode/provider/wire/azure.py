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
    """The configured address, or that of the resource. Raises ``ProviderInitFailed`` when neither is known.

    Below ``/openai`` Azure has ``/v1`` and the deployments, and nothing else.
    """
    url = connection.base_url
    if not url and (name := connection.options.get("resourceName")):
        url = f"https://{host_label(connection, 'resourceName', name)}.openai.azure.com/openai"
    if url:
        below_v1 = url.endswith("/openai") and not connection.options.get("useDeploymentBasedUrls")
        return f"{url}/v1" if below_v1 else url
    raise ProviderInitFailed(
        ProviderID(connection.provider_id),
        "Azure needs the name of its resource: options.resourceName, AZURE_RESOURCE_NAME, or options.baseURL",
    )


def azure_path(connection: Connection, request: ModelRequest, path: str) -> str:
    """Below the address, or below the deployment that has the model's name (``useDeploymentBasedUrls``)."""
    version = connection.options.get("apiVersion")
    if connection.options.get("useDeploymentBasedUrls"):
        return f"/deployments/{request.model.api.id}{path}?api-version={version or API_VERSION}"
    if not version and connection.base_url:
        return path
    return f"{path}?api-version={version or API_VERSION}"


def azure_key(connection: Connection) -> Mapping[str, str]:
    """The key. Raises ``ProviderAuthFailed`` without one, unless a header of the configuration stands for it."""
    if connection.key:
        return {"api-key": connection.key.reveal()}
    if any(name.lower() in ("authorization", "api-key") for name in connection.headers):
        return {}
    raise ProviderAuthFailed(ProviderID(connection.provider_id), "No API key for this provider")
