"""Credentials planted everywhere the user keeps them come out nowhere: no answer, no event, no line of the log."""

import json
import stat
from pathlib import Path

import pytest

from opencode.config.errors import ConfigJsonError
from opencode.config.jsonc import read_jsonc
from opencode.core.clock import SystemClock
from opencode.core.log_file import configure_logging
from tests.security.conftest import Server, World
from tests.support.scripted_model.script import Fail, turn

CANARY = "CANARY-4f9a2c"
READS = (
    "/config",
    "/global/config",
    "/config/providers",
    "/provider",
    "/provider/auth",
    "/agent",
    "/command",
    "/mcp",
    "/path",
    "/project",
    "/project/current",
    "/session",
    "/session/status",
    "/experimental/session",
    "/permission",
    "/question",
    "/global/health",
)


def plant(world: World) -> None:
    """One canary, told apart by its ending, in every place that holds a credential."""
    secret = {"type": "api", "key": f"{CANARY}-auth-json"}
    world.write(world.paths.data / "auth.json", {"anthropic": secret})
    world.variables |= {
        "OPENAI_API_KEY": f"{CANARY}-environment",
        "SCRIPTED": f"{CANARY}-substituted",
        "OPENCODE_SERVER_PASSWORD": f"{CANARY}-password",
    }
    mine = {
        "server": {"auth": {"type": "bearer", "tokens": [f"{CANARY}-token"]}},
        "mcp": {
            "far": {"type": "remote", "url": f"https://u:{CANARY}-url@x.example", "headers": {"x": f"{CANARY}-mcp"}},
            "near": {"type": "local", "command": ["x"], "environment": {"A": f"{CANARY}-environment-of-mcp"}},
            "signed": {"type": "remote", "url": "https://x.example", "oauth": {"clientSecret": f"{CANARY}-oauth"}},
        },
        "lsp": {"x": {"command": ["x"], "extensions": [".x"], "env": {"A": f"{CANARY}-lsp"}}},
        "formatter": {"x": {"command": ["x"], "environment": {"A": f"{CANARY}-formatter"}}},
        "agent": {"build": {"options": {"apiKey": f"{CANARY}-agent"}}},
        "plugin": [["some-plugin", {"token": f"{CANARY}-plugin"}]],
    }
    world.write(world.paths.config / "opencode.json", mine)
    config = world.provider(
        apiKey="{env:SCRIPTED}", secretAccessKey=f"{CANARY}-aws", headers={"Authorization": f"Bearer {CANARY}-header"}
    )
    model = config["provider"]["scripted"]["models"]["m1"]
    model |= {"headers": {"x-team": f"{CANARY}-model-header"}, "options": {"token": f"{CANARY}-model-option"}}
    world.write(world.project / "opencode.json", config)


async def everything_said(server: Server) -> str:
    """All reads, a prompt that works, one that the provider refuses by repeating what it was sent."""
    said = [(await server.client.get(path)).text for path in READS]
    said.append(json.dumps(await server.prompt()))
    said.append(json.dumps(await server.prompt("Once more")))
    change = {"provider": {"x": {"options": {"apiKey": f"{CANARY}-patched"}}}}
    said.append((await server.client.patch("/global/config", json=change)).text)
    said.append((await server.client.put("/auth/openai", json={"type": "api", "key": f"{CANARY}-put"})).text)
    return "\n".join(said)


async def test_planted_credentials_are_in_no_answer_no_record_and_no_log(world: World, tmp_path: Path) -> None:
    plant(world)
    refused = {"error": {"message": f"Incorrect API key: Bearer {CANARY}-header"}}
    world.model.push("Hello.", turn(Fail(401, headers={"x-echo": f"{CANARY}-header"}, body=refused)))
    with configure_logging("DEBUG", to_stderr=False, directory=tmp_path / "log", clock=SystemClock()) as log:
        async with world.open() as server:
            said = await everything_said(server)
    assert log is not None
    database = world.paths.database.read_bytes()
    assert CANARY in world.model.turns[0].headers["authorization"]
    for place, text in (("answers", said), ("log", log.read_text()), ("database", database.decode("latin-1"))):
        at = text.find(CANARY)
        assert at < 0, f"{place}: ...{text[max(0, at - 80) : at + 60]}..."


async def test_what_was_masked_can_be_sent_back_and_changes_nothing(world: World) -> None:
    path = world.write(world.paths.config / "opencode.json", world.provider(apiKey=CANARY, headers={"x": CANARY}))
    before = path.read_text()
    async with world.open() as server:
        shown = await server.get("/global/config")
        assert (await server.client.patch("/global/config", json=shown)).status_code == 200
    assert json.loads(path.read_text()) == json.loads(before)


def test_a_syntax_error_shows_its_line_without_the_keys_in_it() -> None:
    text = '{"options": {"apiKey": "' + CANARY + '" "baseURL": "http://x"}}'
    with pytest.raises(ConfigJsonError) as fault:
        read_jsonc(text, "opencode.json")
    assert CANARY not in fault.value.message
    assert "baseURL" in fault.value.message


async def test_commands_of_the_model_do_not_inherit_what_opens_the_server(world: World) -> None:
    world.variables |= {"OPENCODE_SERVER_PASSWORD": CANARY, "OPENCODE_AUTH_CONTENT": "{}", "PLAIN": "kept"}
    world.write(world.project / "opencode.json", world.provider())
    async with world.open() as server:
        session = (await server.client.post("/session", json={})).json()["id"]
        body = {"agent": "build", "command": "env"}
        answer = await server.client.post(f"/session/{session}/shell", json=body)
    assert "PLAIN=kept" in answer.text
    assert CANARY not in answer.text
    assert "OPENCODE_AUTH_CONTENT" not in answer.text


async def test_other_users_of_the_machine_can_read_nothing_that_the_server_writes(world: World) -> None:
    world.write(world.project / "opencode.json", world.provider())
    async with world.open() as server:
        await server.client.put("/auth/x", json={"type": "api", "key": CANARY})
        await server.prompt()
        files = [path for path in world.paths.data.rglob("*") if path.is_file()]
        open_to_others = [path for path in files if not _is_closed(path, world.paths.data)]
    assert files
    assert open_to_others == []


def _is_closed(path: Path, top: Path) -> bool:
    """Whether the file, or a directory on the way to it, keeps others out."""
    on_the_way = [path, *(parent for parent in path.parents if parent.is_relative_to(top))]
    return any(not stat.S_IMODE(one.stat().st_mode) & 0o077 for one in on_the_way)
