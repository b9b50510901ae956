"""The real ``opencode serve``."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from opencode.client.client import OpenCodeClient
from opencode.client.errors import RequestFailed
from opencode.core.version import API_VERSION
from tests.support.server_process import Home, run_opencode, server_process

HEAVY = (
    "anthropic",
    "httpx2",
    "json5",
    "jsonschema_rs",
    "mcp",
    "openai",
    "pydantic",
    "pydantic_ai",
    "rich",
    "structlog",
    "textual",
    "tree_sitter",
    "typer",
)


async def test_the_server_says_where_it_listens_and_answers_there(home: Home, project: Path) -> None:
    async with server_process(home, project) as server, OpenCodeClient(server.url) as client:
        warning, line = server.printed
        assert warning.startswith("Warning: OPENCODE_SERVER_PASSWORD is not set")
        assert re.fullmatch(r"opencode server listening on http://127\.0\.0\.1:\d+", line)
        health = await client.health()
        assert (health.healthy, health.version) == (True, API_VERSION)


async def test_the_working_directory_is_that_of_requests_that_name_none(home: Home, project: Path) -> None:
    async with server_process(home, project) as server, OpenCodeClient(server.url) as client:
        assert (await client.create_session()).directory == str(project)


async def test_an_interrupt_ends_the_server_with_0_even_with_open_streams(home: Home, project: Path) -> None:
    async with (
        server_process(home, project) as server,
        OpenCodeClient(server.url) as client,
        client.events() as stream,
    ):
        await anext(aiter(stream))
        assert await server.stop() == 0


async def test_a_password_is_asked_for_everywhere(home: Home, project: Path) -> None:
    home.variables["OPENCODE_SERVER_PASSWORD"] = "pw"
    async with server_process(home, project) as server:
        assert len(server.printed) == 1
        async with OpenCodeClient(server.url) as client:
            with pytest.raises(RequestFailed) as refused:
                await client.health()
            assert refused.value.status == 401
        async with OpenCodeClient(server.url, password="pw") as client:
            assert (await client.health()).healthy


async def test_the_address_can_come_from_the_users_configuration(home: Home, project: Path) -> None:
    config = home.root / ".config/opencode/opencode.json"
    config.parent.mkdir(parents=True)
    config.write_text('{"server": {"hostname": "localhost"}}')
    async with server_process(home, project) as server:
        assert server.url.startswith("http://localhost:")


async def test_a_taken_port_is_named(home: Home, project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = await run_opencode(home, project, "serve", "--port", str(port))
    assert ended.returncode == 1
    assert f"port {port}" in ended.stderr.decode()


async def test_other_machines_are_served_only_with_a_password_or_on_demand(home: Home, project: Path) -> None:
    ended = await run_opencode(home, project, "serve", "--hostname", "0.0.0.0")
    assert ended.returncode == 1
    assert "without a password" in ended.stderr.decode()
    async with server_process(home, project, "--hostname", "0.0.0.0", "--allow-unauthenticated") as server:
        address = server.url.replace("0.0.0.0", "127.0.0.1")
        async with OpenCodeClient(address) as client:
            assert (await client.health()).healthy


async def test_a_second_server_on_the_same_data_is_told_where_the_first_is(home: Home, project: Path) -> None:
    async with server_process(home, project) as server:
        ended = await run_opencode(home, project, "serve", "--port", "0")
        assert ended.returncode == 1
        assert server.url in ended.stderr.decode()
        assert f"process {server.pid}" in ended.stderr.decode()


async def test_a_broken_configuration_is_told_by_file(home: Home, project: Path) -> None:
    config = home.root / ".config/opencode/opencode.json"
    config.parent.mkdir(parents=True)
    config.write_text('{"server": ')
    ended = await run_opencode(home, project, "serve")
    assert ended.returncode == 1
    assert str(config) in ended.stderr.decode()


async def test_the_log_is_a_file_of_the_data_directory_and_holds_no_secrets(home: Home, project: Path) -> None:
    home.variables["OPENCODE_SERVER_PASSWORD"] = "hunter2"
    async with (
        server_process(home, project, "--log-level=DEBUG") as server,
        httpx2.AsyncClient(base_url=server.url, auth=("opencode", "hunter2")) as http,
    ):
        entry = {"service": "test", "level": "info", "message": "hi there", "extra": {"token": "hunter2"}}
        assert (await http.post("/log", json=entry)).json() is True
    (log,) = (home.data / "log").iterdir()
    written = log.read_text()
    assert "hi there" in written
    assert "hunter2" not in written


def test_serving_loads_no_library_before_it_is_needed() -> None:
    """Cold start and memory are features: what only some requests need is loaded by the first of them."""
    program = "import opencode.cli.serve, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert sorted(set(loaded) & set(HEAVY)) == []
    assert not any(name.startswith("opencode.client") for name in loaded)


def test_attaching_loads_nothing_of_the_server() -> None:
    program = "import opencode.cli.run, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    server_side = ("opencode.http", "opencode.instance", "opencode.loop", "opencode.storage", "uvicorn")
    assert [name for name in loaded if name.startswith(server_side)] == []
