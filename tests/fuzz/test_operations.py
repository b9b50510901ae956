"""Schemathesis against our own document: whatever is sent, the answer is one that the document promises.

The short form runs with the suite; ``make fuzz`` makes many more requests (``FUZZ_CASES``) with new random data.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from opencode.http.openapi import openapi_document
from opencode.http.operations import OPERATIONS

CASES = int(os.environ.get("FUZZ_CASES", "0"))
SHORT = 6
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SECONDS = 20
ELSEWHERE = 7
"""For each request that may name a directory so many that do not: to open all that are named takes long."""

UNSUITED = {
    "event.subscribe": "a stream without end",
    "global.event": "a stream without end",
    "seed.session.event": "a stream without end",
    "session.shell": "runs what it is sent",
    "tui.control.next": "waits without end",
    "v1.chat.stream": "a stream",
    "v1.chat.stream.get": "a stream",
}
"""Operations that are not sent random requests."""

SCHEMA = schemathesis.openapi.from_dict(openapi_document(OPERATIONS))
FUZZED = {
    operation.definition.raw["operationId"]: operation
    for operation in (result.ok() for result in SCHEMA.get_all_operations())
    if operation.definition.raw["operationId"] not in UNSUITED
}
EXAMPLES = max(SHORT, CASES // len(FUZZED))


@pytest.fixture(scope="module")
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.fixture(scope="module")
def known(server_url: str, http: requests.Session) -> dict[str, str]:
    """Ids that exist, for the paths of some requests."""
    session = http.post(f"{server_url}/session", json={}).json()
    note = {"noReply": True, "parts": [{"type": "text", "text": "hello"}]}
    message = http.post(f"{server_url}/session/{session['id']}/message", json=note).json()
    return {
        "sessionID": session["id"],
        "messageID": message["info"]["id"],
        "partID": message["parts"][0]["id"],
        "projectID": session["projectID"],
    }


@pytest.mark.parametrize("operation_id", sorted(FUZZED))
def test_every_answer_is_one_the_document_promises(
    operation_id: str, server_url: str, http: requests.Session, known: dict[str, str]
) -> None:
    operation = FUZZED[operation_id]

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        derandomize=not CASES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(), st.booleans(), st.sampled_from([True] + [False] * ELSEWHERE))
    def send(case: Any, is_known: bool, is_elsewhere: bool) -> None:
        if not (is_elsewhere and _is_inside(case)):
            (case.query or {}).pop("directory", None)
        if is_known:
            case.path_parameters.update({name: known[name] for name in case.path_parameters if name in known})
        answer = case.call(base_url=server_url, session=http, timeout=SECONDS)
        case.validate_response(answer, checks=CHECKS[:-1] if _is_note(operation_id, case) else CHECKS)

    send()


def _is_note(operation_id: str, case: Any) -> bool:
    """Whether the answer is the user's own message, where the official document knows only the assistant's."""
    return operation_id == "session.prompt" and isinstance(case.body, dict) and case.body.get("noReply") is True


def _is_inside(case: Any) -> bool:
    """Whether the directory is one below the project: some operations write there."""
    directory = str((case.query or {}).get("directory", ""))
    return not directory.startswith(("/", "%2", "~")) and ".." not in directory
