"""Which wire serves which package, where it leads by default, and what is said of packages that have none."""

from typing import Any

import pytest

from opencode.auth.secret import Secret
from opencode.provider.adapters import AdapterPool, finds_credentials, wire_format
from opencode.provider.connection import Connection
from opencode.provider.errors import ProviderAuthFailed, ProviderInitFailed
from opencode.provider.unsupported import UNSUPPORTED
from opencode.provider.wire.cloudflare import gateway_name
from tests.support.tokens import service_account, token_server
from tests.support.wires import request_of, wire_under_test

MANTLE, CLOUDFLARE, COMPATIBLE = "@ai-sdk/amazon-bedrock/mantle", "ai-gateway-provider", "@ai-sdk/openai-compatible"
OF_THE_CATALOGUE = (
    "@ai-sdk/alibaba",
    "@ai-sdk/amazon-bedrock",
    MANTLE,
    "@ai-sdk/anthropic",
    "@ai-sdk/azure",
    "@ai-sdk/cerebras",
    "@ai-sdk/cohere",
    "@ai-sdk/deepinfra",
    "@ai-sdk/gateway",
    "@ai-sdk/github-copilot",
    "@ai-sdk/google",
    "@ai-sdk/google-vertex",
    "@ai-sdk/google-vertex/anthropic",
    "@ai-sdk/groq",
    "@ai-sdk/mistral",
    "@ai-sdk/openai",
    COMPATIBLE,
    "@ai-sdk/perplexity",
    "@ai-sdk/togetherai",
    "@ai-sdk/vercel",
    "@ai-sdk/xai",
    "@aihubmix/ai-sdk-provider",
    "@jerome-benoit/sap-ai-provider-v2",
    "@openrouter/ai-sdk-provider",
    "@qvac/ai-sdk-provider",
    "@saladtechnologies-oss/ai-sdk-provider",
    CLOUDFLARE,
    "gitlab-ai-provider",
    "merge-gateway-ai-sdk-provider",
    "venice-ai-sdk-provider",
    "watsonx-ai-provider",
)
"""Every package that models.dev named in August 2026."""


def connection(npm: str, provider_id: str = "p", base_url: str = "", **options: Any) -> Connection:
    return Connection(provider_id=provider_id, npm=npm, base_url=base_url, key=Secret("key-1"), options=options)


def address(place: Connection) -> str:
    """Where a request goes."""
    wire = wire_format(place)
    assert wire is not None
    return wire.base_url(place) + wire.path(place, request_of(place.npm))


@pytest.mark.parametrize("npm", OF_THE_CATALOGUE)
def test_a_package_of_the_catalogue_has_a_wire_or_a_way_round(npm: str) -> None:
    assert (wire_format(connection(npm)) is None) is (npm in UNSUPPORTED)


@pytest.mark.parametrize(
    ("npm", "url"),
    [
        ("@ai-sdk/openai", "https://api.openai.com/v1/responses"),
        ("@ai-sdk/anthropic", "https://api.anthropic.com/v1/messages"),
        ("@ai-sdk/gateway", "https://ai-gateway.vercel.sh/v1/chat/completions"),
        ("@openrouter/ai-sdk-provider", "https://openrouter.ai/api/v1/chat/completions"),
        ("@ai-sdk/mistral", "https://api.mistral.ai/v1/chat/completions"),
        ("@ai-sdk/groq", "https://api.groq.com/openai/v1/chat/completions"),
        ("@ai-sdk/xai", "https://api.x.ai/v1/chat/completions"),
        ("@ai-sdk/deepseek", "https://api.deepseek.com/chat/completions"),
        ("@ai-sdk/cohere", "https://api.cohere.ai/compatibility/v1/chat/completions"),
        ("@ai-sdk/cerebras", "https://api.cerebras.ai/v1/chat/completions"),
        ("@ai-sdk/togetherai", "https://api.together.xyz/v1/chat/completions"),
        ("@ai-sdk/deepinfra", "https://api.deepinfra.com/v1/openai/chat/completions"),
        ("@aihubmix/ai-sdk-provider", "https://aihubmix.com/v1/chat/completions"),
        ("@saladtechnologies-oss/ai-sdk-provider", "https://ai.salad.cloud/v1/chat/completions"),
        ("@qvac/ai-sdk-provider", "http://127.0.0.1:11434/v1/chat/completions"),
        ("@ai-sdk/github-copilot", "https://api.githubcopilot.com/chat/completions"),
        ("@ai-sdk/amazon-bedrock", "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse-stream"),
        (MANTLE, "https://bedrock-mantle.us-east-1.api.aws/v1/responses"),
    ],
)
def test_without_an_address_a_package_goes_to_its_own(npm: str, url: str) -> None:
    assert address(connection(npm)) == url


@pytest.mark.parametrize("npm", [*UNSUPPORTED, "@somebody/else"])
async def test_a_package_without_a_wire_is_refused_with_a_way_round(npm: str) -> None:
    async with AdapterPool() as pool:
        with pytest.raises(ProviderInitFailed) as failed:
            pool.language_model(connection(npm))
    assert npm in failed.value.message and '"@ai-sdk/openai-compatible"' in failed.value.message
    assert all(said in failed.value.message for said in UNSUPPORTED.get(npm, ()))


async def test_an_address_that_waits_for_variables_names_them_and_nothing_is_sent() -> None:
    async with AdapterPool() as pool:
        place = connection(COMPATIBLE, "databricks", "https://${DATABRICKS_HOST}/v1/${PLACE}/${PLACE}")
        with pytest.raises(ProviderInitFailed, match="databricks needs DATABRICKS_HOST and PLACE in the environment"):
            pool.language_model(place)


# --- Cloudflare's gateway ---


def test_the_gateway_of_an_account_is_named_in_its_address() -> None:
    place = connection(CLOUDFLARE, accountId="abc", gatewayId="my gate/way")
    assert address(place) == "https://gateway.ai.cloudflare.com/v1/abc/my%20gate%2Fway/compat/chat/completions"
    other = connection("@ai-sdk/anthropic", "cloudflare-ai-gateway", accountId="abc", gatewayId="g")
    assert address(other).startswith("https://gateway.ai.cloudflare.com/"), "the token is for nobody else"


async def test_the_gateway_gets_its_token_in_a_header_of_its_own() -> None:
    async with wire_under_test(CLOUDFLARE) as gateway:
        await gateway.ask()
        sent = gateway.server.requests[0].headers
    assert sent["cf-aig-authorization"] == "Bearer key-wire" and "authorization" not in sent


async def test_without_a_token_or_a_place_the_gateway_is_not_asked() -> None:
    async with wire_under_test(CLOUDFLARE, key=None) as gateway:
        with pytest.raises(ProviderAuthFailed, match="CLOUDFLARE_API_TOKEN"):
            await gateway.ask()
        assert gateway.server.requests == []
    async with AdapterPool() as pool:
        with pytest.raises(ProviderInitFailed, match="CLOUDFLARE_GATEWAY_ID"):
            pool.language_model(connection(CLOUDFLARE, accountId="abc"))


def test_models_behind_the_gateway_are_spelled_as_it_wants_them() -> None:
    assert gateway_name("anthropic/claude-haiku-4.5") == "anthropic/claude-haiku-4-5"
    assert gateway_name("openai/gpt-5.2") == "openai/gpt-5.2"


# --- clouds ---


async def test_newer_models_of_bedrock_take_a_bearer_token_only() -> None:
    async with wire_under_test(MANTLE) as mantle:
        await mantle.ask()
        assert mantle.server.requests[0].headers["authorization"] == "Bearer key-wire"
    async with wire_under_test(MANTLE, key=None) as mantle:
        with pytest.raises(ProviderAuthFailed, match="AWS_BEARER_TOKEN_BEDROCK"):
            await mantle.ask()
        assert mantle.server.requests == []


@pytest.mark.parametrize(
    ("npm", "provider_id", "option"),
    [(MANTLE, "amazon-bedrock", "region"), (COMPATIBLE, "google-vertex", "location")],
)
async def test_no_option_leads_the_users_credentials_to_another_host(npm: str, provider_id: str, option: str) -> None:
    async with AdapterPool() as pool:
        with pytest.raises(ProviderInitFailed, match=f"options.{option} must be"):
            pool.language_model(connection(npm, provider_id, "https://evil.example/v1", **{option: "evil.example/"}))


async def test_models_of_other_makers_on_vertex_are_asked_with_the_users_account() -> None:
    async with token_server("token-1") as issuer:
        options = {"project": "p", "googleAuthOptions": {"credentials": service_account(issuer.url)}}
        async with wire_under_test(COMPATIBLE, provider_id="google-vertex", key=None, options=options) as vertex:
            await vertex.ask()
            assert vertex.server.requests[0].headers["authorization"] == "Bearer token-1"
    assert finds_credentials("google-vertex", COMPATIBLE) and not finds_credentials("mine", COMPATIBLE)
