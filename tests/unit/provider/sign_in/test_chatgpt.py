"""OpenAI's sign-in for subscriptions, in a browser and with a code, and how its tokens are renewed."""

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx2 as httpx
import pytest

from opencode.auth.schema import OAuth, OAuthCredential
from opencode.auth.secret import Secret
from opencode.provider.sign_in.chatgpt import CLIENT_ID, account_id, begin_in_browser, begin_with_code, renew
from opencode.provider.sign_in.errors import ServerRefused, ServerUnreachable
from opencode.provider.sign_in.method import SignedIn
from tests.support.oauth_server import Reply, token_of
from tests.unit.provider.sign_in.conftest import NOW_MS, Place

USER_CODE, DEVICE_TOKEN, TOKEN = "/api/accounts/deviceauth/usercode", "/api/accounts/deviceauth/token", "/oauth/token"
TOKENS = {"access_token": "access-1", "refresh_token": "refresh-1", "id_token": token_of("acc_1"), "expires_in": 60}
SIGNED_IN = SignedIn(OAuth(refresh="refresh-1", access="access-1", expires=NOW_MS + 60_000, account_id="acc_1"))


async def visit(url: str, **query: str) -> httpx.Response:
    """What a browser does that is sent back."""
    async with httpx.AsyncClient() as browser:
        return await browser.get(url.replace("localhost", "127.0.0.1"), params=query)


async def test_the_browser_comes_back_with_a_code_that_only_we_can_use(place: Place) -> None:
    place.server.push(TOKEN, TOKENS)
    with anyio.fail_after(20):
        async with begin_in_browser({}, place.context()) as flow:
            asked = {name: values[0] for name, values in parse_qs(urlsplit(flow.url).query).items()}
            assert flow.url.startswith(f"{place.server.url}/oauth/authorize?")
            page = await visit(asked["redirect_uri"], code="code-1", state=asked["state"])
            assert await flow.finish("") == SIGNED_IN
    assert (page.status_code, "signed in" in page.text) == (200, True)
    assert (asked["client_id"], asked["response_type"], asked["code_challenge_method"]) == (CLIENT_ID, "code", "S256")
    (sent,) = place.server.fields(TOKEN)
    digest = hashlib.sha256(sent.pop("code_verifier").encode()).digest()
    assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == asked["code_challenge"]
    assert sent == {
        "grant_type": "authorization_code",
        "code": "code-1",
        "redirect_uri": asked["redirect_uri"],
        "client_id": CLIENT_ID,
    }


async def test_who_does_not_know_the_state_changes_nothing(place: Place) -> None:
    place.server.push(TOKEN, TOKENS)
    with anyio.fail_after(20):
        async with begin_in_browser({}, place.context()) as flow:
            asked = {name: values[0] for name, values in parse_qs(urlsplit(flow.url).query).items()}
            back, state = asked["redirect_uri"], asked["state"]
            assert (await visit(back, code="evil", state="guessed")).status_code == 404
            assert (await visit(back, error="access_denied")).status_code == 404
            assert (await visit(back + "/other", code="evil", state=state)).status_code == 404
            assert (await visit(back, code="code-1", state=state)).status_code == 200
            assert (await visit(back, code="late", state=state)).status_code == 404
            await flow.finish("")
    assert [sent["code"] for sent in place.server.fields(TOKEN)] == ["code-1"]


async def test_a_refusal_in_the_browser_is_told(place: Place) -> None:
    with anyio.fail_after(20):
        async with begin_in_browser({}, place.context()) as flow:
            asked = {name: values[0] for name, values in parse_qs(urlsplit(flow.url).query).items()}
            page = await visit(asked["redirect_uri"], error="access_denied", state=asked["state"])
            with pytest.raises(ServerRefused, match="access_denied"):
                await flow.finish("")
    assert page.status_code == 400
    assert place.server.asked == []


async def test_a_port_that_is_taken_is_named(place: Place) -> None:
    async with await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0) as taken:
        port = taken.extra(anyio.abc.SocketAttribute.local_port)
        with pytest.raises(ServerUnreachable, match=f"Port {port}"):
            async with begin_in_browser({}, place.context(redirect_port=port)):
                raise AssertionError


async def test_connections_that_are_no_request_are_closed(place: Place) -> None:
    with anyio.fail_after(20):
        async with begin_in_browser({}, place.context()) as flow:
            back = urlsplit(parse_qs(urlsplit(flow.url).query)["redirect_uri"][0])
            assert back.port is not None
            async with await anyio.connect_tcp("127.0.0.1", back.port) as stream:
                await stream.send(b"\x16\x03\x01 what is this\r\n\r\n")
                with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                    await stream.receive()
            assert (await visit(back.geturl(), state="x")).status_code == 404


async def test_a_code_is_entered_anywhere_and_asked_for_until_then(place: Place) -> None:
    place.server.push(USER_CODE, {"device_auth_id": "dev-1", "user_code": "ABCD-12345", "interval": "9"})
    granted = {"authorization_code": "code-2", "code_verifier": "verifier-2"}
    place.server.push(DEVICE_TOKEN, Reply(status=403), Reply(status=404), granted)
    place.server.push(TOKEN, TOKENS)
    async with begin_with_code({}, place.context()) as flow:
        assert (flow.url, flow.kind) == (f"{place.server.url}/codex/device", "auto")
        assert "ABCD-12345" in flow.instructions
        assert await flow.finish("") == SIGNED_IN
    assert place.pauses == [12, 12]
    assert place.server.fields(DEVICE_TOKEN)[0] == {"device_auth_id": "dev-1", "user_code": "ABCD-12345"}
    assert place.server.fields(TOKEN) == [
        {
            "grant_type": "authorization_code",
            "code": "code-2",
            "redirect_uri": f"{place.server.url}/deviceauth/callback",
            "client_id": CLIENT_ID,
            "code_verifier": "verifier-2",
        }
    ]


async def test_accounts_without_codes_are_told_what_to_do(place: Place) -> None:
    place.server.push(USER_CODE, Reply(status=404))
    with pytest.raises(ServerRefused, match="security settings"):
        async with begin_with_code({}, place.context()):
            raise AssertionError


@pytest.mark.parametrize(("given", "kept"), [("refresh-2", "refresh-2"), (None, "refresh-1")])
async def test_renewed_tokens_keep_the_refresh_token_unless_there_is_a_new_one(
    place: Place, given: str | None, kept: str
) -> None:
    place.server.push(TOKEN, {"access_token": token_of("acc_1"), "refresh_token": given})
    old = OAuthCredential(Secret("refresh-1"), Secret("access-1"), 5)
    new = await renew(old, place.context())
    assert new == OAuth(refresh=kept, access=token_of("acc_1"), expires=NOW_MS + 3_600_000, account_id="acc_1")
    assert place.server.fields(TOKEN) == [
        {"grant_type": "refresh_token", "refresh_token": "refresh-1", "client_id": CLIENT_ID}
    ]


async def test_a_refused_renewal_does_not_repeat_the_token(place: Place) -> None:
    said = {"error": {"message": "refresh-1 was used before", "code": "refresh_token_reused"}}
    place.server.push(TOKEN, Reply(said, 401))
    with pytest.raises(ServerRefused) as fault:
        await renew(OAuthCredential(Secret("refresh-1"), Secret("a"), 5), place.context())
    assert "was used before" in str(fault.value)
    assert "refresh-1" not in str(fault.value)


@pytest.mark.parametrize("token", [None, "", "x", "a.b.c", "a.e30.c", 5, "a." + "W10" + ".c"])
def test_a_token_that_names_no_account_names_none(token: object) -> None:
    assert account_id(token) is None
