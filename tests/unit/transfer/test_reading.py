"""Sessions of three official versions, read without their programs."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from opencode.core.wire import UNSET
from opencode.session.schema import StepFinishPart, StepStartPart, ToolPart, ToolStateError
from opencode.transfer.places import open_official
from opencode.transfer.reading import OfficialReader, Outline, Problems, Skipped
from scripts.import_official.accounts import account_of
from tests.support.official_data import DATABASES, FILES, VERSIONS, make_data, open_database, said


@contextmanager
def reading(data: Path, problems: Problems | None = None) -> Iterator[OfficialReader]:
    with open_official(data) as found:
        (source,) = found.sources
        yield OfficialReader(source, problems or Problems())


def outlines(data: Path, problems: Problems | None = None) -> dict[str, Outline]:
    """The outline of each session by its title."""
    with reading(data, problems) as reader:
        return {session.title: reader.outline(session) for session in reader.sessions()}


def answers(data: Path) -> list[dict[str, Any]]:
    """What a server with these sessions would answer."""
    with reading(data) as reader:
        read = [(reader.outline(session), list(reader.messages(session))) for session in reader.sessions()]
    sessions = [msgspec.to_builtins(outline.session) for outline, _ in read]
    return [
        {
            "session": session,
            "messages": msgspec.to_builtins(messages),
            "todos": msgspec.to_builtins(outline.todos),
            "children": [other for other in sessions if other.get("parentID") == session["id"]],
        }
        for session, (outline, messages) in zip(sessions, read, strict=True)
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_read_is_what_the_official_server_said(tmp_path: Path, version: str) -> None:
    assert account_of(answers(make_data(tmp_path, version))) == said(version)


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_that_an_official_server_wrote_is_left_out(tmp_path: Path, version: str) -> None:
    problems = Problems()
    outlines(make_data(tmp_path, version), problems)
    assert problems.found == {}


@pytest.mark.parametrize("version", VERSIONS)
def test_totals_agent_and_model_are_there_although_older_versions_did_not_keep_them(
    tmp_path: Path, version: str
) -> None:
    session = outlines(make_data(tmp_path, version))["Tools and alphabets"].session
    assert session.agent == "build"
    assert msgspec.to_builtins(session.model) == {"id": "m1", "providerID": "scripted", "variant": "default"}
    output = 118 if version == "1.18.33" else 130  # older versions counted the reasoning too
    assert msgspec.to_builtins(session.tokens) == {
        "input": 700, "output": output, "reasoning": 12, "cache": {"read": 1000, "write": 0},
    }  # fmt: skip
    assert session.path == ""


@pytest.mark.parametrize("version", VERSIONS)
def test_snapshots_stay_behind_with_the_repository_that_has_them(tmp_path: Path, version: str) -> None:
    with reading(make_data(tmp_path, version)) as reader:
        session = next(session for session in reader.sessions() if session.title == "Second thoughts")
        parts = [part for message in reader.messages(session) for part in message.parts]
    assert session.revert is not UNSET and session.revert.snapshot is UNSET
    steps = [part for part in parts if isinstance(part, StepStartPart | StepFinishPart)]
    assert steps and all(step.snapshot is UNSET for step in steps)


def test_changes_of_files_with_both_contents_get_a_patch(tmp_path: Path) -> None:
    with reading(make_data(tmp_path, FILES)) as reader:
        session = next(session for session in reader.sessions() if session.title == "Tools and alphabets")
        first = next(reader.messages(session))
    (diff,) = first.info.summary.diffs  # type: ignore[union-attr]
    assert (diff.file, diff.additions, diff.status) == ("greeting.txt", 1, "modified")
    assert diff.patch == "--- greeting.txt\n+++ greeting.txt\n@@ -1 +1 @@\n-Hello\n+Salut\n"


def test_files_that_are_no_json_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    data = make_data(tmp_path, FILES)
    files = {
        name: next(iter(sorted((data / "storage" / name).rglob("*.json")))) for name in ("session", "part", "todo")
    }
    for file in files.values():
        file.write_text("{not json")
    problems = Problems()
    read = outlines(data, problems)
    assert set(problems.found) == {file.relative_to(data).as_posix() for file in files.values()}
    assert len(read) == len(said(FILES)) - 1


@pytest.mark.parametrize("version", DATABASES)
def test_rows_that_cannot_be_understood_are_named_and_the_rest_is_read(tmp_path: Path, version: str) -> None:
    data = make_data(tmp_path, version)
    with open_database(data) as database:
        parts = [id for (id,) in database.execute("SELECT id FROM part ORDER BY id LIMIT 3")]
        (message,) = database.execute("SELECT id FROM message ORDER BY id DESC LIMIT 1").fetchone()
        (session,) = database.execute("SELECT id FROM session WHERE title = 'Planning'").fetchone()
        database.execute("UPDATE part SET data = '{' WHERE id = ?", (parts[0],))
        database.execute("UPDATE part SET data = json_set(data, '$.type', 'hologram') WHERE id = ?", (parts[1],))
        database.execute("UPDATE part SET data = '[]' WHERE id = ?", (parts[2],))
        database.execute("""UPDATE message SET data = '{"role":"narrator"}' WHERE id = ?""", (message,))
        database.execute("UPDATE session SET permission = '{{' WHERE id = ?", (session,))
        problems = Problems()
        read = outlines(data, problems)
    reasons = {place: skipped.reason for place, skipped in problems.found.items()}
    assert reasons.keys() == {*(f"part {id}" for id in parts), f"message {message}", f"session {session}"}
    assert reasons[f"part {parts[1]}"] == "a part of the type 'hologram'"
    assert reasons[f"message {message}"] == "a message with the role 'narrator'"
    assert "Planning" not in read and len(read) == len(said(version)) - 1


@pytest.mark.parametrize(("table", "read"), [("part", len(said("1.18.33"))), ("session", 0)])
def test_a_damaged_database_gives_what_is_not_damaged(tmp_path: Path, table: str, read: int) -> None:
    data = make_data(tmp_path, "1.18.33")
    damage(data / "opencode.db", table)
    problems = Problems()
    assert len(outlines(data, problems)) == read
    assert any("cannot be read any further" in skipped.reason for skipped in problems.found.values())


def damage(database: Path, table: str) -> None:
    """Overwrite the first page of a table."""
    with closing(sqlite3.connect(database)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    content = bytearray(database.read_bytes())
    content[(page - 1) * size : page * size] = b"\xff" * size
    database.write_bytes(content)


def test_a_problem_is_noted_once_however_often_it_is_met() -> None:
    problems = Problems()
    problems.add("part prt_1", "no JSON")
    problems.add("part prt_1", "no JSON")
    assert list(problems.found.values()) == [Skipped("part prt_1", "no JSON")]


def test_a_call_that_was_running_has_ended(tmp_path: Path) -> None:
    data = make_data(tmp_path, "1.2.15")
    with open_database(data) as database:
        database.execute(
            "UPDATE part SET data = json_set(data, '$.state', json(?)) WHERE data LIKE '%drei vier%'",
            ('{"status":"running","input":{"command":"x"},"metadata":{"output":"so far"},"time":{"start":5}}',),
        )
        with reading(data) as reader:
            session = next(session for session in reader.sessions() if session.title == "Shell")
            parts = [part for message in reader.messages(session) for part in message.parts]
    (call,) = [part for part in parts if isinstance(part, ToolPart)]
    assert isinstance(call.state, ToolStateError)
    assert (call.state.metadata, call.state.time.end) == ({"output": "so far"}, 5)


def test_a_session_whose_prompts_name_no_model_has_none(tmp_path: Path) -> None:
    """As versions before 1.1 stored them: the next prompt takes the default model."""
    data = make_data(tmp_path, FILES)
    for file in (data / "storage/message").rglob("*.json"):
        record = {k: v for k, v in msgspec.json.decode(file.read_bytes()).items() if k not in ("model", "agent")}
        file.write_bytes(msgspec.json.encode(record))
    session = outlines(data)["Planning"].session
    assert (session.agent, session.model) == ("build", UNSET)
