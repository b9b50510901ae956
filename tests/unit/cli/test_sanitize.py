"""Exports without what was said."""

import json
from typing import Any

import msgspec
import pytest

from opencode.cli.sanitize import sanitized
from opencode.session.schema import MessageWithParts, Session
from opencode.transfer.places import open_official
from opencode.transfer.reading import OfficialReader, Problems
from tests.support.official_data import VERSIONS, make_data


def exports(data: Any) -> list[dict[str, Any]]:
    """Every session of a data directory as an export."""
    with open_official(data) as found:
        reader = OfficialReader(found.sources[0], Problems())
        return [
            {"info": msgspec.to_builtins(session), "messages": msgspec.to_builtins(list(reader.messages(session)))}
            for session in reader.sessions()
        ]


WORDS = ("Tools and", "Hello", "Salut", "Gern", "Once upon", "notes", "greeting", "printf", "drei", "/home/", "iVBOR")
"""What the sessions tell of: titles, prompts, answers, commands, files, paths."""


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_that_was_said_is_left(tmp_path: Any, version: str) -> None:
    made = exports(make_data(tmp_path, version))
    before, after = json.dumps(made), json.dumps([sanitized(export) for export in made])
    assert [word for word in WORDS if word not in before] == []
    assert [word for word in WORDS if word in after] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_structure_ids_times_and_figures_stay(tmp_path: Any, version: str) -> None:
    for export in exports(make_data(tmp_path, version)):
        clean = sanitized(export)
        session = msgspec.convert(clean["info"], Session)
        messages = msgspec.convert(clean["messages"], list[MessageWithParts])
        assert (session.id, clean["info"]["time"]) == (export["info"]["id"], export["info"]["time"])
        assert [message.info.id for message in messages] == [m["info"]["id"] for m in export["messages"]]
        kinds = [[part["type"] for part in m["parts"]] for m in export["messages"]]
        assert [[part["type"] for part in m["parts"]] for m in clean["messages"]] == kinds


def test_marks_say_what_was_there_and_empty_texts_stay_empty() -> None:
    part = {"id": "prt_1", "sessionID": "ses_1", "messageID": "msg_1", "type": "text", "text": "secret"}
    message = {"info": {"id": "msg_1", "role": "user"}, "parts": [part, {**part, "id": "prt_2", "text": ""}]}
    clean = sanitized({"info": {"id": "ses_1", "title": "secret"}, "messages": [message]})
    assert clean["info"]["title"] == "[redacted:session-title:ses_1]"
    assert [one["text"] for one in clean["messages"][0]["parts"]] == ["[redacted:text:prt_1]", ""]


def test_everything_that_may_hold_words_goes() -> None:
    info = {
        "id": "ses_1",
        "title": "w",
        "directory": "/w",
        "path": "w",
        "metadata": {"w": "w"},
        "share": {"url": "https://w"},
        "permission": [{"permission": "edit", "pattern": "w", "action": "allow"}],
        "revert": {"messageID": "m", "diff": "w", "snapshot": "w"},
        "summary": {"additions": 1, "diffs": [{"file": "w", "patch": "w", "additions": 1}]},
    }
    answer = {
        "id": "msg_1",
        "system": "w",
        "path": {"cwd": "/w", "root": "/w"},
        "structured": {"w": "w"},
        "format": {"type": "json_schema", "schema": {"w": "w"}},
        "error": {"name": "APIError", "data": {"message": "w", "statusCode": 400, "responseBody": "w"}},
        "summary": {"title": "w", "body": "w", "diffs": [{"file": "w", "patch": "w"}]},
    }
    file = {
        "id": "prt_9",
        "type": "file",
        "mime": "image/png",
        "url": "data:w",
        "filename": "w",
        "source": {"path": "w"},
    }
    state = {"status": "completed", "input": {"w": "w"}, "output": "w", "title": "w", "metadata": {"w": "w"}}
    parts = [
        {
            "id": "prt_1",
            "type": "tool",
            "tool": "read",
            "state": {**state, "attachments": [file]},
            "metadata": {"w": "w"},
        },
        {"id": "prt_2", "type": "subtask", "prompt": "w", "description": "w", "command": "w", "agent": "build"},
        {"id": "prt_3", "type": "patch", "hash": "w", "files": ["w"]},
        {"id": "prt_4", "type": "agent", "name": "build", "source": {"value": "w"}},
        {"id": "prt_5", "type": "retry", "attempt": 1, "error": {"name": "APIError", "data": {"message": "w"}}},
        {"id": "prt_6", "type": "step-start", "snapshot": "w"},
        file,
    ]
    clean = sanitized({"info": info, "messages": [{"info": answer, "parts": parts}]})
    assert '"w"' not in json.dumps(clean) and "/w" not in json.dumps(clean) and ":w" not in json.dumps(clean)
    assert clean["messages"][0]["info"]["error"]["data"]["statusCode"] == 400
