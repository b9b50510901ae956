"""``auth.json`` as the official server writes it, and what must never happen to it."""

import json
import stat
from pathlib import Path

import anyio
import pytest

from opencode.auth.schema import ApiAuth, ApiCredential, OAuth, OAuthCredential, WellKnownAuth, WellKnownCredential
from opencode.auth.secret import Secret
from opencode.auth.store import CredentialStore
from opencode.core.paths import Paths


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.from_environ({"OPENCODE_TEST_HOME": str(tmp_path)})


async def test_a_stored_credential_is_read_back_by_kind(paths: Paths) -> None:
    store = CredentialStore(paths, {})
    await store.set("anthropic", ApiAuth(key="k"))
    await store.set("openai", OAuth(refresh="r", access="a", expires=12, account_id="acc"))
    await store.set("https://corp.example/", WellKnownAuth(key="CORP_TOKEN", token="t"))
    assert store.all() == {
        "anthropic": ApiCredential(Secret("k")),
        "openai": OAuthCredential(Secret("r"), Secret("a"), 12, {"accountId": "acc"}),
        "https://corp.example": WellKnownCredential("CORP_TOKEN", Secret("t")),
    }


async def test_the_file_is_the_official_one_and_only_its_owner_can_read_it(paths: Paths) -> None:
    await CredentialStore(paths, {}).set("someone", ApiAuth(key="k", metadata={"team": "x"}))
    file = paths.data / "auth.json"
    assert json.loads(file.read_text()) == {"someone": {"type": "api", "key": "k", "metadata": {"team": "x"}}}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(paths.data.stat().st_mode) == 0o700
    assert [path.name for path in paths.data.iterdir()] == ["auth.json"]


async def test_entries_of_other_versions_survive_a_write(paths: Paths) -> None:
    file = paths.data / "auth.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"odd": {"type": "magic", "x": 1}, "old": {"type": "api", "key": "k"}}))
    store = CredentialStore(paths, {})
    await store.remove("old")
    assert store.all() == {}
    assert json.loads(file.read_text()) == {"odd": {"type": "magic", "x": 1}}


async def test_removing_what_is_not_there_changes_nothing(paths: Paths) -> None:
    await CredentialStore(paths, {}).remove("never")
    assert CredentialStore(paths, {}).all() == {}


async def test_a_damaged_file_counts_as_empty_and_is_kept_aside_on_writing(paths: Paths) -> None:
    paths.data.mkdir(parents=True)
    (paths.data / "auth.json").write_text("{oops")
    store = CredentialStore(paths, {})
    assert store.all() == {}
    await store.set("a", ApiAuth(key="k"))
    assert list(store.all()) == ["a"]
    assert (paths.data / "auth.json.damaged").read_text() == "{oops"


def test_the_environment_can_stand_for_the_file(paths: Paths) -> None:
    content = json.dumps({"https://a.example//": {"type": "wellknown", "key": "V", "token": "t"}})
    store = CredentialStore(paths, {"OPENCODE_AUTH_CONTENT": content})
    assert store.all() == {"https://a.example": WellKnownCredential("V", Secret("t"))}


async def test_writes_at_the_same_time_lose_nothing(paths: Paths) -> None:
    store = CredentialStore(paths, {})
    async with anyio.create_task_group() as tasks:
        for number in range(8):
            tasks.start_soon(store.set, f"p{number}", ApiAuth(key=str(number)))
    assert sorted(store.all()) == [f"p{number}" for number in range(8)]
