"""Which adapter serves which of the packages that OpenCode names, and the adapters in use."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from opencode.core.ids import ProviderID
from opencode.provider.connection import Connection, unfilled
from opencode.provider.errors import ProviderInitFailed
from opencode.provider.unsupported import refusal_of
from opencode.provider.wire.anthropic import AnthropicMessages
from opencode.provider.wire.azure import azure_wire
from opencode.provider.wire.bedrock import BedrockConverse
from opencode.provider.wire.bedrock_mantle import BedrockMantle
from opencode.provider.wire.chatgpt import ChatGPTResponses
from opencode.provider.wire.cloudflare import CloudflareGateway
from opencode.provider.wire.copilot import GitHubCopilot
from opencode.provider.wire.google import GoogleGenerateContent
from opencode.provider.wire.http_model import HttpModel, WireFormat
from opencode.provider.wire.openai_chat import OpenAIChat
from opencode.provider.wire.openai_responses import OpenAIResponses
from opencode.provider.wire.vertex import VertexAnthropic, VertexChat, VertexGemini

CHAT_PACKAGES: dict[str, str] = {
    "@ai-sdk/openai-compatible": "",
    "@openrouter/ai-sdk-provider": "https://openrouter.ai/api/v1",
    "@ai-sdk/xai": "https://api.x.ai/v1",
    "@ai-sdk/mistral": "https://api.mistral.ai/v1",
    "@ai-sdk/groq": "https://api.groq.com/openai/v1",
    "@ai-sdk/deepinfra": "https://api.deepinfra.com/v1/openai",
    "@ai-sdk/cerebras": "https://api.cerebras.ai/v1",
    "@ai-sdk/togetherai": "https://api.together.xyz/v1",
    "@ai-sdk/perplexity": "https://api.perplexity.ai",
    "@ai-sdk/vercel": "https://api.v0.dev/v1",
    "@ai-sdk/gateway": "https://ai-gateway.vercel.sh/v1",
    "@ai-sdk/deepseek": "https://api.deepseek.com",
    "@ai-sdk/cohere": "https://api.cohere.ai/compatibility/v1",
    "@ai-sdk/alibaba": "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
    "venice-ai-sdk-provider": "https://api.venice.ai/api/v1",
    "@aihubmix/ai-sdk-provider": "https://aihubmix.com/v1",
    "@saladtechnologies-oss/ai-sdk-provider": "https://ai.salad.cloud/v1",
    "@qvac/ai-sdk-provider": "http://127.0.0.1:11434/v1",
}
"""Packages that speak Chat Completions, with the URL each one uses when none is given."""


WIRES: dict[str, Callable[[Connection], WireFormat]] = {
    "@ai-sdk/openai": lambda connection: ChatGPTResponses() if connection.account else OpenAIResponses(),
    "@ai-sdk/github-copilot": lambda _: GitHubCopilot(),
    "@ai-sdk/anthropic": lambda _: AnthropicMessages(),
    "@ai-sdk/google": lambda _: GoogleGenerateContent(),
    "@ai-sdk/google-vertex": lambda _: VertexGemini(),
    "@ai-sdk/google-vertex/anthropic": lambda _: VertexAnthropic(),
    "@ai-sdk/amazon-bedrock": lambda _: BedrockConverse(),
    "@ai-sdk/amazon-bedrock/mantle": lambda _: BedrockMantle(),
    "@ai-sdk/azure": lambda connection: azure_wire(connection.options),
    "ai-gateway-provider": lambda _: CloudflareGateway(),
}
"""Packages that speak something else."""

WIRES_OF_PROVIDERS: dict[tuple[str, str], Callable[[], WireFormat]] = {
    ("google-vertex", "@ai-sdk/openai-compatible"): VertexChat,
    ("cloudflare-ai-gateway", "@ai-sdk/anthropic"): CloudflareGateway,
}
"""Where the package does not say it all: providers that take other credentials with it."""

SIGNING = frozenset({"@ai-sdk/google-vertex", "@ai-sdk/google-vertex/anthropic", "@ai-sdk/amazon-bedrock"})
SIGNING_PROVIDERS = frozenset({("google-vertex", "@ai-sdk/openai-compatible")})


def finds_credentials(provider_id: str, npm: str) -> bool:
    """Whether the wire finds credentials by itself, without a key."""
    return npm in SIGNING or (provider_id, npm) in SIGNING_PROVIDERS


def wire_format(connection: Connection) -> WireFormat | None:
    """The wire of a package; None when there is no adapter for it."""
    own = WIRES_OF_PROVIDERS.get((connection.provider_id, connection.npm))
    if own is not None:
        return own()
    if connection.npm in CHAT_PACKAGES:
        asks = connection.options.get("includeUsage") is not False
        return OpenAIChat(CHAT_PACKAGES[connection.npm], asks_for_usage=asks)
    make = WIRES.get(connection.npm)
    return make(connection) if make else None


class AdapterPool:
    """The adapters of one directory: one for each provider and endpoint, closed together."""

    def __init__(self) -> None:
        self._adapters: dict[tuple[str, str, str], HttpModel] = {}

    def language_model(self, connection: Connection) -> HttpModel:
        """The adapter for a connection. Raises ``ProviderInitFailed``."""
        key = (connection.provider_id, connection.npm, connection.base_url)
        if key not in self._adapters:
            self._adapters[key] = self._make(connection)
        return self._adapters[key]

    def _make(self, connection: Connection) -> HttpModel:
        provider_id = ProviderID(connection.provider_id)
        wire = wire_format(connection)
        if wire is None:
            raise ProviderInitFailed(provider_id, refusal_of(connection.npm))
        if missing := unfilled(connection.base_url):
            raise ProviderInitFailed(
                provider_id,
                f"The address of provider {provider_id} needs {' and '.join(missing)} in the environment,"
                " or options.baseURL as a whole",
            )
        return HttpModel(connection, wire)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for adapter in self._adapters.values():
            await adapter.aclose()
        self._adapters.clear()
