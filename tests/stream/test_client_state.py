"""The instruments: what a client makes of events, and whether a missed one is found out."""

from typing import Any

import pytest

from tests.stream.client_state import ClientState, differences

SESSION = {"id": "ses_1", "title": "x"}
MESSAGE = {"id": "msg_1", "sessionID": "ses_1"}
PART = {"id": "prt_1", "messageID": "msg_1", "sessionID": "ses_1", "type": "text", "text": "a"}
OTHER = {**PART, "id": "prt_2"}
DELTA = {"sessionID": "ses_1", "messageID": "msg_1", "partID": "prt_1", "field": "text", "delta": "b"}
EVENTS: list[tuple[str, dict[str, Any]]] = [
    ("session.created", {"info": SESSION}),
    ("session.status", {"sessionID": "ses_1", "status": {"type": "busy"}}),
    ("message.updated", {"info": MESSAGE}),
    ("message.part.updated", {"part": PART}),
    ("message.part.delta", DELTA),
    ("message.part.updated", {"part": OTHER}),
    ("message.part.removed", {"sessionID": "ses_1", "messageID": "msg_1", "partID": "prt_2"}),
    ("todo.updated", {"sessionID": "ses_1", "todos": [{"content": "x"}]}),
    ("permission.asked", {"id": "per_1"}),
    ("session.updated", {"info": {**SESSION, "title": "y"}}),
]


def state_after(events: list[tuple[str, dict[str, Any]]]) -> ClientState:
    state = ClientState()
    for kind, properties in events:
        # Copied: states must not share what a delta changes.
        state.apply(kind, {key: dict(value) if isinstance(value, dict) else value for key, value in properties.items()})
    return state


def test_events_become_the_records_that_the_server_would_answer() -> None:
    assert state_after(EVENTS).shown() == {
        "sessions": {"ses_1": {**SESSION, "title": "y"}},
        "messages": {"ses_1": [(MESSAGE, [{**PART, "text": "ab"}])]},
        "parts without a message": {},
        "statuses": {"ses_1": {"type": "busy"}},
        "todos": {"ses_1": [{"content": "x"}]},
        "permissions": {"per_1": {"id": "per_1"}},
    }


def test_what_is_deleted_leaves_nothing() -> None:
    asked_and_told = [("permission.replied", {"requestID": "per_1"}), ("session.deleted", {"info": SESSION})]
    assert state_after([*EVENTS, *asked_and_told]).shown() == ClientState().shown()


@pytest.mark.parametrize("missed", [i for i in range(len(EVENTS)) if EVENTS[i][1] != {"part": OTHER} and i != 0])
def test_a_client_that_missed_an_event_is_found_out(missed: int) -> None:
    client = state_after(EVENTS[:missed] + EVENTS[missed + 1 :])
    assert differences(client.shown(), state_after(EVENTS).shown())
