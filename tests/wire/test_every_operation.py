"""Each operation is performed once, and what it answers has the type it is declared with."""

from typing import Any
from urllib.parse import quote

import httpx2 as httpx
import msgspec
import pytest

from opencode.config.parse import parse_config
from opencode.config.schema import Config
from opencode.http.answer import Answer
from opencode.http.operations import OPERATIONS
from tests.wire.operations import ELSEWHERE, SAMPLES

BY_ID = {operation.id: operation for operation in OPERATIONS}


def test_every_operation_is_exercised() -> None:
    assert SAMPLES.keys() | ELSEWHERE.keys() == BY_ID.keys()


@pytest.fixture
async def known(client: httpx.AsyncClient) -> dict[str, str]:
    """A session with one message of one part, and the project and model in use."""
    session = (await client.post("/session", json={"title": "Sample"})).json()
    note = {"noReply": True, "parts": [{"type": "text", "text": "note"}]}
    message = (await client.post(f"/session/{session['id']}/message", json=note)).json()
    provider, model = next(iter((await client.get("/config/providers")).json()["default"].items()))
    return {
        "session": session["id"],
        "message": message["info"]["id"],
        "part": message["parts"][0]["id"],
        "project": session["projectID"],
        "provider": provider,
        "model": model,
    }


def filled(value: Any, known: dict[str, str]) -> Any:
    """The value with the names of what exists in place of ``{name}``."""
    match value:
        case str():
            return known.get(value[1:-1], value) if value.startswith("{") else value
        case dict():
            return {key: filled(item, known) for key, item in value.items()}
        case list():
            return [filled(item, known) for item in value]
    return value


@pytest.mark.parametrize("id", sorted(SAMPLES))
async def test_the_answer_has_the_declared_type(client: httpx.AsyncClient, known: dict[str, str], id: str) -> None:
    operation, sample = BY_ID[id], SAMPLES[id]
    path = operation.path.format(**{key: quote(value) for key, value in filled(sample.parameters, known).items()})
    answer = await client.request(
        operation.method, path, params=filled(sample.query, known), json=filled(sample.body, known)
    )
    assert answer.status_code == operation.status, answer.text
    if operation.status == 204:
        assert answer.content == b""
    elif operation.answer is Config:
        parse_config(answer.json())
    elif operation.answer is not Answer:
        msgspec.json.decode(answer.content, type=operation.answer)
