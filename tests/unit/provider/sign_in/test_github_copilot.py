"""GitHub's device flow. Source: spec: providers, section 11."""

import pytest

from opencode.auth.schema import OAuth
from opencode.provider.sign_in.errors import ServerRefused, ServerUnreachable, WrongInput
from opencode.provider.sign_in.github_copilot import CLIENT_ID, begin
from opencode.provider.sign_in.method import SignedIn
from tests.support.oauth_server import Reply
from tests.unit.provider.sign_in.conftest import Place

DEVICE, TOKEN = "/login/device/code", "/login/oauth/access_token"
PUBLIC = {"deploymentType": "github.com"}
CODE = {
    "device_code": "secret-device-code",
    "user_code": "WXYZ-1234",
    "verification_uri": "https://github.com/login/device",
    "expires_in": 899,
    "interval": 7,
}
PENDING = {"error": "authorization_pending"}


async def finished(place: Place, **inputs: str) -> SignedIn:
    async with begin(inputs or PUBLIC, place.context()) as flow:
        return await flow.finish("")


async def test_the_user_is_sent_to_github_with_a_code(place: Place) -> None:
    place.server.push(DEVICE, CODE)
    async with begin(PUBLIC, place.context()) as flow:
        assert (flow.url, flow.kind, flow.lifetime_seconds) == ("https://github.com/login/device", "auto", 899)
        assert "WXYZ-1234" in flow.instructions
    assert place.server.fields(DEVICE) == [{"client_id": CLIENT_ID, "scope": "read:user"}]


async def test_github_is_asked_until_the_code_was_entered_and_slower_when_it_says_so(place: Place) -> None:
    place.server.push(DEVICE, CODE)
    slower = ({"error": "slow_down"}, {"error": "slow_down", "interval": 30})
    place.server.push(TOKEN, PENDING, *slower, PENDING, {"access_token": "gho_1"})
    assert await finished(place) == SignedIn(OAuth(refresh="gho_1", access="gho_1", expires=0))
    assert place.pauses == [7 + 3, 12 + 3, 30 + 3, 30 + 3]
    assert place.server.fields(TOKEN)[0] == {
        "client_id": CLIENT_ID,
        "device_code": "secret-device-code",
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
    }


async def test_an_enterprise_is_remembered_with_the_token(place: Place) -> None:
    place.server.push(DEVICE, CODE)
    place.server.push(TOKEN, {"access_token": "gho_1"})
    signed_in = await finished(place, deploymentType="enterprise", enterpriseUrl="https://Company.ghe.com/")
    assert signed_in.auth == OAuth(refresh="gho_1", access="gho_1", expires=0, enterprise_url="company.ghe.com")


@pytest.mark.parametrize("address", ["not a domain", "company.ghe.com/path", "user@company.ghe.com", "-", "https://"])
async def test_an_address_that_cannot_be_an_enterprise_is_refused(place: Place, address: str) -> None:
    with pytest.raises(WrongInput, match="enterpriseUrl"):
        await finished(place, deploymentType="enterprise", enterpriseUrl=address)
    assert place.server.asked == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [("access_denied", "turned down"), ("expired_token", "not entered in time"), ("unsupported", "answered 200")],
)
async def test_a_refusal_ends_the_waiting(place: Place, error: str, reason: str) -> None:
    place.server.push(DEVICE, CODE)
    place.server.push(TOKEN, PENDING, {"error": error})
    with pytest.raises(ServerRefused, match=reason):
        await finished(place)


async def test_short_troubles_of_github_do_not_end_the_waiting_long_ones_do(place: Place) -> None:
    place.server.push(DEVICE, CODE)
    trouble = [Reply(status=502) for _ in range(4)]
    place.server.push(TOKEN, *trouble, PENDING, *trouble, Reply(status=502))
    with pytest.raises(ServerUnreachable, match="answered 502"):
        await finished(place)
    assert len(place.server.fields(TOKEN)) == 10


async def test_what_was_sent_is_not_repeated_in_errors(place: Place) -> None:
    place.server.push(DEVICE, CODE)
    place.server.push(TOKEN, {"error": "bad", "error_description": "no such code: secret-device-code"})
    with pytest.raises(ServerRefused) as fault:
        await finished(place)
    assert "no such code" in str(fault.value)
    assert "secret-device-code" not in str(fault.value)


async def test_a_client_id_of_ones_own_is_used(place: Place) -> None:
    place.server.push(DEVICE, CODE)
    async with begin(PUBLIC, place.context(client_id="mine")):
        assert place.server.fields(DEVICE)[0]["client_id"] == "mine"


async def test_a_page_in_place_of_an_answer_is_refused(place: Place) -> None:
    place.server.push(DEVICE, Reply("<html>", content_type="text/html"))
    with pytest.raises(ServerRefused, match="answered 200"):
        await finished(place)
