"""What single providers take from the environment and the options."""

from collections.abc import Mapping
from typing import Any

import pytest

from opencode.provider.loaders import LOADERS, Known, Loaded
from opencode.provider.provider_set import KEY_VARIABLE


def loaded(provider: str, environ: Mapping[str, str], **options: Any) -> Loaded:
    return LOADERS[provider](Known(has_key=False, models=dict, options=options, environ=environ))


@pytest.mark.parametrize("variable", ["AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_BEARER_TOKEN_BEDROCK"])
def test_bedrock_is_there_as_soon_as_an_account_is(variable: str) -> None:
    assert loaded("amazon-bedrock", {variable: "x"}).activates
    assert not loaded("amazon-bedrock", {"AWS_REGION": "eu-west-1"}).activates


def test_bedrock_options_go_before_the_environment() -> None:
    environ = {"AWS_REGION": "us-west-2", "AWS_PROFILE": "work"}
    assert loaded("amazon-bedrock", environ).options == {"region": "us-west-2", "profile": "work"}
    assert loaded("amazon-bedrock", environ, region="eu-west-1").options["region"] == "eu-west-1"


def test_vertex_is_there_as_soon_as_a_project_is() -> None:
    found = loaded("google-vertex", {"GOOGLE_CLOUD_PROJECT": "p"})
    assert (found.activates, found.options) == (True, {"project": "p", "location": "us-central1"})
    assert found.variables["GOOGLE_VERTEX_ENDPOINT"] == "us-central1-aiplatform.googleapis.com"
    assert not loaded("google-vertex", {"GOOGLE_CLOUD_LOCATION": "europe-west4"}).activates
    claude = loaded("google-vertex-anthropic", {}, project="mine")
    assert (claude.activates, claude.options) == (True, {"project": "mine", "location": "global"})


def test_azure_resources_are_named_by_the_environment() -> None:
    assert loaded("azure", {"AZURE_RESOURCE_NAME": "r"}).options == {"resourceName": "r"}
    cognitive = loaded("azure-cognitive-services", {"AZURE_COGNITIVE_SERVICES_RESOURCE_NAME": "c"})
    assert cognitive.options == {"baseURL": "https://c.cognitiveservices.azure.com/openai"}
    assert loaded("azure", {}).options == {}
    assert loaded("azure", {}, resourceName="mine").variables == {"AZURE_RESOURCE_NAME": "mine"}


def test_what_is_no_piece_of_a_host_name_fills_no_address() -> None:
    assert loaded("azure", {}, resourceName="evil.example/").variables == {}
    assert loaded("amazon-bedrock", {}, region="evil.example/").variables == {}
    assert loaded("amazon-bedrock", {}).variables == {"AWS_REGION": "us-east-1"}


def test_an_endpoint_of_bedrock_is_its_address() -> None:
    assert loaded("amazon-bedrock", {}, endpoint="https://vpce.example").options["baseURL"] == "https://vpce.example"


def test_cloudflares_gateway_is_named_by_the_environment_and_may_have_a_token_of_its_own() -> None:
    environ = {"CLOUDFLARE_ACCOUNT_ID": "a", "CLOUDFLARE_GATEWAY_ID": "g", "CF_AIG_TOKEN": "t"}
    found = loaded("cloudflare-ai-gateway", environ)
    assert (found.activates, found.options) == (True, {"accountId": "a", "gatewayId": "g", "apiKey": "t"})


@pytest.mark.parametrize(
    ("variable", "is_key"),
    [
        ("AZURE_API_KEY", True),
        ("AZURE_RESOURCE_NAME", False),
        ("AWS_ACCESS_KEY_ID", False),
        ("AWS_SECRET_ACCESS_KEY", False),
        ("AWS_SESSION_TOKEN", False),
        ("AWS_BEARER_TOKEN_BEDROCK", True),
        ("AWS_REGION", False),
        ("CLOUDFLARE_ACCOUNT_ID", False),
        ("CLOUDFLARE_API_TOKEN", True),
        ("GITHUB_TOKEN", True),
        ("GOOGLE_APPLICATION_CREDENTIALS", False),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", False),
        ("DATABRICKS_TOKEN", True),
        ("SNOWFLAKE_CORTEX_PAT", True),
        ("SNOWFLAKE_ACCOUNT", False),
        ("AICORE_SERVICE_KEY", True),
    ],
)
def test_of_several_variables_only_some_hold_a_key(variable: str, is_key: bool) -> None:
    assert bool(KEY_VARIABLE.search(variable)) is is_key
