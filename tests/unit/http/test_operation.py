"""Declaring operations."""

import pytest

from opencode.core.ids import SessionID
from opencode.core.wire import UNSET, UnsetType, Wire
from opencode.http.answer import Later, Raw, Stream
from opencode.http.operation import DeclarationError, Soon, operation
from opencode.http.table import OperationTable


class Body(Wire):
    text: str | UnsetType = UNSET


async def handler(instance: object, session_id: SessionID, body: Body) -> Raw[list[str]]:
    """What it does. More about it."""
    return Raw(b"[]")


async def without_answer(session_id):  # type: ignore[no-untyped-def]
    return session_id


async def stream(shared: object) -> Stream[str]:
    """A stream."""
    raise AssertionError


async def later() -> Later[bool]:
    """Later."""
    raise AssertionError


def sometimes() -> Soon[Raw[list[int]]]:
    """Waits sometimes."""
    raise AssertionError


def test_the_signature_says_what_there_is_to_know() -> None:
    declared = operation("a.b", "POST", "/session/{sessionID}/x")(handler)
    assert (declared.answer, declared.content_type) == (list[str], "application/json")
    assert (declared.body_type, declared.query_type, declared.scope) == (Body, None, "session")
    assert declared.summary == "What it does. More about it"
    assert [(parameter.name, parameter.argument, parameter.prefix) for parameter in declared.parameters] == [
        ("sessionID", "session_id", "ses")
    ]


def test_streams_and_operations_without_an_instance_are_told_from_the_signature() -> None:
    declared = operation("a.b", "GET", "/x")(stream)
    assert (declared.is_stream, declared.scope, declared.answer) == (True, "global", str)
    assert operation("a.c", "GET", "/y")(later).answer is bool


def test_what_is_answered_soon_is_answered_all_the_same() -> None:
    declared = operation("a.b", "GET", "/x")(sometimes)
    assert (declared.answer, declared.content_type) == (list[int], "application/json")


def test_a_path_parameter_that_nobody_takes_is_an_error() -> None:
    with pytest.raises(DeclarationError, match="takes no messageID"):
        operation("a.b", "GET", "/session/{sessionID}/{messageID}")(handler)


def test_a_parameter_that_nothing_fills_is_an_error() -> None:
    with pytest.raises(DeclarationError, match="nothing fills session_id"):
        operation("a.b", "POST", "/session")(handler)


def test_a_handler_that_does_not_say_what_it_answers_is_an_error() -> None:
    with pytest.raises(DeclarationError, match="does not say"):
        operation("a.b", "GET", "/{sessionID}")(without_answer)


def test_an_id_or_a_route_is_declared_once() -> None:
    first = operation("a.b", "GET", "/x")(stream)
    with pytest.raises(ValueError, match=r"a\.b"):
        OperationTable([first, operation("a.b", "GET", "/y")(later)])
    with pytest.raises(ValueError, match="GET /x"):
        OperationTable([first, operation("a.c", "GET", "/x")(later)])
