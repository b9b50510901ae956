"""Exported sessions as sources of records."""

from typing import Any

import pytest

from opencode.transfer.errors import Unreadable
from opencode.transfer.export_file import ExportFile
from opencode.transfer.reading import OfficialReader, Problems

INFO = {"id": "ses_1", "directory": "/d", "title": "T", "version": "1", "time": {"created": 1, "updated": 2}}
MODEL = {"providerID": "p", "modelID": "m"}


def user(id: str, created: int) -> dict[str, Any]:
    return {
        "id": id,
        "sessionID": "ses_1",
        "role": "user",
        "agent": "build",
        "model": MODEL,
        "time": {"created": created},
    }


def text(id: str, message_id: str, text: str) -> dict[str, Any]:
    return {"id": id, "sessionID": "ses_1", "messageID": message_id, "type": "text", "text": text}


def texts(value: Any, problems: Problems) -> list[list[str]]:
    """The texts of each message."""
    reader = OfficialReader(ExportFile.of("file", value), problems)
    (session,) = reader.sessions()
    return [[part.text for part in message.parts] for message in reader.messages(session)]  # type: ignore[union-attr]


def test_what_cannot_be_read_is_named_by_its_place() -> None:
    messages = [
        {"info": user("msg_1", 1), "parts": [text("prt_1", "msg_1", "one"), {"type": "hologram"}]},
        "no message",
        {"info": user("msg_2", 2)},
    ]
    problems = Problems()
    assert texts({"info": INFO, "messages": messages}, problems) == [["one"], []]
    assert list(problems.found) == ["messages[0].parts[1]", "messages[1]"]


def test_the_items_of_a_share_page_are_put_together_in_order() -> None:
    items = [
        {"type": "part", "data": text("prt_3", "msg_2", "three")},
        {"type": "message", "data": user("msg_2", 2)},
        {"type": "session", "data": INFO},
        {"type": "message", "data": user("msg_1", 1)},
        {"type": "part", "data": text("prt_2", "msg_1", "two")},
        {"type": "part", "data": text("prt_1", "msg_1", "one")},
        {"type": "model", "data": []},
        {"type": "session_diff", "data": []},
    ]
    problems = Problems()
    assert texts(items, problems) == [["one", "two"], ["three"]]
    assert problems.found == {}


def test_what_readers_of_a_shared_session_get_is_a_session() -> None:
    shown = {name: value for name, value in INFO.items() if name not in ("id", "directory")}
    messages = [{"info": user("msg_1", 1), "parts": [text("prt_1", "msg_1", "one")]}]
    problems = Problems()
    (session,) = OfficialReader(ExportFile.of("link", {"session": shown, "messages": messages}), problems).sessions()
    assert (session.id, session.title, session.version) == ("ses_1", "T", "1")
    assert texts({"session": shown, "messages": messages}, problems) == [["one"]]
    assert problems.found == {}


NO_SESSION = [None, 1, {}, {"info": []}, [], [{"type": "message", "data": {}}], {"session": {}, "messages": []}]


@pytest.mark.parametrize("value", NO_SESSION)
def test_a_file_without_a_session_is_refused(value: Any) -> None:
    with pytest.raises(Unreadable, match="file holds no session: it should be what `opencode export` prints"):
        ExportFile.of("file", value)
