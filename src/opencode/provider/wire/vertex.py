"""Google Vertex AI: the wires of Gemini, Anthropic and Chat Completions, with credentials of Google Cloud."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from opencode.core.ids import ProviderID
from opencode.provider.connection import Connection, host_label
from opencode.provider.errors import ProviderInitFailed
from opencode.provider.request import ModelRequest
from opencode.provider.wire.anthropic import AnthropicMessages
from opencode.provider.wire.google import GoogleGenerateContent
from opencode.provider.wire.openai_chat import OpenAIChat

if TYPE_CHECKING:
    import httpx2

EXPRESS_URL = "https://aiplatform.googleapis.com/v1/publishers/google"
ANTHROPIC_VERSION = "vertex-2023-10-16"


class VertexGemini(GoogleGenerateContent):
    """Gemini; with an API key in express mode, else in a project."""

    def base_url(self, connection: Connection) -> str:
        return connection.base_url or (EXPRESS_URL if connection.key else publisher_url(connection, "google"))

    def headers(self, connection: Connection, request: ModelRequest) -> Mapping[str, str]:
        return {"x-goog-api-key": connection.key.reveal()} if connection.key else {}

    def auth(self, connection: Connection) -> "httpx2.Auth | None":
        return None if connection.key or signs_itself(connection) else google_cloud(connection)


class VertexAnthropic(AnthropicMessages):
    """Claude: the model stands in the path, the version in the body."""

    def base_url(self, connection: Connection) -> str:
        return connection.base_url or publisher_url(connection, "anthropic")

    def path(self, connection: Connection, request: ModelRequest) -> str:
        return f"/models/{quote(request.model.api.id, safe='@')}:streamRawPredict"

    def headers(self, connection: Connection, request: ModelRequest) -> Mapping[str, str]:
        return {}

    def body(self, request: ModelRequest) -> Mapping[str, Any]:
        body = {name: value for name, value in super().body(request).items() if name != "model"}
        return {"anthropic_version": ANTHROPIC_VERSION, **body}

    def auth(self, connection: Connection) -> "httpx2.Auth | None":
        return None if signs_itself(connection) else google_cloud(connection)


class VertexChat(OpenAIChat):
    """Models of other makers, whose address the catalogue gives: below the project, too."""

    def base_url(self, connection: Connection) -> str:
        host_label(connection, "location", connection.options.get("location") or "us-central1")
        return super().base_url(connection)

    def auth(self, connection: Connection) -> "httpx2.Auth | None":
        return None if connection.key or signs_itself(connection) else google_cloud(connection)


def publisher_url(connection: Connection, publisher: str) -> str:
    """Where a publisher's models are. Raises ``ProviderInitFailed`` when no project is named."""
    project = connection.options.get("project")
    location = host_label(connection, "location", connection.options.get("location") or "us-central1")
    if not project:
        raise ProviderInitFailed(
            ProviderID(connection.provider_id), "Vertex AI needs a project: options.project or GOOGLE_CLOUD_PROJECT"
        )
    place = f"projects/{quote(str(project), safe=':')}/locations/{location}/publishers/{publisher}"
    return f"https://{vertex_host(location)}/v1/{place}"


def vertex_host(location: str) -> str:
    """The host of a region; ``global`` has no prefix."""
    return "aiplatform.googleapis.com" if location == "global" else f"{location}-aiplatform.googleapis.com"


def signs_itself(connection: Connection) -> bool:
    """Whether the configuration brings a token of its own."""
    return any(name.lower() == "authorization" for name in connection.headers)


def google_cloud(connection: Connection) -> "httpx2.Auth":
    """Signs with the account of the machine, the user or a file. Raises ``ProviderInitFailed`` without the library."""
    try:
        from opencode.provider.wire.google_credentials import GoogleCloudAuth  # slow to import, and optional
    except ImportError as error:
        raise ProviderInitFailed(
            ProviderID(connection.provider_id),
            "Google Vertex AI needs the package google-auth: pip install 'opencode-server[vertex]'",
        ) from error
    return GoogleCloudAuth(connection)
