"""Model servers on this machine: Ollama, LM Studio, llama.cpp, vLLM on their usual loopback ports."""

from collections.abc import Mapping
from typing import Any

import anyio
import msgspec

from opencode.core.log import Logger
from opencode.provider.entry import CatalogueProvider

log = Logger("provider.local")

USUAL_SERVERS = (
    ("ollama", "Ollama (local)", "http://127.0.0.1:11434/v1"),
    ("lmstudio", "LM Studio (local)", "http://127.0.0.1:1234/v1"),
    ("llama.cpp", "llama.cpp (local)", "http://127.0.0.1:8080/v1"),
    ("vllm", "vLLM (local)", "http://127.0.0.1:8000/v1"),
)
PROBE_SECONDS = 0.5
MOST_MODELS = 200
DISABLE_VARIABLE = "OPENCODE_DISABLE_LOCAL_MODELS"
CONTEXT_TOKENS, OUTPUT_TOKENS = 32_768, 8_192
"""What is assumed of a local model: such servers do not say."""

Servers = tuple[tuple[str, str, str], ...]


class LocalServers:
    """Finds local OpenAI-compatible servers once, in the background; nobody waits for it."""

    def __init__(self, environ: Mapping[str, str], servers: Servers = USUAL_SERVERS) -> None:
        self._servers = () if environ.get(DISABLE_VARIABLE) else servers
        self._found: list[CatalogueProvider] = []

    def found(self) -> list[CatalogueProvider]:
        """The servers that have answered so far, in the order of the usual list."""
        return self._found

    async def discover(self) -> list[CatalogueProvider]:
        """Ask each usual port for its models, all at once. Takes at most half a second or so."""
        answers: dict[str, CatalogueProvider] = {}

        async def probe(server_id: str, name: str, url: str) -> None:
            models = await _models(url)
            if models:
                answers[server_id] = _provider(server_id, name, url, models)

        async with anyio.create_task_group() as tasks:
            for server in self._servers:
                tasks.start_soon(probe, *server)
        self._found = [answers[server_id] for server_id, _, _ in self._servers if server_id in answers]
        return self._found


async def _models(url: str) -> list[str]:
    """The ids that ``GET /models`` lists; empty when nobody answers as such a server does."""
    host, port = url.removeprefix("http://").partition("/")[0].split(":")
    with anyio.move_on_after(PROBE_SECONDS):
        # A refused connection is the usual case: find out before the HTTP client is imported.
        try:
            await (await anyio.connect_tcp(host, int(port))).aclose()
        except OSError:
            return []
        return await _listed(url)
    return []


async def _listed(url: str) -> list[str]:
    import httpx2  # slow to import: only where a request is made

    try:
        async with httpx2.AsyncClient(trust_env=False) as client:
            response = await client.get(f"{url}/models")
        listed: Any = msgspec.json.decode(response.content)
        return [entry["id"] for entry in listed["data"] if isinstance(entry["id"], str)][:MOST_MODELS]
    except (httpx2.HTTPError, OSError, msgspec.DecodeError, KeyError, TypeError) as error:
        log.debug("no model server there", url=url, reason=repr(error))
        return []


def _provider(server_id: str, name: str, url: str, models: list[str]) -> CatalogueProvider:
    entries = {
        model: {
            "id": model,
            "name": model,
            "tool_call": True,
            "temperature": True,
            "modalities": {"input": ["text"], "output": ["text"]},
            "limit": {"context": CONTEXT_TOKENS, "output": OUTPUT_TOKENS},
        }
        for model in models
        if "embed" not in model.lower()
    }
    return CatalogueProvider(
        id=server_id,
        name=name,
        npm="@ai-sdk/openai-compatible",
        api=url,
        models=msgspec.Raw(msgspec.json.encode(entries)),
    )
