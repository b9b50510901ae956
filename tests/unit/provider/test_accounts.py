"""Providers the user has signed in to, or stored more than a key for."""

import json
from typing import Any

import pytest

from opencode.core.ids import ProviderID
from opencode.core.paths import Paths
from opencode.provider.loaders import is_of_subscription
from opencode.provider.service import ProviderService
from tests.unit.provider.conftest import ServiceMaker

COST = {"input": 3, "output": 15}
CATALOGUE = {
    "github-copilot": {
        "id": "github-copilot",
        "name": "GitHub Copilot",
        "env": ["GITHUB_TOKEN"],
        "api": "https://api.githubcopilot.com",
        "models": {"gpt-5": {"id": "gpt-5", "name": "GPT-5", "cost": COST}},
    },
    "openai": {
        "id": "openai",
        "name": "OpenAI",
        "env": ["OPENAI_API_KEY"],
        "npm": "@ai-sdk/openai",
        "models": {name: {"id": name, "name": name, "cost": COST} for name in ("gpt-5.4", "gpt-4o")},
    },
    "azure": {
        "id": "azure",
        "name": "Azure",
        "env": ["AZURE_RESOURCE_NAME", "AZURE_API_KEY"],
        "npm": "@ai-sdk/azure",
        "models": {"m": {"id": "m", "name": "M"}},
    },
    "cloudflare-workers-ai": {
        "id": "cloudflare-workers-ai",
        "name": "Cloudflare",
        "env": ["CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_KEY"],
        "api": "https://api.cloudflare.com/accounts/${CLOUDFLARE_ACCOUNT_ID}/ai/v1",
        "models": {"m": {"id": "m", "name": "M"}},
    },
}


def with_stored(paths: Paths, make: ServiceMaker, stored: dict[str, Any], **more: Any) -> ProviderService:
    paths.data.mkdir(parents=True)
    (paths.data / "auth.json").write_text(json.dumps(stored))
    return make(catalogue=CATALOGUE, **more)


def tokens(**extra: str) -> dict[str, Any]:
    return {"type": "oauth", "refresh": "r", "access": "a", "expires": 0, **extra}


def test_an_account_activates_copilot_whose_models_cost_nothing(paths: Paths, make: ServiceMaker) -> None:
    (copilot,) = with_stored(paths, make, {"github-copilot": tokens()}).providers()
    model = copilot.models["gpt-5"]
    assert (copilot.id, copilot.source, copilot.options) == (
        "github-copilot",
        "custom",
        {"baseURL": "https://api.githubcopilot.com"},
    )
    assert (model.cost.input, model.cost.output, model.api.npm) == (0, 0, "@ai-sdk/github-copilot")


def test_a_token_of_the_environment_shows_what_models_cost(paths: Paths, make: ServiceMaker) -> None:
    (copilot,) = with_stored(paths, make, {}, environ={"GITHUB_TOKEN": "t"}).providers()
    model = copilot.models["gpt-5"]
    assert (copilot.source, model.cost.input, model.api.npm) == ("env", 3, "@ai-sdk/github-copilot")


@pytest.mark.parametrize("url", ["company.ghe.com", "https://company.ghe.com/"])
def test_an_enterprises_copilot_has_an_address_of_its_own(paths: Paths, make: ServiceMaker, url: str) -> None:
    stored = {"github-copilot": tokens(), "github-copilot-enterprise": tokens(enterpriseUrl=url)}
    found = {provider.id: provider for provider in with_stored(paths, make, stored).providers()}
    assert found[ProviderID("github-copilot")].options["baseURL"] == "https://api.githubcopilot.com"
    assert found[ProviderID("github-copilot-enterprise")].options["baseURL"] == "https://copilot-api.company.ghe.com"


def test_a_subscription_offers_its_models_and_goes_before_a_key_of_the_environment(
    paths: Paths, make: ServiceMaker
) -> None:
    service = with_stored(paths, make, {"openai": tokens()}, environ={"OPENAI_API_KEY": "k"})
    (openai,) = service.providers()
    assert {key: model.cost.input for key, model in openai.models.items()} == {"gpt-5.4": 0}


def test_a_configured_key_goes_before_a_subscription(paths: Paths, make: ServiceMaker) -> None:
    config = {"provider": {"openai": {"options": {"apiKey": "k"}}}}
    (openai,) = with_stored(paths, make, {"openai": tokens()}, config=config).providers()
    assert {key: model.cost.input for key, model in openai.models.items()} == {"gpt-5.4": 3, "gpt-4o": 3}


def test_tokens_of_providers_without_sign_in_activate_nothing(paths: Paths, make: ServiceMaker) -> None:
    assert [provider.id for provider in with_stored(paths, make, {"azure": tokens()}).providers()] == ["demo"]


def test_what_is_stored_with_a_key_completes_the_address(paths: Paths, make: ServiceMaker) -> None:
    azure = {"type": "api", "key": "k", "metadata": {"resourceName": "mine"}}
    cloudflare = {"type": "api", "key": "k", "metadata": {"accountId": "acc"}}
    service = with_stored(paths, make, {"azure": azure, "cloudflare-workers-ai": cloudflare})
    first, second = service.providers()
    assert first.options == {"resourceName": "mine"}
    assert service._connection(second.models["m"]).base_url == "https://api.cloudflare.com/accounts/acc/ai/v1"


@pytest.mark.parametrize(
    ("model_id", "included"),
    [
        ("gpt-5.1-codex-mini", True),
        ("gpt-5.2", True),
        ("gpt-5.4-mini", True),
        ("gpt-6.0", True),
        ("gpt-5.1", False),
        ("gpt-5.2-pro", False),
        ("gpt-5.2-chat-latest", False),
        ("gpt-4o", False),
        ("o3", False),
    ],
)
def test_subscriptions_include_codex_and_the_newer_plain_models(model_id: str, included: bool) -> None:
    assert is_of_subscription(model_id) is included
