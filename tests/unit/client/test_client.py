"""The operations against a server that records what it is asked."""

import json
from typing import Any

import httpx2
import pytest

from opencode.client.client import OpenCodeClient
from opencode.client.errors import RequestFailed, ServerUnreachable
from opencode.permission.schema import PermissionRule
from opencode.provider.schema import ModelRef
from opencode.session.inputs import CreateSession, PromptInput
from opencode.session.schema import TextPartInput

SESSION = {
    "id": "ses_1",
    "slug": "calm-river",
    "projectID": "p",
    "directory": "/d",
    "title": "t",
    "version": "1.18.33",
    "time": {"created": 1, "updated": 2},
}


class Recorder:
    """Answers everything with the same JSON."""

    def __init__(self, answer: Any, status: int = 200) -> None:
        self._answer = answer
        self._status = status
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        if self._status == 204:
            return httpx2.Response(204)
        return httpx2.Response(self._status, json=self._answer)

    @property
    def body(self) -> Any:
        return json.loads(self.requests[-1].content)

    def client(self, **options: Any) -> OpenCodeClient:
        return OpenCodeClient("http://server/", transport=httpx2.MockTransport(self), **options)


async def test_a_session_is_created_with_what_was_given_and_nothing_else() -> None:
    server = Recorder(SESSION)
    async with server.client() as client:
        rules = [PermissionRule(permission="question", pattern="*", action="deny")]
        session = await client.create_session(CreateSession(permission=rules))
    assert (session.id, session.directory, session.time.updated) == ("ses_1", "/d", 2)
    assert server.body == {"permission": [{"permission": "question", "pattern": "*", "action": "deny"}]}


async def test_the_directory_goes_percent_encoded_in_its_header() -> None:
    server = Recorder({"healthy": True, "version": "1.18.33"})
    async with server.client(directory="/home/jörg/a b") as client:
        await client.health()
    assert server.requests[0].headers["x-opencode-directory"] == "%2Fhome%2Fj%C3%B6rg%2Fa%20b"


async def test_credentials_go_as_basic_authentication_and_only_when_there_is_a_password() -> None:
    server = Recorder([])
    async with server.client(password="pw") as client:
        await client.sessions()
    async with server.client() as client:
        await client.sessions()
    assert [request.headers.get("authorization") for request in server.requests] == ["Basic b3BlbmNvZGU6cHc=", None]


async def test_an_asynchronous_prompt_is_done_when_it_is_accepted() -> None:
    server = Recorder(None, status=204)
    async with server.client() as client:
        model = ModelRef(provider_id="demo", model_id="demo")
        await client.prompt_async("ses_1", PromptInput(model=model, parts=[TextPartInput(text="hi")]))
    assert server.requests[0].url.path == "/session/ses_1/prompt_async"
    assert server.body == {
        "model": {"providerID": "demo", "modelID": "demo"},
        "parts": [{"type": "text", "text": "hi"}],
    }


async def test_a_named_error_keeps_its_name_data_and_status() -> None:
    server = Recorder({"name": "NotFoundError", "data": {"message": "Session not found: ses_x", "id": "ses_x"}}, 404)
    async with server.client() as client:
        with pytest.raises(RequestFailed, match="Session not found: ses_x") as caught:
            await client.session("ses_x")
    assert (caught.value.status, caught.value.name, caught.value.data["id"]) == (404, "NotFoundError", "ses_x")


@pytest.mark.parametrize("answer", [[], "text", {"data": 3}, {}])
async def test_an_error_of_any_shape_is_still_told(answer: Any) -> None:
    async with Recorder(answer, 500).client() as client:
        with pytest.raises(RequestFailed, match="The server answered 500"):
            await client.agents()


async def test_ids_cannot_leave_their_place_in_the_path() -> None:
    server = Recorder(True)
    async with server.client() as client:
        await client.abort("../global/dispose?x")
    assert server.requests[0].url.raw_path == b"/session/..%2Fglobal%2Fdispose%3Fx/abort"


async def test_a_missing_server_is_named() -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("connection refused")

    async with OpenCodeClient("http://server", transport=httpx2.MockTransport(refuse)) as client:
        with pytest.raises(ServerUnreachable, match="http://server: connection refused"):
            await client.health()


async def test_replies_to_permissions_and_questions_have_the_bodies_the_server_wants() -> None:
    server = Recorder(True)
    async with server.client() as client:
        assert await client.reply_permission("per_1", "reject", "not now")
        assert await client.reply_permission("per_1", "once")
        assert await client.reply_question("que_1", [["a"], ["b", "c"]])
        assert await client.reject_question("que_1")
    sent = [(request.url.path, json.loads(request.content or b"null")) for request in server.requests]
    assert sent == [
        ("/permission/per_1/reply", {"reply": "reject", "message": "not now"}),
        ("/permission/per_1/reply", {"reply": "once"}),
        ("/question/que_1/reply", {"answers": [["a"], ["b", "c"]]}),
        ("/question/que_1/reject", None),
    ]
