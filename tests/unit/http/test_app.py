"""Requests through the whole application, over operations of the test's own."""

import gzip
from typing import Any

import httpx2 as httpx
import pytest

from opencode.http.app import Application
from opencode.http.decoding import DEEPEST, NULLS_FORGIVEN


async def test_a_record_is_answered_as_json(client: httpx.AsyncClient) -> None:
    answer = await client.get("/note/a%2Fb%20c")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == {"id": "a/b c", "text": "x"}


async def test_stored_bytes_pass_through_with_their_headers(client: httpx.AsyncClient) -> None:
    answer = await client.get("/raw/3")
    assert (answer.content, answer.headers["x-next-cursor"]) == (b'"xxx"', "c")


async def test_head_answers_like_get_without_a_body(client: httpx.AsyncClient) -> None:
    answer = await client.head("/raw/3")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "5")


async def test_head_of_a_stream_does_not_stream(client: httpx.AsyncClient) -> None:
    answer = await client.head("/events")
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"", "text/event-stream")


async def test_no_content_has_no_body(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/note/x")
    assert (answer.status_code, answer.content, "content-length" in answer.headers) == (204, b"", False)


async def test_one_trailing_slash_is_ignored(client: httpx.AsyncClient) -> None:
    assert (await client.get("/note/")).status_code == 200


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("PUT", "/note"), ("GET", "/"), ("POST", "/a/b")])
async def test_unknown_paths_and_methods_answer_404_as_json(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == 404
    assert answer.json() == {
        "name": "NotFoundError",
        "message": "Not Found",
        "data": {"message": "Not Found"},
        "error": "Not Found",
    }


async def test_a_named_error_has_the_body_of_all_generations(client: httpx.AsyncClient) -> None:
    answer = await client.get("/note/missing")
    message = "Note not found: missing"
    assert answer.status_code == 404
    assert answer.json() == {"name": "NotFoundError", "message": message, "data": {"message": message}}


async def test_a_tagged_error_repeats_its_fields_at_the_top(client: httpx.AsyncClient) -> None:
    answer = await client.get("/note/busy")
    fields = {"message": "Session is busy: ses_1", "sessionID": "ses_1"}
    assert answer.status_code == 409
    assert answer.json() == {"name": "SessionBusyError", "_tag": "SessionBusyError", "data": fields, **fields}


async def test_an_unexpected_error_tells_a_reference_and_nothing_else(client: httpx.AsyncClient, caplog: Any) -> None:
    answer = await client.get("/note/broken")
    body = answer.json()
    assert (answer.status_code, body["name"]) == (500, "UnknownError")
    assert "secret" not in answer.text
    assert body["data"]["ref"].startswith("err_")
    assert body["data"]["ref"] in [record.tags.get("ref") for record in caplog.records if hasattr(record, "tags")]


async def test_the_query_is_coerced(client: httpx.AsyncClient) -> None:
    answer = await client.get("/note?roots=1&limit=5&search=a+b&unknown=1")
    assert answer.json() == {"roots": True, "limit": 5, "search": "a b"}
    assert (await client.get("/note?roots=")).json() == {"roots": False}


@pytest.mark.parametrize(
    ("query", "expected", "field"),
    [("roots=yes", "boolean", "roots"), ("limit=abc", "number", "limit"), ("limit=", "number", "limit")],
)
async def test_a_query_that_cannot_be_coerced_answers_400(
    client: httpx.AsyncClient, query: str, expected: str, field: str
) -> None:
    answer = await client.get(f"/note?{query}")
    problem = f'Expected {expected}, got "{query.partition("=")[2]}"'
    issue = {"code": "invalid_type", "path": [field], "message": problem}
    message = f'{problem}\n  at ["{field}"]'
    assert answer.status_code == 400
    assert answer.json() == {
        "_tag": "BadRequest",
        "name": "BadRequest",
        "message": message,
        "data": {"message": message, "kind": "Query"},
        "success": False,
        "error": [issue],
        "errors": [issue],
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{}", 'Missing key\n  at ["text"]'),
        ("", 'Missing key\n  at ["text"]'),
        ('{"text": 5}', 'Expected str, got int\n  at ["text"]'),
        ('{"text": "x", "time": {"archived": "now"}}', 'Expected int, got str\n  at ["time"]["archived"]'),
        ("[]", "Expected object, got array"),
        ("null", "Expected object, got null"),
    ],
)
async def test_a_body_of_the_wrong_shape_answers_400_with_the_place(
    client: httpx.AsyncClient, body: str, message: str
) -> None:
    answer = await client.post("/note", content=body)
    assert answer.status_code == 400
    assert answer.json()["data"] == {"message": message, "kind": "Payload"}


@pytest.mark.parametrize("body", ["{not json", '{"text": null, not json', '{"text": null, "x": ' + "[" * 2000])
async def test_malformed_json_answers_400(client: httpx.AsyncClient, body: str) -> None:
    """Also where a null that would be forgiven comes first."""
    answer = await client.post("/note", content=body)
    assert (answer.status_code, answer.json()["data"]["kind"]) == (400, "Body")


async def test_the_content_type_of_a_body_does_not_matter(client: httpx.AsyncClient) -> None:
    answer = await client.post("/note", content='{"text":"x"}', headers={"content-type": "text/plain"})
    assert answer.json() == {"text": "x"}


async def test_null_counts_as_absent_but_stays_in_free_form_values(client: httpx.AsyncClient) -> None:
    body = {"text": "x", "time": {"archived": None}, "metadata": {"kept": None}}
    answer = await client.post("/note", json=body)
    assert answer.json() == {"text": "x", "time": {}, "metadata": {"kept": None}}


async def test_nulls_within_lists_are_forgiven_where_the_field_is_optional(client: httpx.AsyncClient) -> None:
    tags = [{"name": "a", "color": None}, {"name": "b", "color": None}]
    answer = await client.post("/note", json={"text": "x", "tags": tags})
    assert answer.json() == {"text": "x", "tags": [{"name": "a"}, {"name": "b"}]}
    required = await client.post("/note", json={"text": "x", "tags": [{"name": None}]})
    assert required.status_code == 400
    assert required.json()["data"]["message"] == 'Missing key\n  at ["tags"][0]["name"]'


async def test_what_many_items_have_in_common_is_forgiven_at_once(client: httpx.AsyncClient) -> None:
    """Not one item after the other, with the whole body read anew for each of them."""
    tags = [{"name": "a", "color": None}] * (NULLS_FORGIVEN + 1)
    answer = await client.post("/note", json={"text": "x", "tags": tags})
    assert answer.json()["tags"] == [{"name": "a"}] * (NULLS_FORGIVEN + 1)


@pytest.mark.parametrize(("levels", "status"), [(DEEPEST - 2, 200), (DEEPEST - 1, 400)])
async def test_free_form_values_are_taken_down_to_a_depth(client: httpx.AsyncClient, levels: int, status: int) -> None:
    deep = "[" * levels + "]" * levels
    answer = await client.post("/note", content=f'{{"text": "\\"[[[{{", "metadata": {{"a": {deep}}}}}')
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["data"]["message"] == f"Nested too deeply: more than {DEEPEST} levels"


async def test_a_body_of_many_values_is_not_a_deep_one(client: httpx.AsyncClient) -> None:
    wide: list[object] = [[], {}, "}]", [{}]] * DEEPEST
    answer = await client.post("/note", json={"text": "x", "metadata": {"a": wide}})
    assert answer.json()["metadata"] == {"a": wide}


async def test_a_body_beyond_the_limit_answers_400(table: Any, registry: Any) -> None:
    application = Application(table, registry, working_directory="/", body_limit=10)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=application), base_url="http://localhost") as client:
        answer = await client.post("/note", content=b'{"text": "too long"}')
    assert (answer.status_code, answer.json()["data"]["limit"]) == (400, 10)


async def test_a_malformed_id_answers_400(client: httpx.AsyncClient) -> None:
    answer = await client.get("/session/wrong/where")
    message = 'Expected a string starting with "ses", got "wrong"\n  at ["sessionID"]'
    assert (answer.status_code, answer.json()["data"]) == (400, {"message": message, "kind": "Params"})


async def test_the_directory_comes_from_query_then_header_then_the_server(client: httpx.AsyncClient) -> None:
    header = {"x-opencode-directory": "%2Fheader%20x"}
    assert (await client.get("/where?directory=/query/", headers=header)).json() == "/query"
    assert (await client.get("/where", headers=header)).json() == "/header x"
    assert (await client.get("/where?directory=%252Ftwice")).json() == "/twice"
    assert (await client.get("/where?directory=/stray%25")).json() == "/stray%"
    assert (await client.get("/where?directory=rel/../dir")).json() == "/cwd/dir"
    assert (await client.get("/where?directory=")).json() == "/cwd"


@pytest.mark.parametrize("directory", ["%00", "ä" * 128, "/".join(["x" * 250] * 16)])
async def test_a_directory_that_no_path_can_name_is_refused(client: httpx.AsyncClient, directory: str) -> None:
    answer = await client.get(f"/where?directory={directory}")
    assert (answer.status_code, answer.json()["name"]) == (400, "BadRequest")


async def test_a_session_is_served_by_its_own_directory(client: httpx.AsyncClient) -> None:
    assert (await client.get("/session/ses_1/where?directory=/query")).json() == "ses_1 in /stored"
    assert (await client.get("/session/ses_2/where?directory=/query")).json() == "ses_2 in /query"


async def test_operations_without_an_instance_open_none(client: httpx.AsyncClient, registry: Any) -> None:
    await client.get("/note?directory=/query")
    await client.get("/unknown?directory=/query")
    assert registry.opened == []


async def test_what_is_left_for_later_is_done_after_the_answer(client: httpx.AsyncClient, deeds: list[str]) -> None:
    assert (await client.post("/later")).json() is True
    assert deeds == ["after"]


async def test_what_fails_after_the_answer_is_logged(client: httpx.AsyncClient, caplog: Any) -> None:
    assert (await client.post("/later/fails")).json() is True
    assert "failed after the answer" in caplog.text


async def test_large_answers_are_compressed_when_asked(client: httpx.AsyncClient) -> None:
    async with client.stream("GET", "/raw/5000", headers={"accept-encoding": "gzip, deflate"}) as answer:
        packed = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert len(packed) < 100
    assert gzip.decompress(packed) == b'"' + b"x" * 5000 + b'"'


@pytest.mark.parametrize(("size", "accepted"), [(100, "gzip"), (5000, "identity"), (5000, "gzip;q=0")])
async def test_small_and_unwanted_answers_are_not_compressed(
    client: httpx.AsyncClient, size: int, accepted: str
) -> None:
    answer = await client.get(f"/raw/{size}", headers={"accept-encoding": accepted})
    assert "content-encoding" not in answer.headers
