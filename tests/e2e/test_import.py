"""``opencode import`` and ``opencode export``: the real program, on data of three official versions."""

import json
import os
import pty
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from scripts.import_official.accounts import account_of
from tests.support.official_data import VERSIONS, make_data, said, state_of
from tests.support.server_process import OPENCODE, Home, ServerProcess, run_opencode, server_process


async def import_all(home: Home, directory: Path, data: Path) -> str:
    """Import a data directory; what was printed."""
    done = await run_opencode(home, directory, "import", "--from-opencode", str(data))
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode()


async def answers(server: ServerProcess) -> list[dict[str, Any]]:
    """What the server answers about all its sessions."""
    async with httpx2.AsyncClient(base_url=server.url, timeout=20) as client:

        async def get(path: str) -> Any:
            response = await client.get(path)
            response.raise_for_status()
            return response.json()

        return [
            {
                "session": session,
                "messages": await get(f"/session/{session['id']}/message"),
                "todos": await get(f"/session/{session['id']}/todo"),
                "children": await get(f"/session/{session['id']}/children"),
            }
            for session in await get("/experimental/session?archived=true&limit=1000")
        ]


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_server_says_of_imported_sessions_what_the_official_one_said(
    home: Home, tmp_path: Path, version: str
) -> None:
    data = make_data(tmp_path, version)
    before = state_of(data)
    expected = said(version)
    first = await import_all(home, tmp_path, data)
    assert f"Sessions: {len(expected)} new, 0 updated, 0 unchanged, 0 kept\n" in first
    again = await import_all(home, tmp_path, data)
    assert f"Sessions: 0 new, 0 updated, {len(expected)} unchanged, 0 kept\n" in again
    assert state_of(data) == before
    async with server_process(home, tmp_path) as server:
        assert account_of(await answers(server)) == expected


@pytest.mark.parametrize("variables", [{}, {"OPENCODE_DB": "other.db"}])
async def test_without_a_path_the_data_directory_of_both_programs_is_read(
    home: Home, tmp_path: Path, variables: dict[str, str]
) -> None:
    data = make_data(home.data.parent, "1.18.33")
    assert data == home.data
    home.variables |= variables
    database = (data / "opencode.db").rename(data / variables.get("OPENCODE_DB", "opencode.db"))
    before = database.read_bytes()
    for count in ("14 new, 0 updated, 0 unchanged", "0 new, 0 updated, 14 unchanged"):
        done = await run_opencode(home, tmp_path, "import", "--from-opencode")
        assert done.stdout.decode().startswith(f"Read {database}\nSessions: {count}, 0 kept\n"), done
    assert database.read_bytes() == before


async def test_a_running_server_does_the_work_and_its_clients_see_it(home: Home, tmp_path: Path) -> None:
    data = make_data(tmp_path, "1.18.33")
    async with (
        server_process(home, tmp_path) as server,
        httpx2.AsyncClient(base_url=server.url, timeout=20) as client,
        client.stream("GET", "/global/event") as events,
    ):
        lines = events.aiter_lines()
        await anext(line async for line in lines if "server.connected" in line)
        await import_all(home, tmp_path, data)
        told: set[str] = set()
        with anyio.fail_after(20):
            while told != said("1.18.33").keys():
                line = await anext(line async for line in lines if '"session.created"' in line)
                told.add(json.loads(line.removeprefix("data: "))["payload"]["properties"]["sessionID"])


async def test_an_import_completes_what_is_missing_and_keeps_what_went_on_here(home: Home, tmp_path: Path) -> None:
    data = make_data(tmp_path, "1.18.33")
    await import_all(home, tmp_path, data)
    by_title = {account["title"]: id for id, account in said("1.18.33").items()}
    async with (
        server_process(home, tmp_path) as server,
        httpx2.AsyncClient(base_url=server.url, timeout=20) as client,
    ):
        cut = f"/session/{by_title['Long talk']}/message"
        for message in (await client.get(cut)).json()[-2:]:
            (await client.delete(f"{cut}/{message['info']['id']}")).raise_for_status()
        note = {"noReply": True, "parts": [{"type": "text", "text": "more"}]}
        (await client.post(f"/session/{by_title['Planning']}/message", json=note)).raise_for_status()
        printed = await import_all(home, tmp_path, data)
        assert f"Sessions: 0 new, 1 updated, {len(by_title) - 2} unchanged, 1 kept\n" in printed
        assert f"  {by_title['Planning']} (Planning)\n" in printed
        account = account_of(await answers(server))
    assert account[by_title["Long talk"]] == said("1.18.33")[by_title["Long talk"]]
    assert account[by_title["Planning"]]["roles"] == said("1.18.33")[by_title["Planning"]]["roles"] + "u"


async def test_an_import_that_was_killed_is_finished_by_the_next_one(home: Home, tmp_path: Path) -> None:
    data = make_data(tmp_path, "1.18.33")
    async with (
        server_process(home, tmp_path) as server,
        httpx2.AsyncClient(base_url=server.url, timeout=20) as client,
        client.stream("GET", "/global/event") as events,
    ):
        lines = events.aiter_lines()
        await anext(line async for line in lines if "server.connected" in line)
        command = [OPENCODE, "import", "--from-opencode", str(data)]
        async with await anyio.open_process(command, cwd=tmp_path, env=home.environment) as process:
            with anyio.fail_after(30):
                await anext(line async for line in lines if '"session.created"' in line)
            process.kill()
        await import_all(home, tmp_path, data)
        assert account_of(await answers(server)) == said("1.18.33")


async def test_what_cannot_be_read_is_named_and_the_rest_is_imported(home: Home, tmp_path: Path) -> None:
    data = make_data(tmp_path, "1.1.53")
    part = next(iter(sorted((data / "storage/part").rglob("*.json"))))
    part.write_text("{")
    printed = await import_all(home, tmp_path, data)
    assert "Left out, because it cannot be read (1):\n" in printed
    assert f"  {part.relative_to(data).as_posix()}: no JSON" in printed


async def test_an_export_of_one_home_is_the_session_of_another(home: Home, tmp_path: Path) -> None:
    await import_all(home, tmp_path, make_data(tmp_path, "1.2.15"))
    session_id = next(id for id, account in said("1.2.15").items() if account["title"] == "Tools and alphabets")
    exported = await run_opencode(home, tmp_path, "export", session_id)
    assert (exported.returncode, exported.stderr.decode()) == (0, f"Exporting session: {session_id}\n")
    file = tmp_path / "export.json"
    file.write_bytes(exported.stdout)
    other = Home(tmp_path / "other")
    for added in ("8 messages and 23 parts added", "0 messages and 0 parts added"):
        done = await run_opencode(other, tmp_path, "import", str(file))
        assert done.stdout.decode() == f"Imported session: {session_id}\n"
        assert done.stderr.decode() == f"Tools and alphabets: {added}\n"
    again = await run_opencode(other, tmp_path, "export", session_id)
    first, second = json.loads(exported.stdout), json.loads(again.stdout)
    assert second["messages"] == first["messages"]
    moved = {"directory": str(tmp_path), "projectID": "global", "path": second["info"]["path"]}
    assert second["info"] == {**first["info"], **moved, "time": second["info"]["time"]}


async def test_on_a_terminal_a_person_chooses_what_to_export(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "talk.json"
    info = {"id": "ses_1", "title": "The one", "directory": "/d", "version": "1", "time": {"created": 1, "updated": 2}}
    file.write_text(json.dumps({"info": info, "messages": []}))
    await run_opencode(home, tmp_path, "import", str(file))
    keyboard, terminal = pty.openpty()
    async with await anyio.open_process(
        [OPENCODE, "export"], cwd=tmp_path, env=home.environment, stdin=terminal, stderr=terminal
    ) as process:
        os.close(terminal)
        with anyio.fail_after(30):
            shown = b""
            while b"Session to export" not in shown:
                await anyio.wait_readable(keyboard)
                shown += os.read(keyboard, 4096)
            os.write(keyboard, b"1\n")
            assert process.stdout is not None
            exported = b"".join([chunk async for chunk in process.stdout])
    os.close(keyboard)
    assert b"  The one  " in shown
    assert json.loads(exported)["info"]["id"] == "ses_1"


async def test_a_sanitized_export_says_nothing_of_the_work(home: Home, tmp_path: Path) -> None:
    await import_all(home, tmp_path, make_data(tmp_path, "1.18.33"))
    session_id = next(id for id, account in said("1.18.33").items() if account["title"] == "Planning")
    exported = await run_opencode(home, tmp_path, "export", session_id, "--sanitize")
    assert json.loads(exported.stdout)["info"]["title"] == f"[redacted:session-title:{session_id}]"
    assert b"Read the code" not in exported.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["import"], "Name the file to import"),
        (["import", "missing.json"], "File not found: missing.json"),
        (["import", "text.json"], "text.json holds no JSON"),
        (["import", "empty.json"], "empty.json holds no session"),
        (["import", "--from-opencode", "."], "No OpenCode data found in"),
        (["import", "https://example.invalid/page"], "is no link of a shared session"),
        (["export"], "Name the session to export"),
        (["export", "ses_unknown"], "Session not found: ses_unknown"),
    ],
)
async def test_what_cannot_be_done_is_said_with_status_1(
    home: Home, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "text.json").write_text("{text")
    (tmp_path / "empty.json").write_text("{}")
    done = await run_opencode(home, tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (1, b"")
    assert message in done.stderr.decode()
