"""The wire base: names, absence, and immutability."""

import msgspec
import pytest

from opencode.core.wire import UNSET, UnsetType, Wire, decode, encode, wire_name


class Sample(Wire):
    session_id: str
    note: str | UnsetType | None = UNSET


@pytest.mark.parametrize(
    ("field", "name"),
    [("session_id", "sessionID"), ("id", "id"), ("is_retryable", "isRetryable"), ("next_cursor", "nextCursor")],
)
def test_fields_are_spelled_as_clients_expect(field: str, name: str) -> None:
    assert wire_name(field) == name


def test_unset_is_absent_and_none_is_null() -> None:
    assert encode(Sample(session_id="s")) == b'{"sessionID":"s"}'
    assert encode(Sample(session_id="s", note=None)) == b'{"sessionID":"s","note":null}'


def test_records_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Sample(session_id="s").session_id = "t"  # type: ignore[misc]


def test_a_fault_names_its_path() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"\$\.sessionID"):
        decode(b'{"sessionID":1}', Sample)
