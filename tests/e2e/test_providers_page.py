"""``docs/providers.md``, tried as a new user does: every block and row as it stands, offline, with the real program.

The one thing that is changed is where the provider is: its address leads to a server that stands in for it.
"""

import json
import re
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import httpx2 as httpx
import pytest

from opencode.config.environment import Environment
from opencode.core.paths import Paths
from opencode.http.app import Application
from opencode.http.operations import OPERATIONS
from opencode.http.table import OperationTable
from opencode.instance.assembly import open_shared
from opencode.provider.provider_set import KEY_VARIABLE
from tests.support.oauth_server import OAuthServer, oauth_server, token_of
from tests.support.scripted_model.server import RecordedRequest, ScriptedModel, scripted_model
from tests.support.server_process import OPENCODE, Home, server_process
from tests.support.tokens import service_account, token_server

Json = dict[str, Any]

PAGE = (Path(__file__).parents[2] / "docs/providers.md").read_text()
PART = PAGE.partition("\n## Connecting, in a few lines\n")[2].partition("\n## ")[0]
FENCE = re.compile(r"^```(sh|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^### (.*)$", re.MULTILINE)
ROW = re.compile(r"^\| ([^|]+) \| `([A-Z_]+)` \| `([^`/]+)/([^`]+)` \|$", re.MULTILINE)
VARIABLE = re.compile(r"\{env:(\w+)\}")
EXPORTED = re.compile(r"(\w+)=(\S+)")
CHOSEN = re.compile(r"opencode run -m ([^/\s]+)/")

ANSWER = "Hello from the provider."
CLOUD_TOKEN = "token-of-the-cloud"
DEVICE = {"device_code": "d", "user_code": "WXYZ-1234", "verification_uri": "https://github.com/login/device"}
ANSWERS = ("/provider", "/config/providers", "/config", "/global/config", "/session")
ROUND_TRIP_SECONDS = 1.0
"""A slow network: the first directory is opened sooner."""
CHAT = "/chat/completions"
WIRES = {
    "amazon-bedrock": "/converse-stream",
    "anthropic": "/messages",
    "azure": "/responses",
    "corp": "/responses",
    "google": ":streamGenerateContent",
    "google-vertex": ":streamGenerateContent",
    "google-vertex-anthropic": ":streamRawPredict",
    "openai": "/responses",
}
"""What the provider is asked at the end; Chat Completions where nothing is said."""


def blocks(language: str) -> list[Any]:
    """The blocks of one language, each named by the heading it stands below."""
    return [
        pytest.param(found[2], id=f"{number}: {HEADING.findall(PART[: found.start()])[-1]}")
        for number, found in enumerate(FENCE.finditer(PART))
        if found[1] == language
    ]


@pytest.fixture
async def model() -> AsyncIterator[ScriptedModel]:
    """What stands in for the provider; not configured anywhere."""
    async with scripted_model() as model:
        model.push(ANSWER, ANSWER)  # some ask for a title, too, in ways that this server does not know
        yield model


@pytest.fixture
async def oauth() -> AsyncIterator[OAuthServer]:
    """Who gives out tokens to those who sign in."""
    async with oauth_server() as server:
        yield server


@pytest.fixture
def person(home: Home, project: Path) -> Home:
    """Somebody with a key in ``key.txt``."""
    home.root.mkdir()
    (project / "key.txt").write_text("key-in-a-file\n")
    home.variables |= {
        "PATH": f"{Path(OPENCODE).parent}:/usr/bin:/bin",
        "OPENCODE_DISABLE_LOCAL_MODELS": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return home


@asynccontextmanager
async def key_of_the_cloud(text: str, *directories: Path) -> AsyncIterator[None]:
    """The ``key.json`` that a block may speak of, and who gives out tokens for it."""
    if "key.json" not in text:
        yield
        return
    async with token_server(CLOUD_TOKEN) as issuer:
        for directory in directories:
            (directory / "key.json").write_text(json.dumps(service_account(issuer.url)))
        yield


def stands_in(*providers: str, url: str, oauth_url: str = "") -> str:
    """The configuration that leads these providers to this machine, and says nothing else."""
    options: Json = {"baseURL": url}
    if oauth_url:
        options |= {"oauth": {"url": oauth_url, "apiURL": url}}
    return json.dumps({"provider": {provider: {"options": options} for provider in providers}})


async def typed(person: Home, directory: Path, script: str) -> str:
    """What the shell shows for these lines; none of them fails."""
    with anyio.fail_after(60):
        done = await anyio.run_process(
            ["sh", "-euc", script],
            cwd=directory,
            env=person.environment,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def assert_was_asked(request: RecordedRequest, provider: str, given: Mapping[str, str], text: str = "") -> None:
    """The provider was asked over its wire, with the credentials of the page."""
    wire = CHAT if "useCompletionUrls" in text else WIRES.get(provider, CHAT)
    assert request.path.partition("?")[0].endswith(wire)
    sent = " ".join(request.headers.values())
    for name, value in given.items():
        if KEY_VARIABLE.search(name):
            assert value in sent, f"{name} is not what the provider got"
    if provider.startswith("google-vertex"):
        assert request.headers["authorization"] == f"Bearer {CLOUD_TOKEN}"
    if "AWS_ACCESS_KEY_ID" in given:
        assert f"Credential={given['AWS_ACCESS_KEY_ID']}/" in sent and given["AWS_SECRET_ACCESS_KEY"] not in sent


@pytest.mark.parametrize("script", blocks("sh"))
async def test_what_is_typed_brings_an_answer(
    person: Home, project: Path, model: ScriptedModel, oauth: OAuthServer, script: str
) -> None:
    oauth.push("/login/device/code", DEVICE)
    oauth.push("/login/oauth/access_token", {"access_token": "token-of-an-account"})
    oauth.push("/api/accounts/deviceauth/usercode", {"device_auth_id": "d", "user_code": "WXYZ", "interval": "0"})
    oauth.push("/api/accounts/deviceauth/token", {"authorization_code": "c", "code_verifier": "v"})
    tokens = {
        "access_token": "token-of-an-account",
        "refresh_token": "r",
        "id_token": token_of("acc"),
        "expires_in": 3600,
    }
    oauth.push("/oauth/token", tokens)
    if chosen := CHOSEN.search(script):
        account = oauth.url if ' -m "' in script.partition("opencode run")[0] else ""
        person.variables["OPENCODE_CONFIG_CONTENT"] = stands_in(chosen[1], url=model.url, oauth_url=account)
        async with key_of_the_cloud(script, project):
            assert ANSWER in await typed(person, project, script)
        assert_was_asked(model.turns[-1], chosen[1], dict(EXPORTED.findall(script.partition("opencode")[0])))
        if account:
            assert model.turns[-1].headers["authorization"] == "Bearer token-of-an-account"
        if "key.txt" in script:
            assert model.turns[-1].headers["authorization"] == "Bearer key-in-a-file"
    else:
        assert "app.py" in await typed(person, project, script), "the demonstration model lists the project"


@asynccontextmanager
async def served(person: Home, project: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The whole server, without a process of its own: there are many blocks."""
    environ = person.environment
    async with open_shared(Environment(environ), Paths.from_environ(environ)) as shared:
        application = Application(
            OperationTable(OPERATIONS),
            shared.registry,
            working_directory=str(project),
            directory_of_session=shared.directory_of_session,
            shared=shared,
        )
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client:
            yield client


async def prompted(client: httpx.AsyncClient, **fields: Any) -> str:
    """What the model says."""
    session = (await client.post("/session", json={"title": "Test"})).json()["id"]
    body = {"parts": [{"type": "text", "text": "Hello"}], **fields}
    answer = (await client.post(f"/session/{session}/message", json=body)).json()
    return " ".join(part["text"] for part in answer["parts"] if part["type"] == "text") or str(answer["info"])


@pytest.mark.parametrize("text", blocks("json"))
async def test_what_is_configured_brings_an_answer(
    person: Home, project: Path, model: ScriptedModel, text: str
) -> None:
    provider = json.loads(text)["model"].partition("/")[0]
    given = {name: f"value-of-{name}" for name in VARIABLE.findall(text) if name != "HOME"}
    person.variables |= given | {"OPENCODE_CONFIG_CONTENT": stands_in(provider, url=model.url)}
    own = person.root / ".config/opencode/opencode.json"
    own.parent.mkdir(parents=True)
    own.write_text(text)
    async with key_of_the_cloud(text, person.root), served(person, project) as client:
        assert await prompted(client) == ANSWER
        shown = "".join([(await client.get(path)).text for path in ANSWERS])
    assert_was_asked(model.turns[-1], provider, given, text)
    assert provider in shown and not [value for value in given.values() if value in shown], "no answer shows a secret"


async def test_each_variable_of_the_table_is_enough(person: Home, project: Path, model: ScriptedModel) -> None:
    """All rows with one server, as each would be alone: the variable, and the model in the request."""
    rows = ROW.findall(PART)
    assert len(rows) > 10
    model.push(*[ANSWER] * len(rows))
    person.variables |= {variable: f"value-of-{variable}" for _, variable, _, _ in rows}
    person.variables["OPENCODE_CONFIG_CONTENT"] = stands_in(*(row[2] for row in rows), url=model.url)
    async with (
        server_process(person, project) as server,
        httpx.AsyncClient(base_url=server.url, timeout=60) as client,
    ):
        for _, variable, provider, model_id in rows:
            assert await prompted(client, model={"providerID": provider, "modelID": model_id}) == ANSWER
            assert_was_asked(model.turns[-1], provider, {variable: f"value-of-{variable}"})
    assert len(model.turns) == len(rows)


def test_the_page_has_a_block_for_each_kind() -> None:
    assert len(blocks("sh")) >= 9 and len(blocks("json")) >= 12


@asynccontextmanager
async def online(person: Home, model: ScriptedModel) -> AsyncIterator[None]:
    """A network in which models.dev knows one provider, which the package's own list does not have."""
    limit = {"context": 10_000, "output": 1_000}
    entry = {"id": "acme", "name": "Acme Inc", "env": ["ACME_KEY"], "npm": "@ai-sdk/openai-compatible"}
    models = {"new": {"id": "new", "name": "New", "limit": limit}}
    document = json.dumps({"acme": {**entry, "api": model.url, "models": models}}).encode()

    async def answer(client: anyio.abc.SocketStream) -> None:
        async with client:
            await client.receive(65536)
            await anyio.sleep(ROUND_TRIP_SECONDS)
            head = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(document)
            await client.send(head + document)

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, answer)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        person.variables |= {"OPENCODE_MODELS_URL": f"http://127.0.0.1:{port}", "OPENCODE_DISABLE_MODELS_FETCH": "0"}
        yield
        tasks.cancel_scope.cancel()


async def test_the_first_prompt_of_a_new_installation_knows_all_of_models_dev(
    person: Home, project: Path, model: ScriptedModel
) -> None:
    person.variables["ACME_KEY"] = "k"
    async with online(person, model):
        assert ANSWER in await typed(person, project, 'opencode run -m acme/new "Hello"')


async def test_the_first_login_of_a_new_installation_knows_all_names(
    person: Home, project: Path, model: ScriptedModel
) -> None:
    async with online(person, model):
        await typed(person, project, 'opencode auth login -p "acme inc" < key.txt')
    assert list(json.loads((person.data / "auth.json").read_text())) == ["acme"]
