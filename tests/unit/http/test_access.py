"""Who may ask, from which page, under which name: CORS, credentials, Host and Origin."""

import base64

import httpx2 as httpx
import pytest

from opencode.http.app import Application
from opencode.http.auth import Gate
from opencode.http.cors import CorsPolicy
from opencode.http.origin import OriginGuard
from opencode.http.table import OperationTable

CORS = CorsPolicy(["https://allowed.example"])


def client_of(table: OperationTable, registry: object, gate: Gate | None = None) -> httpx.AsyncClient:
    application = Application(
        table,
        registry,  # type: ignore[arg-type]
        working_directory="/cwd",
        cors=CORS,
        gate=gate,
        guard=OriginGuard(CORS, hosts=["opencode.local"]),
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=application), base_url="http://127.0.0.1:4096")


def basic(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:3000", True),
        ("http://127.0.0.1:5173", True),
        ("https://localhost:3000", False),
        ("tauri://localhost", True),
        ("http://tauri.localhost", True),
        ("https://tauri.localhost", True),
        ("oc://renderer", True),
        ("https://opencode.ai", True),
        ("https://app.opencode.ai", True),
        ("https://opencode.ai.evil.example", False),
        ("https://evilopencode.ai", False),
        ("https://evil.example", False),
        ("https://allowed.example", True),
        ("null", False),
        ("vscode-webview://abc", False),
        ("http://localhost.evil.example", False),
    ],
)
async def test_pages_of_allowed_origins_may_read(
    table: OperationTable, registry: object, origin: str, allowed: bool
) -> None:
    """Source: golden trace ``cors``."""
    async with client_of(table, registry) as client:
        answer = await client.get("/note", headers={"origin": origin})
        preflight = await client.options(
            "/note", headers={"origin": origin, "access-control-request-headers": "content-type,x-opencode-directory"}
        )
    echoed = origin if allowed else None
    assert answer.status_code == 200
    assert answer.headers.get("access-control-allow-origin") == echoed
    assert answer.headers["vary"] == "Origin"
    assert preflight.status_code == 204
    assert preflight.headers.get("access-control-allow-origin") == echoed
    assert preflight.headers["access-control-allow-methods"] == "GET, HEAD, PUT, PATCH, POST, DELETE"
    assert preflight.headers["access-control-allow-headers"] == "content-type,x-opencode-directory"
    assert preflight.headers["access-control-max-age"] == "86400"
    assert preflight.headers["vary"] == "Access-Control-Request-Headers, Origin"


def test_pages_of_configured_origins_use_the_configured_methods_and_headers_and_those_they_need() -> None:
    policy = CorsPolicy(["https://allowed.example"], methods=["get", "POST"], headers=["X-Team"])
    asked = "content-type, x-team, x-other"
    listed, local = (
        dict(policy.preflight(page, asked).headers) for page in ("https://allowed.example", "oc://renderer")
    )
    assert listed[b"access-control-allow-methods"] == b"GET, POST"
    assert listed[b"access-control-allow-headers"] == b"content-type,x-team"
    assert local[b"access-control-allow-methods"] == b"GET, HEAD, PUT, PATCH, POST, DELETE"
    assert local[b"access-control-allow-headers"] == asked.encode()


async def test_foreign_pages_may_not_change_anything(table: OperationTable, registry: object) -> None:
    async with client_of(table, registry) as client:
        refused = await client.post("/note", json={"text": "x"}, headers={"origin": "https://evil.example"})
        own = await client.post("/note", json={"text": "x"}, headers={"origin": "http://127.0.0.1:4096"})
        without = await client.post("/note", json={"text": "x"})
    assert [answer.status_code for answer in (refused, own, without)] == [403, 200, 200]
    assert refused.json()["name"] == "ForbiddenError"


@pytest.mark.parametrize("origin", ["http://[", "", "null", "http://", "//127.0.0.1:4096", "\u20ac"])
async def test_origins_that_are_none_may_not_change_anything(
    table: OperationTable, registry: object, origin: str
) -> None:
    async with client_of(table, registry) as client:
        answer = await client.post("/note", json={"text": "x"}, headers={"origin": origin.encode()})
        odd = await client.get("/note", headers={"origin": "http://localhost:\u20ac".encode()})
    assert (answer.status_code, odd.status_code) == (403, 200)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:4096", 200),
        ("127.0.0.1", 200),
        ("[::1]:4096", 200),
        ("app.localhost:1", 200),
        ("opencode.local:4096", 200),
        ("evil.example:4096", 403),
        ("127.0.0.1.evil.example", 403),
        ("192.168.1.5:4096", 403),
    ],
)
async def test_a_loopback_server_answers_to_its_own_names_only(
    table: OperationTable, registry: object, host: str, status: int
) -> None:
    async with client_of(table, registry) as client:
        assert (await client.get("/note", headers={"host": host})).status_code == status


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({}, "", 401),
        ({"authorization": f"Basic {basic('opencode:pw:1')}"}, "", 200),
        ({"authorization": f"basic {basic('opencode:pw:1')}"}, "", 200),
        ({"authorization": f"Basic {basic('opencode:wrong')}"}, "", 401),
        ({"authorization": f"Basic {basic('ann:pw:1')}"}, "", 401),
        ({"authorization": f"Bearer {basic('opencode:pw:1')}"}, "", 401),
        ({"authorization": "Basic ???"}, "", 401),
        ({"authorization": "Bearer t0k"}, "", 200),
        ({}, f"?auth_token={basic('opencode:pw:1')}", 200),
        ({}, "?auth_token=bad", 401),
        ({"authorization": f"Basic {basic('opencode:pw:1')}"}, "?auth_token=bad", 401),
    ],
)
async def test_credentials_are_needed_once_there_are_any(
    table: OperationTable, registry: object, headers: dict[str, str], query: str, status: int
) -> None:
    """Source: golden trace ``auth_password``."""
    async with client_of(table, registry, Gate("pw:1", tokens=["t0k"])) as client:
        answer = await client.get(f"/note{query}", headers=headers)
    assert answer.status_code == status


async def test_a_refusal_can_be_read_by_the_page_and_says_how_to_sign_in(
    table: OperationTable, registry: object
) -> None:
    async with client_of(table, registry, Gate("pw")) as client:
        answer = await client.get("/nothing", headers={"origin": "http://localhost:3000"})
        preflight = await client.options("/note")
    message = "Authentication required"
    assert (answer.status_code, preflight.status_code) == (401, 204)
    assert answer.headers["www-authenticate"] == 'Basic realm="Secure Area"'
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert answer.json() == {
        "_tag": "UnauthorizedError",
        "name": "UnauthorizedError",
        "message": message,
        "data": {"message": message},
    }
