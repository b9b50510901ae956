"""ChatGPT subscriptions: where their requests go and what is in them."""

from opencode.auth.schema import OAuthCredential
from opencode.auth.secret import Secret
from opencode.core.ids import ProviderID
from opencode.provider.connection import Connection
from opencode.provider.errors import ProviderAuthFailed
from opencode.provider.wire.chatgpt import CHATGPT_URL, ChatGPTResponses
from tests.support.wires import RESPONSES, request_of, text_of, wire_under_test


class OneAccount:
    """Always signed in."""

    can_renew = False

    async def credential(self, refused: OAuthCredential | None = None) -> OAuthCredential:
        return OAuthCredential(Secret("refresh-1"), Secret("access-1"), 0, {"accountId": "acc-1"})

    def ended(self, reason: str) -> ProviderAuthFailed:
        return ProviderAuthFailed(ProviderID("wire"), reason)


async def test_a_request_names_the_account_and_carries_the_system_text_as_instructions() -> None:
    async with (
        wire_under_test(RESPONSES, key=None, account=OneAccount()) as unused,
        wire_under_test(
            RESPONSES, key=None, account=OneAccount(), options={"oauth": {"apiURL": unused.server.url}}
        ) as chatgpt,
    ):
        assert text_of(await chatgpt.ask(request_of(RESPONSES, "Hi", options={"store": True}))) == "OK."
        assert chatgpt.server.requests == []
        (request,) = unused.server.requests
    headers, body = request.headers, request.body
    assert request.path == "/v1/responses"
    assert (headers["authorization"], headers["chatgpt-account-id"]) == ("Bearer access-1", "acc-1")
    assert (headers["originator"], headers["session_id"]) == ("opencode", "ses_1")
    assert (body["instructions"], body["store"], body["stream"]) == ("You are a test.", False, True)
    assert [item["role"] for item in body["input"]] == ["user"]
    assert "max_output_tokens" not in body


def test_a_configured_address_is_for_keys_and_never_sees_the_account() -> None:
    place = Connection(provider_id="openai", npm=RESPONSES, base_url="https://proxy.example/v1", account=OneAccount())
    assert ChatGPTResponses().base_url(place) == CHATGPT_URL


def test_something_stands_in_the_instructions_when_there_is_no_system_text() -> None:
    assert ChatGPTResponses().body(request_of(RESPONSES, system=[]))["instructions"]
