"""The words of a refusal: clients and models tell the kinds apart by them."""

from collections.abc import Callable

import pytest

from opencode.permission.errors import (
    PermissionCorrected,
    PermissionDenied,
    PermissionRejected,
    PermissionRequestNotFound,
    Rejected,
)
from opencode.permission.schema import PermissionRule

RULE = PermissionRule(permission="bash", pattern="*", action="deny")


@pytest.mark.parametrize(
    ("make", "words", "stops_turn"),
    [
        (
            lambda: PermissionDenied([RULE]),
            "The user has specified a rule which prevents you from using this specific tool call. Here are some of the"
            ' relevant rules [{"permission":"bash","pattern":"*","action":"deny"}]',
            False,
        ),
        (lambda: PermissionRejected(), "The user rejected permission to use this specific tool call.", True),
        (
            lambda: PermissionCorrected("use ls"),
            "The user rejected permission to use this specific tool call with the following feedback: use ls",
            False,
        ),
    ],
)
def test_a_refusal_says_who_refused_and_whether_the_turn_ends(
    make: Callable[[], Rejected], words: str, stops_turn: bool
) -> None:
    refusal = make()
    assert (str(refusal), refusal.stops_turn) == (words, stops_turn)


def test_a_refusal_remembers_what_it_is_made_of() -> None:
    assert PermissionDenied([RULE]).rules == [RULE]
    assert PermissionCorrected("use ls").feedback == "use ls"


def test_an_unknown_request_is_named() -> None:
    assert PermissionRequestNotFound("per_1").data == {
        "message": "Permission request not found: per_1",
        "requestID": "per_1",
    }
