"""The document against the official one, reduced to its structure (``tests/support/strip_openapi.py``)."""

import json
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from opencode.http.json_schema import SchemaWriter
from opencode.http.openapi import openapi_document
from opencode.http.operations import MODULES, OPERATIONS
from tests.support.openapi_shape import parts

TESTS = Path(__file__).parents[2]

SEED = "older clients send or read it (seed variants)"
CLIENTS = "older clients read it"
OBSERVED = "the official server answers so, whatever its document says"
DELIVERY = "`delivery`: a prompt may wait for a turn of its own; ours"
WAITS = "what a session waits for; ours"
TAKEN = "`messageID`: another session may have it; ours"
MISSING = "an unknown session is an error"
DECODES = "the same errors as of every operation with a body"
NARROW = "the official document names what it does not promise"

DIFFERENCES = {
    "event.subscribe 400": "a broken configuration is answered before the stream begins",
    "global.health 200": "`server`: our own version, beside that of the API",
    "permission.respond body": SEED,
    "project.update body": SEED,
    "session.abort 404": MISSING,
    "session.command body": DELIVERY,
    **{f"session.{name} 409": TAKEN for name in ("prompt", "prompt_async", "command", "init")},
    "session.prompt body": DELIVERY,
    "session.prompt_async body": DELIVERY,
    "session.create 404": f"`parentID`: {MISSING}",
    "session.diff 404": MISSING,
    "session.create body": f"`directory`: {SEED}",
    "session.shell body": "`agent` may be left out: the session's agent runs the command",
    "tui.control.response 400": DECODES,
    "tui.showToast 400": DECODES,
    "schema AssistantMessage": "`UnansweredError`, `BudgetExceededError` where the configuration asks for them",
    "schema EventSessionError": "`UnansweredError`, `BudgetExceededError` where the configuration asks for them",
    "schema Config": f"`theme`, `keybinds`, `tui`: {CLIENTS}; `model_fallback`, `retry`, `budget`: ours",
    "schema EventQuestionReplied": f"answers stand in place instead of by name; {NARROW}",
    "schema EventServerInstanceDisposed": "the id has the pattern of all event ids",
    "schema FileContent": "`diff`, `patch`: the official server sends neither",
    "schema GlobalSession": f"`tokens.total`: {CLIENTS}",
    "schema MessageOutputLengthError": "an object without fields, said in another way",
    "schema Model": "the names of `interleaved.field` are examples; any text is allowed in both",
    "schema OutputFormatJsonSchema": "any object, said in another way",
    "schema Project": SEED,
    "schema ProjectIcon": SEED,
    "schema ServerConfig": SEED,
    "schema Session": f"`tokens.total`: {CLIENTS}",
    "schema SessionStatus": "the console's offers in `retry.action` do not exist here",
    "schema Todo": f"`id`: {CLIENTS}",
    "schema UnknownError": "errors of messages carry no reference to the log",
    "schema UserMessage": f"`variant`: {CLIENTS}",
    "schema VcsInfo": f"null without a branch: {OBSERVED}",
    "schema Workspace": "`timeUsed` is a number: JSON has no infinity; `extra` is anything",
}
"""Every difference, with its reason."""

OURS_ALONE = {
    "schema ConflictError": "what imports answer when an id belongs to another message; ours",
    "schema Event": "only the events this server has",
    "schema GlobalEvent": "only the events this server has",
    "schema EventServerHeartbeat": OBSERVED,
    **{
        f"schema Event.tui.{name}": "in the official document, not in its reduction"
        for name in ("command.execute", "prompt.append", "session.select", "toast.show")
    },
    "schema EventServerResync": "tells a client that it has missed events; ours",
    "schema EventAskDeadline": "tells when a request ends that nobody is there to answer; ours",
    "schema EventSessionQueue": "the prompts that wait for a turn of their own; ours",
    "schema QueuedPrompt": "a prompt that nobody works on yet; ours",
    "schema BudgetExceededError": "the next call would pass what may be spent; ours",
    "schema BudgetState": "what may be spent and what is; ours",
    "schema EventBudgetExceeded": "tells that a call was not made; ours",
    "schema EventSessionModelSwitched": "tells that another model goes on; ours",
    "schema UnansweredError": "nobody was there to answer, and that is to be a failure; ours",
    **{
        f"schema {name}": WAITS
        for name in (
            "Release",
            "SessionWait",
            "SessionWhy",
            "WaitCompaction",
            "WaitModel",
            "WaitPermission",
            "WaitQuestion",
            "WaitQueue",
            "WaitRetry",
            "WaitStopping",
            "WaitStorage",
            "WaitSubagent",
            "WaitTool",
            "WaitWork",
        )
    },
}


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    document = openapi_document(OPERATIONS)
    return parts({"paths": document["paths"], "schemas": document["components"]["schemas"]})


@pytest.fixture(scope="module")
def official() -> dict[str, Any]:
    path = TESTS / "fixtures" / "openapi" / "official-1.18.33.json"
    return parts(json.loads(path.read_text("utf-8")))


def test_every_official_operation_here_has_the_official_shape(ours: dict[str, Any], official: dict[str, Any]) -> None:
    """Path, method, parameters, body, answers and named schemas; both ways."""
    ids = {operation.id for operation in OPERATIONS if operation.source == "official"}
    names = {part for part in ours if part.startswith("schema ")}
    compared = {part for part in {*ours, *official} if part.split()[0] in ids} | names
    different = {part for part in compared if ours.get(part) != official.get(part)}
    assert different == DIFFERENCES.keys() | OURS_ALONE.keys()


def test_what_is_called_official_exists_officially(official: dict[str, Any]) -> None:
    known = {part.split()[0] for part in official}
    assert {operation.id for operation in OPERATIONS if operation.source == "official"} <= known


def test_every_reference_of_the_document_leads_somewhere() -> None:
    document = openapi_document(OPERATIONS)
    text = json.dumps(document)
    names = {piece.split('"', 1)[0] for piece in text.split("#/components/schemas/")[1:]}
    assert names <= document["components"]["schemas"].keys()


def test_every_operation_has_a_summary_and_is_listed_by_its_module() -> None:
    for module in MODULES:
        declared = {value for value in vars(module).values() if hasattr(value, "handler")}
        assert declared == set(module.operations)
    assert [operation.id for operation in OPERATIONS if not operation.summary] == []


def test_schemas_of_types_that_have_none_are_refused() -> None:
    with pytest.raises(TypeError, match="no schema for"):
        SchemaWriter({}).schema(complex)


def test_constraints_stand_in_the_schema() -> None:
    schema = SchemaWriter({}).schema(Annotated[int, msgspec.Meta(ge=1, le=5)] | None)
    assert schema == {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 5}, {"type": "null"}]}
