"""The real program: models, statistics and stored keys, alone and beside a running server."""

import json
import os
import pty
from pathlib import Path

import anyio
import anyio.abc

from tests.support.scripted_model.script import Call, Text, turn
from tests.support.scripted_model.server import ScriptedModel
from tests.support.server_process import OPENCODE, Home, run_opencode, server_process


async def test_models_are_listed_with_everything_known_of_them(home: Home, project: Path, model: ScriptedModel) -> None:
    listed = await run_opencode(home, project, "models")
    assert listed.returncode == 0, listed.stderr
    assert "scripted/m1" in listed.stdout.decode().splitlines()
    verbose = (await run_opencode(home, project, "models", "scripted", "--verbose")).stdout.decode()
    name, _, record = verbose.partition("\n")
    assert name == "scripted/m1"
    assert json.JSONDecoder().raw_decode(record)[0]["capabilities"]["toolcall"] is True
    as_json = json.loads((await run_opencode(home, project, "models", "scripted", "--json")).stdout)
    assert {entry["providerID"] for entry in as_json} == {"scripted"}


async def test_an_unknown_provider_and_a_refresh_that_is_switched_off_are_errors(home: Home, project: Path) -> None:
    unknown = await run_opencode(home, project, "models", "nosuch")
    assert (unknown.returncode, unknown.stdout) == (1, b"")
    assert "Provider not found: nosuch" in unknown.stderr.decode()
    refused = await run_opencode(home, project, "models", "--refresh")
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert "OPENCODE_DISABLE_MODELS_FETCH" in refused.stderr.decode()


async def test_a_refresh_fetches_the_catalogue_at_once(home: Home, project: Path) -> None:
    known = {"acme": {"id": "acme", "name": "Acme", "env": ["ACME_KEY"], "models": {"new": {"id": "new", "name": "N"}}}}
    body = json.dumps(known).encode()

    async def answer(client: anyio.abc.SocketStream) -> None:
        async with client:
            await client.receive(65536)
            await client.send(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body) + body)

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, answer)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        home.variables |= {
            "OPENCODE_MODELS_URL": f"http://127.0.0.1:{port}",
            "OPENCODE_DISABLE_MODELS_FETCH": "false",
            "ACME_KEY": "k",
        }
        listed = await run_opencode(home, project, "models", "acme", "--refresh")
        tasks.cancel_scope.cancel()
    assert (listed.returncode, listed.stdout) == (0, b"acme/new\n")
    assert "Models cache refreshed" in listed.stderr.decode()


async def test_what_a_turn_used_is_counted_also_beside_a_running_server(
    home: Home, project: Path, model: ScriptedModel
) -> None:
    model.push(turn(Call("read", {"filePath": "app.py"})), turn(Text("done")))
    assert (await run_opencode(home, project, "run", "go")).returncode == 0
    async with server_process(home, project):
        figures = json.loads((await run_opencode(home, project, "stats", "--format", "json")).stdout)
        shown = (await run_opencode(home, project, "stats", "--models", "--project", "", "--days", "1")).stdout.decode()
    assert (figures["sessions"], figures["messages"], figures["days"]) == (1, 3, 1)
    assert figures["tools"] == [{"tool": "read", "calls": 1}]
    assert [(entry["modelID"], entry["messages"]) for entry in figures["models"]] == [("m1", 2)]
    assert "scripted/m1" in shown and "│ read " in shown
    other = await run_opencode(home, project, "stats", "--project", "nosuch", "--json")
    assert json.loads(other.stdout)["sessions"] == 0


async def test_a_stored_key_opens_its_provider(home: Home, project: Path) -> None:
    stored = await run_opencode(home, project, "auth", "login", "-p", "anthropic", stdin="sk-secret\n")
    assert (stored.returncode, stored.stdout) == (0, b"Login successful\n"), stored.stderr
    assert (home.data / "auth.json").stat().st_mode & 0o777 == 0o600
    listed = (await run_opencode(home, project, "models", "anthropic")).stdout.decode().splitlines()
    assert listed and all(line.startswith("anthropic/") for line in listed)
    assert (await run_opencode(home, project, "providers", "logout", "anthropic")).returncode == 0
    assert json.loads((home.data / "auth.json").read_text()) == {}


async def test_a_key_that_a_person_types_is_not_seen(home: Home, project: Path) -> None:
    keyboard, terminal = pty.openpty()
    home.root.mkdir(parents=True)
    async with await anyio.open_process(
        [OPENCODE, "auth", "login", "--provider", "anthropic"],
        cwd=project,
        env=home.environment,
        stdin=terminal,
        stderr=terminal,
        start_new_session=True,  # the terminal of whoever runs the tests is not asked
    ) as process:
        os.close(terminal)
        with anyio.fail_after(60):
            shown = await read_until(keyboard, b"API key")
            os.write(keyboard, b"sk-typed\n")
            assert await process.wait() == 0
            shown += await read_until(keyboard, b"")
    os.close(keyboard)
    assert json.loads((home.data / "auth.json").read_text())["anthropic"]["key"] == "sk-typed"
    assert b"sk-typed" not in shown


async def read_until(terminal: int, wanted: bytes) -> bytes:
    """What a program writes to its terminal, up to these bytes or, without any, to its end."""
    shown = b""
    while not wanted or wanted not in shown:
        await anyio.wait_readable(terminal)
        try:
            shown += os.read(terminal, 4096)
        except OSError:  # how Linux tells that nobody writes to it any more
            return shown
    return shown


async def test_a_reader_that_has_read_enough_is_no_error(home: Home, project: Path) -> None:
    """``opencode stats | true``: nothing is said, and nothing is logged."""
    with anyio.fail_after(30):
        ended = await anyio.run_process(f"{OPENCODE} stats | true", cwd=project, env=home.environment, check=False)
    assert ended.stderr == b""
    assert "Traceback" not in "".join(path.read_text() for path in home.data.glob("log/*"))
