"""GitHub Copilot: which wire, which headers, whose reasoning, whose token."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from opencode.auth.schema import OAuthCredential
from opencode.auth.secret import Secret
from opencode.core.ids import ProviderID
from opencode.provider.errors import ProviderAuthFailed
from opencode.provider.request import (
    AssistantTurn,
    FileContent,
    ReasoningContent,
    TextContent,
    ToolCallContent,
    ToolResultContent,
    ToolTurn,
    UserTurn,
)
from opencode.provider.stream import ReasoningDelta, ReasoningEnd
from opencode.provider.wire.copilot import CopilotChat, CopilotChatDecoder, speaks_responses
from tests.support.scripted_model.script import Fail, turn
from tests.support.wires import model_of, request_of, text_of, wire_under_test

NPM = "@ai-sdk/github-copilot"
PNG = FileContent(mime="image/png", url="data:image/png;base64,AAAA")


@dataclass
class FixedAccount:
    """Gives what it has."""

    tokens: list[str] = field(default_factory=lambda: ["gho-1"])
    can_renew: bool = False

    async def credential(self, refused: OAuthCredential | None = None) -> OAuthCredential:
        if refused is not None:
            self.tokens.pop(0)
        return OAuthCredential(Secret(self.tokens[0]), Secret("unused"), 0)

    def ended(self, reason: str) -> ProviderAuthFailed:
        return ProviderAuthFailed(ProviderID("wire"), f"Sign in again: {reason}")


def request_with(*messages: Any, model_id: str = "claude-sonnet-4.5", **changes: Any) -> Any:
    return request_of(NPM, model=model_of(NPM, id=model_id), messages=list(messages), **changes)


USER = UserTurn(content=[TextContent(text="Hello")])
CALL = AssistantTurn(content=[ToolCallContent(call_id="c", name="read", input={})])


def result(*files: FileContent) -> ToolTurn:
    return ToolTurn(content=[ToolResultContent(call_id="c", name="read", output="x", files=list(files))])


@pytest.mark.parametrize(
    ("model_id", "responses"),
    [
        ("gpt-5", True),
        ("gpt-5.1-codex", True),
        ("gpt-6", True),
        ("gpt-10-x", True),
        ("gpt-5-mini", False),
        ("gpt-5-mini-2", False),
        ("gpt-4.1", False),
        ("gpt-4o", False),
        ("claude-sonnet-4.5", False),
        ("my-gpt-5", False),
    ],
)
def test_newer_gpt_models_speak_responses(model_id: str, responses: bool) -> None:
    assert speaks_responses(model_id) is responses


@pytest.mark.parametrize(("model_id", "path"), [("gpt-5", "/v1/responses"), ("gpt-4.1", "/v1/chat/completions")])
async def test_each_model_is_asked_over_its_wire_with_the_accounts_token(model_id: str, path: str) -> None:
    async with wire_under_test(NPM, key=None, account=FixedAccount()) as copilot:
        copilot.server.push("Hi.")
        assert text_of(await copilot.ask(request_with(USER, model_id=model_id))) == "Hi."
        (request,) = copilot.server.requests
    assert (request.path, request.headers["authorization"]) == (path, "Bearer gho-1")


async def test_a_key_of_the_environment_is_used_where_nobody_signed_in() -> None:
    async with wire_under_test(NPM) as copilot:
        await copilot.ask(request_with(USER))
        assert copilot.server.requests[0].headers["authorization"] == "Bearer key-wire"


@pytest.mark.parametrize(
    ("messages", "headers", "initiator", "vision"),
    [
        ((USER,), {}, "user", None),
        ((USER,), {"x-parent-session-id": "ses_0"}, "agent", None),
        ((USER, CALL, result()), {}, "agent", None),
        ((UserTurn(content=[PNG]),), {}, "user", "true"),
        ((USER, CALL, result(PNG)), {}, "agent", "true"),
        ((UserTurn(content=[FileContent(mime="application/pdf", url="data:,x")]),), {}, "user", None),
    ],
)
async def test_headers_tell_who_began_and_whether_there_are_images(
    messages: tuple[Any, ...], headers: dict[str, str], initiator: str, vision: str | None
) -> None:
    async with wire_under_test(NPM) as copilot:
        await copilot.ask(request_with(*messages, headers=headers))
        sent = copilot.server.requests[0].headers
    assert (sent["x-initiator"], sent.get("copilot-vision-request")) == (initiator, vision)
    assert sent["openai-intent"] == "conversation-edits"


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_sign_in_is_told_as_one(status: int) -> None:
    async with wire_under_test(NPM, key=None, account=FixedAccount()) as copilot:
        copilot.server.push(turn(Fail(status)))
        with pytest.raises(ProviderAuthFailed, match=f"Sign in again: the provider answered {status}"):
            await copilot.ask(request_with(USER))


async def test_a_refused_token_that_can_be_renewed_is_renewed_once() -> None:
    async with wire_under_test(NPM, key=None, account=FixedAccount(["old", "new"], can_renew=True)) as copilot:
        copilot.server.push(turn(Fail(401)), "Hi.")
        assert text_of(await copilot.ask(request_with(USER))) == "Hi."
        assert [request.headers["authorization"] for request in copilot.server.requests] == ["Bearer old", "Bearer new"]


def chunk(**delta: Any) -> bytes:
    return msgspec.json.encode({"choices": [{"delta": delta}]})


def test_reasoning_in_copilots_fields_is_read_and_sent_back_as_it_came() -> None:
    decoder = CopilotChatDecoder()
    pieces = (chunk(reasoning_text="Let me "), chunk(reasoning_text="think."), chunk(reasoning_opaque="sealed"))
    stop = msgspec.json.encode({"choices": [{"delta": {"content": "Done."}, "finish_reason": "stop"}]})
    events = [event for piece in (*pieces, stop, b"[DONE]") for event in decoder.feed(piece)] + list(decoder.finish())
    assert "".join(event.text for event in events if isinstance(event, ReasoningDelta)) == "Let me think."
    (end,) = [event for event in events if isinstance(event, ReasoningEnd)]
    replayed = AssistantTurn(
        content=[ReasoningContent(text="Let me think.", metadata=end.metadata), TextContent(text="Done.")]
    )
    body = CopilotChat().body(request_with(USER, replayed, USER, model_id="gemini-3-pro"))
    assert body["messages"][2] == {
        "role": "assistant",
        "content": "Done.",
        "reasoning_text": "Let me think.",
        "reasoning_opaque": "sealed",
    }


@pytest.mark.parametrize("data", [b'{"reasoning_', b'["reasoning_text"]', b'{"choices": [{"delta": "reasoning_"}]}'])
def test_what_is_no_chunk_is_refused_like_on_every_wire(data: bytes) -> None:
    with pytest.raises(Exception, match="JSON"):
        list(CopilotChatDecoder().feed(data))
