"""Azure and Vertex: known wires at other addresses, with other credentials."""

import json
from pathlib import Path
from typing import Any

import pytest

from opencode.provider.adapters import AdapterPool
from opencode.provider.connection import Connection
from opencode.provider.errors import ProviderAuthFailed, ProviderInitFailed
from opencode.provider.wire.azure import AzureChat, AzureResponses
from opencode.provider.wire.vertex import VertexAnthropic, VertexGemini, vertex_host
from tests.support.tokens import service_account, token_server
from tests.support.wires import AZURE, BEDROCK, VERTEX, VERTEX_ANTHROPIC, model_of, request_of, wire_under_test


def connection(npm: str, **options: Any) -> Connection:
    return Connection(provider_id="cloud", npm=npm, base_url="", options=options)


async def test_azure_puts_the_key_in_a_header_of_its_own() -> None:
    async with wire_under_test(AZURE, options={"resourceName": "r"}) as azure:
        await azure.ask()
        request = azure.server.requests[0]
    assert request.path == "/v1/responses"
    assert request.headers["api-key"] == "key-wire" and "authorization" not in request.headers


async def test_azure_speaks_chat_completions_where_it_is_told_to() -> None:
    async with wire_under_test(AZURE, options={"useCompletionUrls": True}) as azure:
        await azure.ask()
        assert azure.server.requests[0].path == "/v1/chat/completions"


def test_azure_addresses_follow_resource_deployment_and_version() -> None:
    place = connection(AZURE, resourceName="mine", useDeploymentBasedUrls=True, apiVersion="2026-01-01")
    request = request_of(AZURE, model=model_of(AZURE, id="my-gpt"))
    wire = AzureResponses()
    assert wire.base_url(place) == "https://mine.openai.azure.com/openai"
    assert wire.path(place, request) == "/deployments/my-gpt/responses?api-version=2026-01-01"
    plain = connection(AZURE, resourceName="mine")
    assert AzureChat().base_url(plain) == "https://mine.openai.azure.com/openai/v1"
    assert AzureChat().path(plain, request) == "/chat/completions?api-version=v1"


@pytest.mark.parametrize(
    ("url", "options", "expected"),
    [
        ("https://a.example/openai/v1", {}, "https://a.example/openai/v1/responses"),
        ("https://a.example/openai", {}, "https://a.example/openai/v1/responses"),
        ("https://gateway.example/any", {}, "https://gateway.example/any/responses"),
        (
            "https://a.example/openai/v1",
            {"apiVersion": "preview"},
            "https://a.example/openai/v1/responses?api-version=preview",
        ),
        (
            "https://a.example/openai",
            {"useDeploymentBasedUrls": True},
            "https://a.example/openai/deployments/my-gpt/responses?api-version=v1",
        ),
    ],
)
def test_an_address_of_azure_is_used_as_it_is_written(url: str, options: dict[str, Any], expected: str) -> None:
    place = Connection(provider_id="azure", npm=AZURE, base_url=url, options=options)
    wire, request = AzureResponses(), request_of(AZURE, model=model_of(AZURE, id="my-gpt"))
    assert wire.base_url(place) + wire.path(place, request) == expected


async def test_azure_without_a_resource_says_what_is_missing() -> None:
    async with AdapterPool() as pool:
        with pytest.raises(ProviderInitFailed, match="AZURE_RESOURCE_NAME"):
            pool.language_model(connection(AZURE))


async def test_azure_without_a_key_is_not_asked() -> None:
    async with wire_under_test(AZURE, key=None) as azure:
        with pytest.raises(ProviderAuthFailed):
            await azure.ask()
        assert azure.server.requests == []


def test_vertex_addresses_name_project_and_location() -> None:
    place = connection(VERTEX, project="p", location="europe-west4")
    start = "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4/publishers"
    assert VertexGemini().base_url(place) == f"{start}/google"
    assert VertexAnthropic().base_url(place) == f"{start}/anthropic"
    assert vertex_host("global") == "aiplatform.googleapis.com"


def test_a_vertex_project_may_be_its_number() -> None:
    assert "/projects/1234/" in VertexGemini().base_url(connection(VERTEX, project=1234))


@pytest.mark.parametrize(
    ("npm", "option", "value"),
    [
        (AZURE, "resourceName", "evil.example/x?"),
        (VERTEX, "location", "evil.example#"),
        (VERTEX_ANTHROPIC, "location", "a@evil.example/"),
        (BEDROCK, "region", "evil.example/"),
    ],
)
async def test_an_option_cannot_lead_to_another_host(npm: str, option: str, value: str) -> None:
    async with AdapterPool() as pool:
        with pytest.raises(ProviderInitFailed, match=f"options.{option} must be"):
            pool.language_model(connection(npm, project="p", **{option: value}))


async def test_vertex_without_a_project_says_what_is_missing() -> None:
    async with AdapterPool() as pool:
        with pytest.raises(ProviderInitFailed, match="GOOGLE_CLOUD_PROJECT"):
            pool.language_model(connection(VERTEX))


def signing(token_uri: str) -> dict[str, Any]:
    """A connection without a key, with a service account."""
    account = service_account(token_uri)
    return {"key": None, "options": {"project": "p", "googleAuthOptions": {"credentials": account}}}


@pytest.mark.parametrize("npm", [VERTEX, VERTEX_ANTHROPIC])
async def test_vertex_signs_with_a_service_account(npm: str, tmp_path: Path) -> None:
    async with token_server("token-1") as issuer:
        account = service_account(issuer.url)
        (tmp_path / "key.json").write_text(json.dumps(account))
        for options in ({"credentials": account}, {"keyFilename": str(tmp_path / "key.json")}):
            place = {"key": None, "options": {"project": "p", "googleAuthOptions": options}}
            async with wire_under_test(npm, **place) as vertex:
                await vertex.ask()
                await vertex.ask()
                first, second = vertex.server.requests
            assert first.headers["authorization"] == second.headers["authorization"] == "Bearer token-1"
        assert issuer.asked == 2, "one token for each adapter, not for each request"


async def test_vertex_without_a_token_says_why() -> None:
    async with token_server(None) as issuer:
        place = signing(issuer.url)
        async with wire_under_test(VERTEX, **place) as vertex:
            with pytest.raises(ProviderAuthFailed, match="no access token"):
                await vertex.ask()
            assert vertex.server.requests == []


async def test_claude_on_vertex_has_its_model_in_the_path_and_its_version_in_the_body() -> None:
    async with token_server("t") as issuer:
        place = signing(issuer.url)
        async with wire_under_test(VERTEX_ANTHROPIC, **place) as vertex:
            await vertex.ask(vertex.request(model=model_of(VERTEX_ANTHROPIC, id="claude-sonnet-4-5@20250929")))
            request = vertex.server.requests[0]
    assert request.path == "/v1/models/claude-sonnet-4-5@20250929:streamRawPredict"
    assert request.body["anthropic_version"] == "vertex-2023-10-16" and "model" not in request.body
