"""Organisations: their token, their configuration, and their server when it is away."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from opencode.auth.schema import ApiAuth, WellKnownAuth
from opencode.auth.store import CredentialStore
from opencode.auth.well_known import OrganisationUnavailable, WellKnown
from opencode.config.environment import Environment
from opencode.core.paths import Paths
from tests.support.oauth_server import OAuthServer, Reply, oauth_server

PATH = "/.well-known/opencode"


@pytest.fixture
def store(tmp_path: Path) -> CredentialStore:
    return CredentialStore(Paths.from_environ({"OPENCODE_TEST_HOME": str(tmp_path)}), {})


@pytest.fixture
async def server() -> AsyncIterator[OAuthServer]:
    async with oauth_server() as server:
        yield server


def configs(found: object) -> list[object]:
    return [json.loads(config.text) for config in found]  # type: ignore[attr-defined]


async def test_without_organisations_nothing_is_fetched(store: CredentialStore) -> None:
    await store.set("openai", ApiAuth(key="k"))
    await store.set("no-address", WellKnownAuth(key="X", token="t"))
    environment = Environment({"A": "1"})
    found = await WellKnown(store, environment).load()
    assert (found.configs, found.added_to(environment)) == ((), environment)


async def test_an_organisation_gives_a_variable_and_a_configuration(
    store: CredentialStore, server: OAuthServer
) -> None:
    server.push(PATH, {"auth": {"env": "CORP"}, "config": {"model": "corp/m"}})
    await store.set(server.url + "/", WellKnownAuth(key="CORP_TOKEN", token="secret"))
    found = await WellKnown(store, Environment({})).load()
    assert found.added_to(Environment({"A": "1", "CORP_TOKEN": "old"})).values == {"A": "1", "CORP_TOKEN": "secret"}
    assert configs(found.configs) == [{"model": "corp/m"}]
    assert "secret" not in repr(found)
    assert "authorization" not in server.asked[0].headers


async def test_it_may_point_to_more_which_is_fetched_with_its_token(
    store: CredentialStore, server: OAuthServer
) -> None:
    pointer = {"url": server.url + "/more/{env:TEAM}", "headers": {"authorization": "Bearer {env:CORP_TOKEN}"}}
    server.push(PATH, {"config": {"model": "corp/m"}, "remote_config": pointer})
    server.push("/more/blue", {"small_model": "corp/s"})
    await store.set(server.url, WellKnownAuth(key="CORP_TOKEN", token="secret"))
    found = await WellKnown(store, Environment({"TEAM": "blue"})).load()
    assert configs(found.configs) == [{"model": "corp/m"}, {"small_model": "corp/s"}]
    assert server.asked[1].headers["authorization"] == "Bearer secret"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply("<html>", content_type="text/html"), "page for people"),
        (Reply("[]"), "no JSON object"),
        (Reply(status=500), "answers 500"),
        (Reply("{" + " " * 1_100_000), "too large"),
    ],
)
async def test_a_server_that_says_nothing_of_use_is_an_error_that_names_it(
    store: CredentialStore, server: OAuthServer, reply: Reply, reason: str
) -> None:
    server.push(PATH, reply)
    await store.set(server.url, WellKnownAuth(key="CORP_TOKEN", token="secret"))
    with pytest.raises(OrganisationUnavailable, match=f"{server.url} .*{reason}"):
        await WellKnown(store, Environment({})).load()


async def test_what_was_said_last_counts_while_the_server_is_away(store: CredentialStore, server: OAuthServer) -> None:
    server.push(PATH, {"config": {"model": "corp/m"}}, Reply(status=503))
    await store.set(server.url, WellKnownAuth(key="CORP_TOKEN", token="secret"))
    well_known = WellKnown(store, Environment({}))
    assert await well_known.load() == await well_known.load()


async def test_a_user_in_the_address_is_not_shown(store: CredentialStore) -> None:
    await store.set("http://ann:hidden@127.0.0.1:9", WellKnownAuth(key="CORP_TOKEN", token="secret"))
    with pytest.raises(OrganisationUnavailable) as fault:
        await WellKnown(store, Environment({})).load()
    assert "hidden" not in fault.value.message
