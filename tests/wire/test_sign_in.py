"""Signing in to a provider over HTTP, until a model answers in the user's name."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio
import httpx2 as httpx
import pytest

from opencode.http.app import Application
from opencode.http.server import serving
from tests.support.oauth_server import OAuthServer, Reply, oauth_server, token_of
from tests.support.scripted_model.script import Fail, turn
from tests.support.scripted_model.server import ScriptedModel, scripted_model

CODE = {"device_code": "d", "user_code": "WXYZ-1234", "verification_uri": "https://github.com/login/device"}
DEVICE, TOKEN = "/login/device/code", "/login/oauth/access_token"
LIMIT = {"context": 100_000, "output": 8_000}
COST = {"input": 3, "output": 15}
CATALOGUE = {
    "github-copilot": {
        "id": "github-copilot",
        "name": "GitHub Copilot",
        "env": ["GITHUB_TOKEN"],
        "npm": "@ai-sdk/openai-compatible",
        "api": "https://api.githubcopilot.com",
        "models": {"gpt-4.1": {"id": "gpt-4.1", "name": "GPT-4.1", "tool_call": True, "limit": LIMIT, "cost": COST}},
    },
    "openai": {
        "id": "openai",
        "name": "OpenAI",
        "env": ["OPENAI_API_KEY"],
        "npm": "@ai-sdk/openai",
        "models": {
            name: {"id": name, "name": name, "tool_call": True, "reasoning": True, "limit": LIMIT, "cost": COST}
            for name in ("gpt-5.3-codex", "gpt-5.4", "gpt-4o", "gpt-5-nano")
        },
    },
}


@pytest.fixture
async def oauth() -> AsyncIterator[OAuthServer]:
    async with oauth_server() as server:
        server.push(DEVICE, CODE)
        yield server


@pytest.fixture
async def model() -> AsyncIterator[ScriptedModel]:
    async with scripted_model() as model:
        yield model


@pytest.fixture
def environ(tmp_path: Path, oauth: OAuthServer, model: ScriptedModel) -> dict[str, str]:
    """A user whose providers are on this machine."""
    (tmp_path / "models.json").write_text(json.dumps(CATALOGUE))
    copilot = {"options": {"baseURL": model.url, "oauth": {"url": oauth.url}}}
    openai = {"options": {"oauth": {"url": oauth.url, "apiURL": model.url, "redirectPort": 0}}}
    return {
        "HOME": str(tmp_path / "home"),
        "PATH": "/usr/bin:/bin",
        "OPENCODE_MODELS_PATH": str(tmp_path / "models.json"),
        "OPENCODE_DISABLE_LOCAL_MODELS": "1",
        "OPENCODE_CONFIG_CONTENT": json.dumps({"provider": {"github-copilot": copilot, "openai": openai}}),
    }


async def begin(client: httpx.AsyncClient, provider: str, method: int = 0, **more: Any) -> httpx.Response:
    return await client.post(f"/provider/{provider}/oauth/authorize", json={"method": method, **more})


async def finish(client: httpx.AsyncClient, provider: str, **more: Any) -> httpx.Response:
    return await client.post(f"/provider/{provider}/oauth/callback", json={"method": 0, **more})


async def provider_in_use(client: httpx.AsyncClient, name: str) -> dict[str, Any]:
    """A provider as the directory sees it once it is opened anew."""
    await client.post("/instance/dispose")
    providers = (await client.get("/config/providers")).json()["providers"]
    found: dict[str, Any] = next(provider for provider in providers if provider["id"] == name)
    return found


async def prompt(client: httpx.AsyncClient, model: str) -> dict[str, Any]:
    session = (await client.post("/session", json={})).json()["id"]
    provider_id, _, model_id = model.partition("/")
    body = {"parts": [{"type": "text", "text": "Hello"}], "model": {"providerID": provider_id, "modelID": model_id}}
    with anyio.fail_after(30):
        answer: dict[str, Any] = (await client.post(f"/session/{session}/message", json=body)).json()
    return answer


async def test_the_ways_to_sign_in_have_their_prompts(client: httpx.AsyncClient) -> None:
    """Source: operation ``provider.auth``."""
    methods = (await client.get("/provider/auth")).json()
    assert [method["type"] for method in methods["openai"]] == ["oauth", "oauth", "api"]
    (copilot,) = methods["github-copilot"]
    choice, address = copilot["prompts"]
    assert (choice["type"], choice["key"], [option["value"] for option in choice["options"]]) == (
        "select",
        "deploymentType",
        ["github.com", "enterprise"],
    )
    assert (address["type"], address["key"]) == ("text", "enterpriseUrl")
    assert address["when"] == {"key": "deploymentType", "op": "eq", "value": "enterprise"}


async def test_who_signs_in_to_copilot_can_ask_it(
    client: httpx.AsyncClient, oauth: OAuthServer, model: ScriptedModel
) -> None:
    """Source: operations ``provider.oauth.authorize``, ``provider.oauth.callback``."""
    oauth.push(TOKEN, {"access_token": "gho-canary"})
    begun = (await begin(client, "github-copilot")).json()
    assert begun == {
        "url": "https://github.com/login/device",
        "method": "auto",
        "instructions": "Enter code: WXYZ-1234",
    }
    done = await finish(client, "github-copilot")
    assert (done.status_code, done.json()) == (200, True)
    provider = await provider_in_use(client, "github-copilot")
    cost = provider["models"]["gpt-4.1"]["cost"]
    assert (cost["input"], cost["output"], provider["models"]["gpt-4.1"]["api"]["npm"]) == (
        0,
        0,
        "@ai-sdk/github-copilot",
    )
    model.push("Hello from Copilot.")
    answer = await prompt(client, "github-copilot/gpt-4.1")
    assert [part["text"] for part in answer["parts"] if part["type"] == "text"] == ["Hello from Copilot."]
    headers = model.turns[0].headers
    assert (headers["authorization"], headers["x-initiator"]) == ("Bearer gho-canary", "user")
    assert "gho-canary" not in (await client.get("/provider")).text


async def test_a_sign_in_that_github_does_not_take_any_more_is_told_as_one(
    client: httpx.AsyncClient, oauth: OAuthServer, model: ScriptedModel
) -> None:
    oauth.push(TOKEN, {"access_token": "gho-canary"})
    await begin(client, "github-copilot")
    await finish(client, "github-copilot")
    await provider_in_use(client, "github-copilot")
    model.push(turn(Fail(403)))
    error = (await prompt(client, "github-copilot/gpt-4.1"))["info"]["error"]
    assert (error["name"], error["data"]["providerID"]) == ("ProviderAuthError", "github-copilot")
    assert "Sign in again" in error["data"]["message"]


async def test_who_signs_in_to_chatgpt_has_the_models_of_the_subscription(
    client: httpx.AsyncClient, oauth: OAuthServer, model: ScriptedModel
) -> None:
    expires = {"expires_in": 1}
    oauth.push("/api/accounts/deviceauth/usercode", {"device_auth_id": "d", "user_code": "ABCD-12345"})
    oauth.push("/api/accounts/deviceauth/token", {"authorization_code": "c", "code_verifier": "v"})
    first = {"access_token": "access-1", "refresh_token": "refresh-1", "id_token": token_of("acc-1")}
    oauth.push("/oauth/token", {**first, **expires}, {"access_token": "access-2", "expires_in": 3600})
    assert "ABCD-12345" in (await begin(client, "openai", 1)).json()["instructions"]
    assert (await finish(client, "openai")).json() is True
    provider = await provider_in_use(client, "openai")
    assert (provider["source"], sorted(provider["models"])) == ("config", ["gpt-5.3-codex", "gpt-5.4"])
    model.push("Hello from ChatGPT.", "Hello from ChatGPT.")  # one may be taken for the title
    answer = await prompt(client, "openai/gpt-5.4")
    assert [part["text"] for part in answer["parts"] if part["type"] == "text"] == ["Hello from ChatGPT."]
    headers, body = model.turns[0].headers, model.turns[0].body
    assert (headers["authorization"], headers["chatgpt-account-id"]) == ("Bearer access-2", "acc-1")
    assert (body["store"], bool(body["instructions"])) == (False, True)


async def test_the_browser_flow_leads_back_to_this_machine(client: httpx.AsyncClient, oauth: OAuthServer) -> None:
    begun = (await begin(client, "openai")).json()
    assert begun["method"] == "auto"
    assert begun["url"].startswith(f"{oauth.url}/oauth/authorize?")
    assert "redirect_uri=http%3A%2F%2Flocalhost%3A" in begun["url"]


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("/provider/scripted/oauth/callback", {"method": 0, "code": "x"}, "ProviderAuthOauthMissing"),
        ("/provider/scripted/oauth/authorize", {"method": 0}, "ProviderAuthValidationFailed"),
        ("/provider/openai/oauth/authorize", {"method": 7}, "ProviderAuthValidationFailed"),
        ("/provider/openai/oauth/authorize", {"method": -1}, "ProviderAuthValidationFailed"),
        ("/provider/openai/oauth/authorize", {"method": 1e300}, "ProviderAuthValidationFailed"),
        ("/provider/openai/oauth/authorize", {"method": 10**400}, "ProviderAuthValidationFailed"),
        ("/provider/openai/oauth/authorize", {}, "BadRequest"),
        ("/provider/openai/oauth/authorize", {"method": "0"}, "BadRequest"),
        ("/provider/openai/oauth/authorize", {"method": 0, "inputs": {"x": 1}}, "BadRequest"),
        ("/provider/openai/oauth/callback", {"method": 0, "code": 5}, "BadRequest"),
    ],
)
async def test_what_cannot_be_is_400_with_its_name(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], name: str
) -> None:
    answer = await client.post(path, json=body)
    assert (answer.status_code, answer.json()["name"]) == (400, name), answer.text


async def test_a_refused_sign_in_is_told(client: httpx.AsyncClient, oauth: OAuthServer) -> None:
    oauth.push(TOKEN, {"error": "access_denied"})
    await begin(client, "github-copilot")
    answer = await finish(client, "github-copilot")
    said = answer.json()
    assert (answer.status_code, said["name"], said["data"]["providerID"]) == (
        400,
        "ProviderAuthOauthCallbackFailed",
        "github-copilot",
    )


async def test_disposing_the_directory_ends_a_sign_in(client: httpx.AsyncClient, oauth: OAuthServer) -> None:
    oauth.push(TOKEN, Reply(after=anyio.Event()))
    await begin(client, "github-copilot")
    answers: list[httpx.Response] = []

    async def wait() -> None:
        answers.append(await finish(client, "github-copilot"))

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            await oauth.came[TOKEN].wait()
            await client.post("/instance/dispose")
    assert [answer.json()["name"] for answer in answers] == ["ProviderAuthOauthCallbackFailed"]
    assert (await finish(client, "github-copilot")).json()["name"] == "ProviderAuthOauthMissing"


async def test_a_client_that_leaves_ends_the_waiting_but_not_the_sign_in(
    application: Application, oauth: OAuthServer
) -> None:
    oauth.push(TOKEN, Reply({"error": "authorization_pending"}, after=anyio.Event()), {"access_token": "gho-1"})
    with anyio.fail_after(30):
        async with serving(application) as server:
            async with httpx.AsyncClient(base_url=server.url) as leaving, anyio.create_task_group() as tasks:
                await begin(leaving, "github-copilot")
                tasks.start_soon(finish, leaving, "github-copilot")
                await oauth.came[TOKEN].wait()
                tasks.cancel_scope.cancel()
            async with httpx.AsyncClient(base_url=server.url) as back:
                assert (await finish(back, "github-copilot")).json() is True


async def test_an_enterprises_stored_sign_in_is_a_provider_of_its_own(client: httpx.AsyncClient) -> None:
    body = {"type": "oauth", "refresh": "gho", "access": "gho", "expires": 0, "enterpriseUrl": "company.ghe.com"}
    await client.put("/auth/github-copilot-enterprise", json=body)
    provider = await provider_in_use(client, "github-copilot-enterprise")
    assert provider["options"]["baseURL"] == "https://copilot-api.company.ghe.com"


async def test_an_organisations_configuration_counts_below_ones_own(
    client: httpx.AsyncClient, oauth: OAuthServer
) -> None:
    """Source: spec: configuration, section 1."""
    config = {"small_model": "openai/gpt-5.4", "username": "{env:CORP_NAME}", "provider": {"openai": {"name": "Corp"}}}
    oauth.push("/.well-known/opencode", {"config": config})
    put = await client.put(
        f"/auth/{quote(oauth.url, safe='')}", json={"type": "wellknown", "key": "CORP_NAME", "token": "ann"}
    )
    assert put.json() is True
    await client.post("/instance/dispose")
    shown = (await client.get("/config")).json()
    assert (shown["small_model"], shown["username"]) == ("openai/gpt-5.4", "ann")
    assert (shown["provider"]["openai"]["name"], "options" in shown["provider"]["openai"]) == ("Corp", True)


async def test_an_organisation_that_cannot_be_reached_is_named(client: httpx.AsyncClient, oauth: OAuthServer) -> None:
    oauth.push("/.well-known/opencode", Reply(status=500))
    await client.put(
        f"/auth/{quote(oauth.url, safe='')}", json={"type": "wellknown", "key": "CORP_NAME", "token": "ann"}
    )
    await client.post("/instance/dispose")
    answer = await client.get("/config")
    assert (answer.status_code, oauth.url in answer.json()["message"]) == (503, True)
