"""Tokens that are renewed: early enough, once for all, stored first; and what happens when they are not."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from opencode.auth.schema import OAuth, OAuthCredential
from opencode.auth.secret import Secret
from opencode.auth.store import CONTENT_VARIABLE, CredentialStore
from opencode.core.ids import ProviderID
from opencode.core.paths import Paths
from opencode.provider.errors import ApiCallFailed, ProviderAuthFailed
from opencode.provider.sign_in import chatgpt
from opencode.provider.sign_in.account import SignedInAccount
from opencode.provider.sign_in.method import SignInSettings
from tests.support.oauth_server import OAuthServer, Reply, oauth_server
from tests.unit.provider.sign_in.conftest import NOW_MS, FixedClock

OPENAI, TOKEN = ProviderID("openai"), "/oauth/token"
NEW = {"access_token": "new-access", "refresh_token": "new-refresh", "expires_in": 3600}


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.from_environ({"OPENCODE_TEST_HOME": str(tmp_path)})


@pytest.fixture
async def server() -> AsyncIterator[OAuthServer]:
    async with oauth_server() as server:
        yield server


async def stored(paths: Paths, expires_ms: int) -> CredentialStore:
    store = CredentialStore(paths, {})
    await store.set("openai", OAuth(refresh="old-refresh", access="old-access", expires=expires_ms, account_id="acc"))
    return store


def account(store: CredentialStore, server: OAuthServer) -> SignedInAccount:
    credential = store.all()["openai"]
    assert isinstance(credential, OAuthCredential)
    settings = SignInSettings(url=server.url)
    return SignedInAccount(OPENAI, credential, store, chatgpt.renew, settings, FixedClock())


async def test_tokens_that_last_are_used_as_they_are(paths: Paths, server: OAuthServer) -> None:
    one = account(await stored(paths, NOW_MS + 61_000), server)
    assert (await one.credential()).access == Secret("old-access")
    assert server.asked == []


async def test_tokens_about_to_expire_are_renewed_once_for_all_and_stored_first(
    paths: Paths, server: OAuthServer
) -> None:
    release = anyio.Event()
    server.push(TOKEN, Reply(NEW, after=release), Reply({"error": "used twice"}, 400))
    store = await stored(paths, NOW_MS + 59_000)
    accounts = [account(store, server) for _ in range(3)]
    found: list[str] = []

    async def use(one: SignedInAccount) -> None:
        credential = await one.credential()
        on_disk = json.loads((paths.data / "auth.json").read_text())["openai"]
        assert on_disk["access"] == credential.access.reveal()
        found.append(credential.access.reveal())

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            for one in accounts * 3:
                tasks.start_soon(use, one)
            await server.came[TOKEN].wait()
            release.set()
    assert found == ["new-access"] * 9
    assert len(server.fields(TOKEN)) == 1
    assert json.loads((paths.data / "auth.json").read_text())["openai"] == {
        "type": "oauth",
        "refresh": "new-refresh",
        "access": "new-access",
        "expires": NOW_MS + 3_600_000,
        "accountId": "acc",
    }


async def test_who_waits_and_leaves_does_not_lose_the_new_tokens(paths: Paths, server: OAuthServer) -> None:
    release = anyio.Event()
    server.push(TOKEN, Reply(NEW, after=release))
    store = await stored(paths, NOW_MS)
    one = account(store, server)
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one.credential)
            await server.came[TOKEN].wait()
            tasks.cancel_scope.cancel()
            release.set()
    credential = store.all()["openai"]
    assert isinstance(credential, OAuthCredential)
    assert credential.refresh == Secret("new-refresh")


async def test_refused_tokens_are_renewed_although_they_seem_to_last(paths: Paths, server: OAuthServer) -> None:
    server.push(TOKEN, NEW)
    one = account(await stored(paths, NOW_MS + 9_000_000), server)
    old = await one.credential()
    assert (await one.credential(refused=old)).access == Secret("new-access")


async def test_a_renewal_that_is_refused_tells_to_sign_in_again(paths: Paths, server: OAuthServer) -> None:
    server.push(TOKEN, Reply({"error": "invalid_grant"}, 400))
    with pytest.raises(ProviderAuthFailed, match=r"invalid_grant.*Sign in again") as fault:
        await account(await stored(paths, NOW_MS), server).credential()
    assert "old-refresh" not in fault.value.message


async def test_a_server_in_trouble_is_no_reason_to_sign_in_again(paths: Paths, server: OAuthServer) -> None:
    server.push(TOKEN, Reply(status=503))
    with pytest.raises(ApiCallFailed, match="could not be renewed") as fault:
        await account(await stored(paths, NOW_MS), server).credential()
    assert fault.value.is_retryable


async def test_what_another_program_has_renewed_is_used(paths: Paths, server: OAuthServer) -> None:
    release = anyio.Event()
    server.push(TOKEN, Reply({"error": "invalid_grant"}, 400, after=release))
    one = account(await stored(paths, NOW_MS), server)
    found: list[OAuthCredential] = []

    async def use() -> None:
        found.append(await one.credential())

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(use)
            await server.came[TOKEN].wait()
            other = CredentialStore(paths, {})
            await other.set("openai", OAuth(refresh="their-refresh", access="their-access", expires=0))
            release.set()
    assert [credential.access for credential in found] == [Secret("their-access")]


async def test_a_sign_in_that_was_removed_is_over(paths: Paths, server: OAuthServer) -> None:
    store = await stored(paths, NOW_MS)
    one = account(store, server)
    await store.remove("openai")
    with pytest.raises(ProviderAuthFailed, match="removed"):
        await one.credential()


async def test_tokens_given_by_the_environment_are_renewed_too(paths: Paths, server: OAuthServer) -> None:
    server.push(TOKEN, NEW, Reply({"error": "used twice"}, 400))
    entry = {"type": "oauth", "refresh": "r", "access": "a", "expires": 1, "extra": "kept"}
    store = CredentialStore(paths, {CONTENT_VARIABLE: json.dumps({"openai": entry})})
    for _ in range(2):
        assert (await account(store, server).credential()).access == Secret("new-access")
    renewed = store.all()["openai"]
    assert isinstance(renewed, OAuthCredential)
    assert renewed.extra == {"extra": "kept"}
