"""Sign-ins that have begun: which one counts, who waits, how they end."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from opencode.auth.schema import ApiAuth, ApiCredential, OAuthCredential
from opencode.auth.secret import Secret
from opencode.auth.store import CredentialStore
from opencode.core.paths import Paths
from opencode.core.wire import UnsetType
from opencode.provider.sign_in.errors import CodeMissing, InputInvalid, NotBegun, ServerRefused, SignInFailed
from opencode.provider.sign_in.method import Flow, Inputs, SignedIn, SignInContext, SignInMethod, SignInProvider
from opencode.provider.sign_in.registry import SIGN_INS
from opencode.provider.sign_in.service import SignIns, open_sign_ins
from tests.support.oauth_server import OAuthServer, Reply, oauth_server
from tests.unit.provider.sign_in.conftest import FixedClock

DEVICE, TOKEN = "/login/device/code", "/login/oauth/access_token"
CODE = {"device_code": "d", "user_code": "WXYZ-1234", "verification_uri": "https://github.com/login/device"}
COPILOT = "github-copilot"


@pytest.fixture
def store(tmp_path: Path) -> CredentialStore:
    return CredentialStore(Paths.from_environ({"OPENCODE_TEST_HOME": str(tmp_path)}), {})


@pytest.fixture
async def server() -> AsyncIterator[OAuthServer]:
    async with oauth_server() as server:
        server.push(DEVICE, CODE)
        yield server


@pytest.fixture
async def sign_ins(store: CredentialStore, server: OAuthServer) -> AsyncIterator[SignIns]:
    with anyio.fail_after(30):
        async with opened(store, url=server.url, redirectPort=0) as sign_ins:
            yield sign_ins


@asynccontextmanager
async def opened(
    store: CredentialStore, refusal: str | None = None, providers: Any = SIGN_INS, **oauth: Any
) -> AsyncIterator[SignIns]:
    async with open_sign_ins(
        store=store,
        options_of=lambda provider_id: {"oauth": oauth},
        refusal_of=lambda provider_id: refusal,
        clock=FixedClock(),
        providers=providers,
    ) as sign_ins:
        yield sign_ins


def code_flow(finish: Callable[[str], Awaitable[SignedIn]], lifetime_seconds: float = 60) -> dict[str, SignInProvider]:
    """A provider ``acme`` with one way to sign in, which needs a code."""

    @asynccontextmanager
    async def begin(inputs: Inputs, context: SignInContext) -> AsyncIterator[Flow]:
        yield Flow("https://acme.example", "Bring the code.", "code", finish, lifetime_seconds)

    return {"acme": SignInProvider((SignInMethod("Acme", begin),))}


async def test_what_one_signs_in_to_is_stored(sign_ins: SignIns, store: CredentialStore, server: OAuthServer) -> None:
    server.push(TOKEN, {"access_token": "gho_1"})
    begun = await sign_ins.authorize(COPILOT, 0, {})
    assert (begun.url, begun.method, "WXYZ-1234" in begun.instructions) == (CODE["verification_uri"], "auto", True)
    assert await sign_ins.callback(COPILOT, None) is True
    assert store.all() == {COPILOT: OAuthCredential(Secret("gho_1"), Secret("gho_1"), 0)}
    with pytest.raises(NotBegun):
        await sign_ins.callback(COPILOT, None)


async def test_a_code_flow_needs_the_code_and_stores_a_key_for_whom_it_is_for(store: CredentialStore) -> None:
    async def finish(code: str) -> SignedIn:
        if code != "right":
            raise ServerRefused("wrong code")
        return SignedIn(ApiAuth(key="k", metadata={"team": "t"}), provider_id="acme-eu")

    async with opened(store, providers=code_flow(finish)) as sign_ins:
        await sign_ins.authorize("acme", 0, {})
        with pytest.raises(CodeMissing):
            await sign_ins.callback("acme", None)
        await sign_ins.callback("acme", "right")
        assert store.all() == {"acme-eu": ApiCredential(Secret("k"), {"team": "t"})}
        await sign_ins.authorize("acme", 0, {})
        with pytest.raises(SignInFailed, match="wrong code"):
            await sign_ins.callback("acme", "wrong")
        with pytest.raises(NotBegun):
            await sign_ins.callback("acme", "right")


async def test_the_latest_counts_and_who_waits_for_an_earlier_one_is_told(
    sign_ins: SignIns, server: OAuthServer
) -> None:
    server.push(TOKEN, Reply({"error": "authorization_pending"}, after=anyio.Event()), {"access_token": "gho_2"})
    await sign_ins.authorize(COPILOT, 0, {})
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(fails, sign_ins)
        await server.came[TOKEN].wait()
        await sign_ins.authorize(COPILOT, 0, {})
    assert await sign_ins.callback(COPILOT, None) is True


async def fails(sign_ins: SignIns) -> None:
    with pytest.raises(SignInFailed, match="has ended"):
        await sign_ins.callback(COPILOT, None)


async def test_the_port_of_an_earlier_sign_in_is_free_for_the_next_one(store: CredentialStore) -> None:
    async with await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0) as free:
        port = free.extra(anyio.abc.SocketAttribute.local_port)
    async with opened(store, url="http://127.0.0.1:9", redirectPort=port) as sign_ins:
        first = await sign_ins.authorize("openai", 0, {})
        second = await sign_ins.authorize("openai", 0, {})
    assert f"localhost%3A{port}" in first.url
    assert first.url != second.url


async def test_a_caller_that_leaves_may_come_back(sign_ins: SignIns, server: OAuthServer) -> None:
    server.push(TOKEN, Reply({"error": "authorization_pending"}, after=anyio.Event()), {"access_token": "gho_1"})
    await sign_ins.authorize(COPILOT, 0, {})
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sign_ins.callback, COPILOT, None)
        await server.came[TOKEN].wait()
        tasks.cancel_scope.cancel()
    assert await sign_ins.callback(COPILOT, None) is True


async def test_two_callers_wait_for_one_sign_in_and_one_of_them_finishes_it(
    sign_ins: SignIns, server: OAuthServer
) -> None:
    release = anyio.Event()
    server.push(TOKEN, Reply({"access_token": "gho_1"}, after=release))
    await sign_ins.authorize(COPILOT, 0, {})
    outcomes: list[object] = []

    async def call() -> None:
        try:
            outcomes.append(await sign_ins.callback(COPILOT, None))
        except (NotBegun, SignInFailed) as error:
            outcomes.append(type(error))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        tasks.start_soon(call)
        await server.came[TOKEN].wait()
        release.set()
    assert True in outcomes
    assert len(outcomes) == 2
    assert len(server.fields(TOKEN)) == 1


async def test_closing_the_directory_ends_who_waits(store: CredentialStore, server: OAuthServer) -> None:
    server.push(TOKEN, Reply(after=anyio.Event()))
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks, opened(store, url=server.url) as sign_ins:
            await sign_ins.authorize(COPILOT, 0, {})
            tasks.start_soon(fails, sign_ins)
            await server.came[TOKEN].wait()
    assert store.all() == {}


async def test_a_sign_in_that_takes_too_long_is_over(store: CredentialStore) -> None:
    async def finish(code: str) -> SignedIn:
        await anyio.sleep_forever()
        raise AssertionError

    with anyio.fail_after(20):
        async with opened(store, providers=code_flow(finish, lifetime_seconds=0.05)) as sign_ins:
            await sign_ins.authorize("acme", 0, {})
            with pytest.raises((SignInFailed, NotBegun)):
                await sign_ins.callback("acme", "x")
            with pytest.raises(NotBegun):
                await sign_ins.callback("acme", "x")


@pytest.mark.parametrize(
    ("provider_id", "index", "field"),
    [("anthropic", 0, "providerID"), ("openai", 2, "method"), ("openai", 3, "method"), ("openai", 0.5, "method")],
)
async def test_ways_that_do_not_exist_are_named(sign_ins: SignIns, provider_id: str, index: float, field: str) -> None:
    with pytest.raises(InputInvalid) as fault:
        await sign_ins.authorize(provider_id, index, {})
    assert fault.value.data["field"] == field


async def test_a_wrong_answer_to_a_prompt_is_named(sign_ins: SignIns, server: OAuthServer) -> None:
    with pytest.raises(InputInvalid) as fault:
        await sign_ins.authorize(COPILOT, 0, {"deploymentType": "enterprise", "enterpriseUrl": "a b"})
    assert (fault.value.data["providerID"], fault.value.data["field"]) == (COPILOT, "enterpriseUrl")
    assert server.asked == []


async def test_a_provider_that_is_away_is_told(store: CredentialStore) -> None:
    async with opened(store, url="http://127.0.0.1:9") as sign_ins:
        with pytest.raises(SignInFailed, match="cannot be reached"):
            await sign_ins.authorize(COPILOT, 0, {})


async def test_nobody_signs_in_at_an_address_of_an_untrusted_project(
    store: CredentialStore, server: OAuthServer
) -> None:
    async with opened(store, "This project sends you elsewhere.", url=server.url) as sign_ins:
        with pytest.raises(SignInFailed, match="elsewhere"):
            await sign_ins.authorize(COPILOT, 0, {})
    assert server.asked == []


async def test_what_can_be_signed_in_to_is_listed_with_its_prompts(sign_ins: SignIns) -> None:
    methods = sign_ins.methods()
    assert [(key, [method.type for method in value]) for key, value in methods.items()] == [
        ("openai", ["oauth", "oauth", "api"]),
        (COPILOT, ["oauth"]),
        ("azure", ["api"]),
        ("cloudflare-workers-ai", ["api"]),
        ("cloudflare-ai-gateway", ["api"]),
        ("snowflake-cortex", ["api"]),
    ]
    prompts = methods["cloudflare-ai-gateway"][0].prompts
    assert not isinstance(prompts, UnsetType) and [prompt.key for prompt in prompts] == ["accountId", "gatewayId"]
