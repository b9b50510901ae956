"""A model over each wire, connected to the scripted server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from opencode.auth.secret import Secret
from opencode.core.ids import ModelID, ProviderID, SessionID
from opencode.core.wire import replace
from opencode.provider.adapters import AdapterPool
from opencode.provider.connection import Connection
from opencode.provider.request import ModelRequest, TextContent, UserTurn
from opencode.provider.schema import Capabilities, Modalities, Model, ModelApi, ModelLimit
from opencode.provider.stream import LanguageModel, StreamEvent, TextDelta
from tests.support.scripted_model.server import ScriptedModel, scripted_model

CHAT, RESPONSES, ANTHROPIC = "@ai-sdk/openai-compatible", "@ai-sdk/openai", "@ai-sdk/anthropic"
GOOGLE = "@ai-sdk/google"
BEDROCK, AZURE = "@ai-sdk/amazon-bedrock", "@ai-sdk/azure"
VERTEX, VERTEX_ANTHROPIC = "@ai-sdk/google-vertex", "@ai-sdk/google-vertex/anthropic"
WIRES = (CHAT, RESPONSES, ANTHROPIC, GOOGLE)
WIRES_OF_TEXTS = (CHAT, RESPONSES, ANTHROPIC)
"""Those that send the arguments of a call as pieces of JSON text, not as a whole object."""
MODEL_IDS = {CHAT: "some-model", RESPONSES: "gpt-5-wire", ANTHROPIC: "claude-sonnet-4-5", GOOGLE: "gemini-3-wire"}


def model_of(npm: str, **changes: Any) -> Model:
    """A capable model of provider ``wire``."""
    name = changes.pop("id", MODEL_IDS.get(npm, "m"))
    everything = Modalities(text=True, image=True, pdf=True)
    model = Model(
        id=ModelID(name),
        provider_id=ProviderID("wire"),
        name=name,
        api=ModelApi(id=name, url="", npm=npm),
        limit=ModelLimit(context=100_000, output=8_000),
        capabilities=Capabilities(
            temperature=True,
            reasoning=True,
            attachment=True,
            toolcall=True,
            input=everything,
            output=Modalities(text=True),
            interleaved=False,
        ),
    )
    return replace(model, **changes)


def request_of(npm: str, *texts: str, **changes: Any) -> ModelRequest:
    """A request with one user turn per text."""
    model = changes.pop("model", None) or model_of(npm)
    request = ModelRequest(
        model=model,
        session_id=SessionID("ses_1"),
        system=["You are a test."],
        messages=[UserTurn(content=[TextContent(text=text)]) for text in texts or ("Hello",)],
        max_output_tokens=8_000,
    )
    return replace(request, **changes)


@dataclass
class WireUnderTest:
    """One wire: its scripted server and our model."""

    npm: str
    server: ScriptedModel
    model: LanguageModel
    pool: AdapterPool = field(repr=False)

    def request(self, *texts: str, **changes: Any) -> ModelRequest:
        return request_of(self.npm, *texts, **changes)

    async def ask(self, request: ModelRequest | None = None) -> list[StreamEvent]:
        """The whole answer."""
        return await whole(self.model, request or self.request())


@asynccontextmanager
async def wire_under_test(npm: str, **connection: Any) -> AsyncIterator[WireUnderTest]:
    async with scripted_model() as server, AdapterPool() as pool:
        place = {"provider_id": "wire", "npm": npm, "base_url": server.url, "key": Secret("key-wire"), **connection}
        yield WireUnderTest(npm, server, pool.language_model(Connection(**place)), pool)


async def whole(model: LanguageModel, request: ModelRequest) -> list[StreamEvent]:
    """Every event of one answer."""
    async with model.stream(request) as events:
        return [event async for event in events]


def text_of(events: list[StreamEvent]) -> str:
    """The text of all deltas."""
    return "".join(event.text for event in events if isinstance(event, TextDelta))
