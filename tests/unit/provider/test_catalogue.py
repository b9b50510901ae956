"""The catalogue: where it comes from, and that nobody waits for it."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from opencode.core.ids import ModelID, ProviderID
from opencode.core.paths import Paths
from opencode.core.whole_file import write_whole
from opencode.provider.catalogue import Catalogue, builtin_catalogue, open_catalogue, parse_catalogue
from opencode.provider.entry import ModelEntry, ProviderEntry
from opencode.provider.model_entry import catalogue_models, configured_model
from opencode.provider.schema import Interleaved

ONE = json.dumps({"p": {"id": "p", "name": "P", "models": {"m": {"id": "m", "name": "M"}}}})


UNCHANGED, BROKEN = b"304", b"500"


@asynccontextmanager
async def serving(answers: list[bytes]) -> AsyncIterator[tuple[str, list[str]]]:
    """A web server that gives each answer once; yields its URL and the requests it got."""
    requests: list[str] = []

    async def serve(client: anyio.abc.SocketStream) -> None:
        async with client:
            requests.append((await client.receive(65536)).decode())
            body = answers.pop(0)
            status = body.decode() if body in (UNCHANGED, BROKEN) else "200"
            body = body if status == "200" else b""
            head = f"HTTP/1.1 {status} x\r\netag: abc\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
            await client.send(head.encode() + body)

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        yield f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}", requests
        tasks.cancel_scope.cancel()


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.from_environ({"OPENCODE_TEST_HOME": str(tmp_path)})


def test_the_built_in_list_is_short_and_readable() -> None:
    providers = builtin_catalogue()
    models = [model for provider in providers.values() for model in catalogue_models(provider).values()]
    assert 20 <= len(models) <= 40
    assert all(model.limit.context and model.limit.output and model.release_date for model in models)


def test_without_a_copy_the_built_in_list_is_used(paths: Paths) -> None:
    assert "anthropic" in Catalogue(paths, {}).providers()


def test_the_copy_on_disk_comes_first_and_a_damaged_one_is_dropped(paths: Paths) -> None:
    copy = paths.cache / "models.json"
    copy.parent.mkdir(parents=True)
    copy.write_text(ONE)
    assert list(Catalogue(paths, {}).providers()) == ["p"]
    copy.write_text("{oops")
    assert "anthropic" in Catalogue(paths, {}).providers()
    assert not copy.exists()


def test_a_copy_that_another_program_replaced_is_read_anew(paths: Paths) -> None:
    catalogue = Catalogue(paths, {})
    assert "anthropic" in catalogue.providers()
    write_whole(paths.cache / "models.json", ONE.encode())
    assert list(catalogue.providers()) == ["p"]
    assert catalogue.providers() is catalogue.providers()
    (paths.cache / "models.json").unlink()
    assert list(catalogue.providers()) == ["p"], "what is known is not forgotten"


def test_a_named_file_comes_before_everything(paths: Paths, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(ONE)
    assert list(Catalogue(paths, {"OPENCODE_MODELS_PATH": str(tmp_path / "mine.json")}).providers()) == ["p"]


async def test_a_refresh_replaces_the_catalogue_and_its_copy(paths: Paths) -> None:
    async with serving([ONE.encode()]) as (url, requests):
        environ = {"OPENCODE_MODELS_URL": url}
        catalogue = Catalogue(paths, environ)
        assert await catalogue.refresh("agent/1")
        assert list(catalogue.providers()) == ["p"]
        assert "GET /api.json" in requests[0] and "user-agent: agent/1" in requests[0].lower()
        assert list(Catalogue(paths, environ).providers()) == ["p"]
        assert not await catalogue.refresh("agent/1"), "the copy is fresh"


async def test_a_catalogue_that_cannot_be_kept_is_used_all_the_same(paths: Paths) -> None:
    paths.cache.parent.mkdir(parents=True)
    paths.cache.write_text("a file where the directory should be")
    async with serving([ONE.encode()]) as (url, _):
        catalogue = Catalogue(paths, {"OPENCODE_MODELS_URL": url})
        assert await catalogue.refresh("agent/1")
    assert list(catalogue.providers()) == ["p"]


async def test_a_refresh_that_fails_changes_nothing(paths: Paths) -> None:
    async with serving([b"<html>"]) as (url, _):
        catalogue = Catalogue(paths, {"OPENCODE_MODELS_URL": url})
        assert not await catalogue.refresh("agent/1")
    assert not await Catalogue(paths, {"OPENCODE_MODELS_URL": "http://127.0.0.1:1"}).refresh("agent/1")
    assert "anthropic" in catalogue.providers()


async def test_what_has_not_changed_is_not_sent_again_even_to_a_new_server(paths: Paths) -> None:
    async with serving([ONE.encode(), UNCHANGED, ONE.encode()]) as (url, requests):
        environ = {"OPENCODE_MODELS_URL": url}
        assert await Catalogue(paths, environ).refresh("agent/1")
        (copy,) = paths.cache.glob("models-*.json")
        os.utime(copy, (0, 0))
        restarted = Catalogue(paths, environ)
        assert not await restarted.refresh("agent/1")
        assert "if-none-match: abc" in requests[1].lower()
        assert copy.stat().st_mtime > 0, "the copy is fresh again"
        copy.write_bytes(ONE.encode() + b" ")
        assert await restarted.refresh("agent/1", force=True)
        assert "if-none-match" not in requests[2].lower(), "another program has replaced the copy"


async def test_a_server_that_fails_is_asked_again(paths: Paths) -> None:
    async with serving([BROKEN, ONE.encode()]) as (url, requests):
        assert await Catalogue(paths, {"OPENCODE_MODELS_URL": url}).refresh("agent/1")
    assert len(requests) == 2


async def test_an_address_that_is_none_is_a_failure_like_any_other(paths: Paths) -> None:
    assert not await Catalogue(paths, {"OPENCODE_MODELS_URL": "http://[oops"}).refresh("agent/1")


async def test_who_holds_the_catalogue_is_told_of_a_new_one(paths: Paths) -> None:
    told = anyio.Event()
    async with serving([ONE.encode()]) as (url, _):
        with anyio.fail_after(30):
            async with open_catalogue(paths, {"OPENCODE_MODELS_URL": url}, "agent/1", told.set):
                await told.wait()


async def test_fetching_can_be_switched_off(paths: Paths) -> None:
    environ = {"OPENCODE_MODELS_URL": "http://127.0.0.1:1", "OPENCODE_DISABLE_MODELS_FETCH": "1"}
    async with open_catalogue(paths, environ, "agent/1") as catalogue:
        assert "anthropic" in catalogue.providers()


@asynccontextmanager
async def silence() -> AsyncIterator[str]:
    """The URL of a server that says nothing."""

    async def silent(client: anyio.abc.SocketStream) -> None:
        async with client:
            await anyio.sleep_forever()

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, silent)
        yield f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}"
        tasks.cancel_scope.cancel()


async def test_opening_does_not_wait_for_the_network(paths: Paths) -> None:
    async with silence() as url:
        with anyio.fail_after(5):
            async with open_catalogue(paths, {"OPENCODE_MODELS_URL": url}, "agent/1") as catalogue:
                assert "anthropic" in catalogue.providers()


async def test_a_new_installation_knows_the_whole_catalogue_when_it_is_first_asked(paths: Paths) -> None:
    async with serving([ONE.encode()]) as (url, _):
        with anyio.fail_after(30):
            async with open_catalogue(paths, {"OPENCODE_MODELS_URL": url}, "agent/1") as catalogue:
                assert catalogue.is_new
                await catalogue.first_copy()
                assert list(catalogue.providers()) == ["p"] and not catalogue.is_new


async def test_it_waits_for_the_first_copy_for_a_short_time_only(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opencode.provider.catalogue.FIRST_SECONDS", 0.01)
    async with silence() as url:
        with anyio.fail_after(5):
            async with open_catalogue(paths, {"OPENCODE_MODELS_URL": url}, "agent/1") as catalogue:
                await catalogue.first_copy()
    assert "anthropic" in catalogue.providers()


async def test_a_network_that_fails_is_not_waited_for_again(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opencode.provider.catalogue.FIRST_SECONDS", 600)
    monkeypatch.setattr("opencode.provider.catalogue_fetch.PAUSE_SECONDS", 600)
    monkeypatch.setattr("opencode.provider.catalogue_fetch.FETCH_SECONDS", 600)
    async with serving([BROKEN]) as (url, requests):
        with anyio.fail_after(30):
            async with open_catalogue(paths, {"OPENCODE_MODELS_URL": url}, "agent/1") as catalogue:
                await catalogue.first_copy()
    assert len(requests) == 1


async def test_who_has_a_copy_waits_for_nothing(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opencode.provider.catalogue.FIRST_SECONDS", 600)
    async with serving([ONE.encode()]) as (url, _):
        environ = {"OPENCODE_MODELS_URL": url}
        assert await Catalogue(paths, environ).refresh("agent/1")
        with anyio.fail_after(30):
            async with open_catalogue(paths, environ, "agent/1") as catalogue:
                await catalogue.first_copy()
    assert list(catalogue.providers()) == ["p"]


def test_every_field_of_an_entry_finds_its_place() -> None:
    entry = {
        "id": "m",
        "name": "M",
        "family": "f",
        "release_date": "2025-01-01",
        "attachment": True,
        "reasoning": True,
        "reasoning_options": [{"type": "effort", "values": ["low"]}],
        "temperature": True,
        "tool_call": True,
        "interleaved": {"field": "reasoning_content"},
        "cost": {
            "input": 1,
            "output": 2,
            "cache_read": 0.1,
            "context_over_200k": {"input": 3, "output": 4},
            "tiers": [{"input": 5, "output": 6, "tier": {"type": "context", "size": 200000}}],
        },
        "limit": {"context": 10, "input": 8, "output": 5},
        "modalities": {"input": ["text", "pdf"], "output": ["text"]},
        "provider": {"npm": "@ai-sdk/anthropic", "api": "https://x"},
        "experimental": {
            "modes": {"fast": {"cost": {"input": 9, "output": 9}, "provider": {"body": {"service_tier": 1}}}}
        },
        "unheard_of": 1,
    }
    catalogue = parse_catalogue(
        json.dumps({"p": {"id": "p", "name": "P", "models": {"m": entry, "bad": {"id": 7}}}}).encode()
    )
    models = catalogue_models(catalogue["p"])
    model, fast = models["m"], models["m-fast"]
    assert list(models) == ["m", "m-fast"]
    assert (model.api.npm, model.api.url, model.family, model.release_date) == (
        "@ai-sdk/anthropic",
        "https://x",
        "f",
        "2025-01-01",
    )
    assert model.capabilities.interleaved == Interleaved(field="reasoning_content")
    assert (model.capabilities.input.pdf, model.capabilities.input.image) == (True, False)
    assert (model.cost.cache.read, model.limit.input) == (0.1, 8)
    assert model.cost.over_200k and model.cost.over_200k.output == 4  # type: ignore[union-attr]
    assert [tier.tier.size for tier in model.cost.tiers or []] == [200000]  # type: ignore[union-attr]
    assert (fast.id, fast.name, fast.cost.input, fast.options) == (ModelID("m-fast"), "M Fast", 9, {"serviceTier": 1})
    assert fast.cost.cache.read == 0, "the prices of a mode stand for themselves"
    assert [list(each.variants or {}) for each in (model, fast)] == [["low"], ["low"]]


@pytest.mark.parametrize(
    "said",
    [
        {"experimental": True},
        {"experimental": {"modes": ["fast"]}},
        {"experimental": {"modes": {"fast": {"cost": {"input": "free"}}}}},
        {"experimental": {"modes": {"fast": {"provider": {"body": []}}}}},
        {"reasoning": True, "reasoning_options": {"type": "effort"}},
        {"reasoning": True, "reasoning_options": [None, {"type": "budget_tokens", "max": "all"}]},
        {"interleaved": 3},
    ],
)
def test_a_model_of_which_something_is_not_understood_is_there_without_it(said: dict[str, Any]) -> None:
    document = {"p": {"id": "p", "name": "P", "models": {"m": {"id": "m", "name": "M", **said}}}}
    assert list(catalogue_models(parse_catalogue(json.dumps(document).encode())["p"])) == ["m"]


def test_a_configured_model_keeps_the_levels_that_the_catalogue_gives() -> None:
    entry = {"id": "m", "name": "M", "reasoning": True, "reasoning_options": [{"type": "effort", "values": ["max"]}]}
    document = {"p": {"id": "p", "name": "P", "models": {"m": entry}}}
    provider = parse_catalogue(json.dumps(document).encode())["p"]
    known = catalogue_models(provider)

    def configured(**said: Any) -> list[str]:
        given = msgspec.convert(said, ModelEntry)
        model = configured_model(ProviderID("p"), "m", given, known, ProviderEntry(), provider)
        return list(model.variants or {})

    assert configured(name="Mine") == ["max"]
    assert configured(variants={"max": {"disabled": True}, "mine": {"x": 1}}) == ["mine"]
    assert configured(reasoning=False) == []
    assert configured(provider={"npm": "@ai-sdk/groq"}) == ["none", "low", "medium", "high"], "another wire"
