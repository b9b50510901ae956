"""Which providers and models a directory has, and which one is taken."""

import json
import subprocess
import sys
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from opencode.auth.schema import ApiAuth
from opencode.auth.store import CredentialStore
from opencode.core.ids import ModelID, ProviderID
from opencode.core.paths import Paths
from opencode.core.wire import encode
from opencode.provider.demo import DemoModel
from opencode.provider.errors import NoProviders, ProviderModelNotFound
from opencode.provider.local import LocalServers
from opencode.provider.schema import ModelRef
from opencode.provider.service import ProviderService
from opencode.provider.think_tags import SplitThinking
from tests.support.scripted_model.server import scripted_model
from tests.support.wires import request_of, text_of, whole
from tests.unit.provider.conftest import ServiceMaker

NO_ZEN = {"disabled_providers": ["opencode"]}
SCRIPTED = {
    "npm": "@ai-sdk/openai-compatible",
    "name": "Scripted",
    "options": {"baseURL": "http://127.0.0.1:1/v1", "apiKey": "key-scripted"},
    "models": {
        "m1": {
            "name": "M1",
            "tool_call": True,
            "reasoning": True,
            "attachment": True,
            "temperature": True,
            "modalities": {"input": ["text", "image", "pdf"], "output": ["text"]},
            "cost": {"input": 1, "output": 2, "cache_read": 0.1, "cache_write": 1.25},
            "limit": {"context": 100000, "output": 8000},
        },
        "plain": {"name": "Plain", "tool_call": True, "limit": {"context": 100000, "output": 4000}},
        "gpt-5-scripted": {"reasoning": True, "limit": {"context": 100000, "output": 8000}},
    },
}


def ids(service: ProviderService) -> list[str]:
    return [provider.id for provider in service.providers()]


def ref(provider: str, model: str) -> ModelRef:
    return ModelRef(provider_id=ProviderID(provider), model_id=ModelID(model))


def test_a_configured_provider_is_told_as_the_official_server_tells_it(make: ServiceMaker) -> None:
    """Source: trace ``catalogues``; secrets are masked on purpose."""
    answer = make({"provider": {"scripted": SCRIPTED}, **NO_ZEN}).config_providers()
    assert answer.default == {"scripted": "gpt-5-scripted"}
    shown: dict[str, Any] = json.loads(encode(answer.providers[0]))
    models = shown.pop("models")
    assert shown == {
        "id": "scripted",
        "name": "Scripted",
        "source": "config",
        "env": [],
        "options": {"baseURL": "http://127.0.0.1:1/v1", "apiKey": "********"},
    }
    assert models["m1"] == {
        "id": "m1",
        "providerID": "scripted",
        "api": {"id": "m1", "url": "", "npm": "@ai-sdk/openai-compatible"},
        "name": "M1",
        "family": "",
        "capabilities": {
            "temperature": True,
            "reasoning": True,
            "attachment": True,
            "toolcall": True,
            "input": {"text": True, "audio": False, "image": True, "video": False, "pdf": True},
            "output": {"text": True, "audio": False, "image": False, "video": False, "pdf": False},
            "interleaved": False,
        },
        "cost": {"input": 1, "output": 2, "cache": {"read": 0.1, "write": 1.25}},
        "limit": {"context": 100000, "output": 8000},
        "status": "active",
        "options": {},
        "headers": {},
        "release_date": "",
        "variants": {level: {"reasoningEffort": level} for level in ("low", "medium", "high")},
    }
    assert models["plain"]["variants"] == {}


async def test_a_variable_activates_a_provider_and_its_key_is_masked(make: ServiceMaker) -> None:
    service = make(NO_ZEN, {"ACME_KEY": "sk-1"})
    provider = service.providers()[0]
    assert (provider.id, provider.source, provider.key) == ("acme", "env", "********")
    assert b"sk-1" not in encode(await service.list_all())


async def test_making_a_large_catalogue_keeps_nobody_waiting(
    make: ServiceMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opencode.provider.service.SLICE_SECONDS", -1)
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await anyio.lowlevel.checkpoint()
            turns += 1

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(count_turns)
        answer = await make().list_all()
        tasks.cancel_scope.cancel()
    assert turns > 1
    assert len(answer.all) > 1


def test_with_several_variables_no_key_is_told(make: ServiceMaker) -> None:
    provider = make(NO_ZEN, {"SECRET": "s"}).providers()[0]
    assert (provider.id, "key" in json.loads(encode(provider))) == ("twokeys", False)


async def test_a_stored_key_activates_a_provider(make: ServiceMaker, paths: Paths) -> None:
    await CredentialStore(paths, {}).set("acme", ApiAuth(key="k"))
    provider = make(NO_ZEN).providers()[0]
    assert (provider.id, provider.source) == ("acme", "api")


def test_a_mention_in_the_configuration_activates_a_known_provider(make: ServiceMaker) -> None:
    assert ids(make({"provider": {"acme": {}}, **NO_ZEN})) == ["acme"]


def test_old_and_early_models_are_left_out(make: ServiceMaker) -> None:
    assert list(make(NO_ZEN, {"ACME_KEY": "k"}).providers()[0].models) == ["big", "big-latest"]


@pytest.mark.parametrize(("said", "early"), [("1", ["early"]), ("TRUE", ["early"]), ("0", []), ("false", [])])
def test_early_models_are_offered_to_who_asks_for_them(make: ServiceMaker, said: str, early: list[str]) -> None:
    service = make(NO_ZEN, {"ACME_KEY": "k", "OPENCODE_ENABLE_EXPERIMENTAL_MODELS": said})
    assert list(service.providers()[0].models) == ["big", "big-latest", *early]


@pytest.mark.parametrize(
    ("lists", "models"), [({"whitelist": ["big"]}, ["big"]), ({"blacklist": ["big"]}, ["big-latest"])]
)
def test_lists_of_the_configuration_choose_models(make: ServiceMaker, lists: Any, models: list[str]) -> None:
    assert list(make({"provider": {"acme": lists}, **NO_ZEN}).providers()[0].models) == models


async def test_disabled_wins_over_enabled(make: ServiceMaker) -> None:
    both = {"enabled_providers": ["acme", "twokeys"], "disabled_providers": ["twokeys"]}
    service = make(both, {"ACME_KEY": "k", "SECRET": "s"})
    assert ids(service) == ["acme"]
    assert [provider.id for provider in (await service.list_all()).all] == ["acme"]


def test_without_a_key_zen_is_used_only_when_the_configuration_names_it(make: ServiceMaker) -> None:
    """A server without any settings sends the user's code to nobody."""
    assert "opencode" not in ids(make())


def test_without_a_key_zen_gives_only_what_is_free(make: ServiceMaker) -> None:
    free = make({"provider": {"opencode": {}}}).providers()[0]
    assert (free.id, free.source, list(free.models), free.options["apiKey"]) == (
        "opencode",
        "config",
        ["free"],
        "********",
    )
    paid = make(environ={"OPENCODE_API_KEY": "k"}).providers()[0]
    assert sorted(paid.models) == ["free", "paid"]


async def test_the_list_of_all_providers_shows_the_unused_ones_too(make: ServiceMaker) -> None:
    answer = await make({"provider": {"scripted": SCRIPTED}}).list_all()
    assert sorted(provider.id for provider in answer.all) == ["acme", "opencode", "scripted", "twokeys"]
    assert answer.connected == ["scripted"]
    assert answer.default["acme"] == "big-latest"


def test_a_configured_model_changes_a_known_one(make: ServiceMaker) -> None:
    models = {"big": {"name": "Mine", "options": {"a": 1}}, "alias": {"id": "big"}}
    service = make({"provider": {"acme": {"models": models, "npm": "@ai-sdk/groq"}}, **NO_ZEN})
    mine, alias = (service.model(ProviderID("acme"), ModelID(name)) for name in ("big", "alias"))
    assert (mine.name, mine.options, mine.limit.context) == ("Mine", {"a": 1}, 10)
    assert (alias.name, alias.api.id, alias.api.npm, alias.limit.output) == ("alias", "big", "@ai-sdk/groq", 5)


@pytest.mark.parametrize(
    ("key", "says", "interleaved"),
    [
        ("deepseek-v5", {}, {"field": "reasoning_content"}),
        ("mine", {"id": "deepseek-v4"}, {"field": "reasoning_content"}),
        ("deepseek-v5", {"interleaved": False}, False),
        ("deepseek-v5", {"provider": {"npm": "@ai-sdk/openai"}}, False),
        ("other", {}, False),
    ],
)
def test_models_of_deepseek_get_their_thoughts_back(
    make: ServiceMaker, key: str, says: dict[str, Any], interleaved: Any
) -> None:
    entry = {"limit": {"context": 1000, "output": 100}, **says}
    service = make({"provider": {"mine": {"models": {key: entry}}}, **NO_ZEN})
    shown = json.loads(encode(service.config_providers().providers[0]))["models"][key]
    assert shown["capabilities"]["interleaved"] == interleaved


def test_variants_of_the_configuration_add_change_and_remove(make: ServiceMaker) -> None:
    variants = {"low": {"disabled": True}, "high": {"x": 1}, "own": {"y": 2}}
    models = {"r": {"reasoning": True, "variants": variants}}
    model = make({"provider": {"p": {"models": models}}, **NO_ZEN}).model(ProviderID("p"), ModelID("r"))
    assert model.variants == {
        "medium": {"reasoningEffort": "medium"},
        "high": {"reasoningEffort": "high", "x": 1},
        "own": {"y": 2},
    }


def test_an_unknown_model_is_refused_with_near_names(make: ServiceMaker) -> None:
    service = make(NO_ZEN, {"ACME_KEY": "k"})
    with pytest.raises(ProviderModelNotFound) as raised:
        service.model(ProviderID("acme"), ModelID("bigg-latest"))
    assert raised.value.suggestions[0] == "big-latest"
    with pytest.raises(ProviderModelNotFound) as raised:
        service.model(ProviderID("acne"), ModelID("big"))
    assert raised.value.suggestions == ["acme"]


def test_model_ids_may_hold_slashes(make: ServiceMaker) -> None:
    service = make({"model": "p/vendor/m", "provider": {"p": {"models": {"vendor/m": {}}}}})
    assert service.default_model() == ref("p", "vendor/m")
    assert service.model(ProviderID("p"), ModelID("vendor/m")).api.id == "vendor/m"


def test_the_default_is_the_configured_then_the_last_used_then_the_best(make: ServiceMaker, paths: Paths) -> None:
    environ = {"ACME_KEY": "k"}
    assert make(NO_ZEN, environ).default_model() == ref("acme", "big-latest")
    paths.state.mkdir(parents=True)
    recent = [{"providerID": "gone", "modelID": "x"}, {"providerID": "acme", "modelID": "big"}]
    (paths.state / "model.json").write_text(json.dumps({"recent": recent}))
    assert make(NO_ZEN, environ).default_model() == ref("acme", "big")
    assert make({"model": "acme/early", **NO_ZEN}, environ).default_model() == ref("acme", "early")


def test_configured_providers_come_before_others_as_default(make: ServiceMaker) -> None:
    service = make({"provider": {"scripted": SCRIPTED}}, {"ACME_KEY": "k"})
    assert service.default_model() == ref("scripted", "gpt-5-scripted")


def test_the_small_model_is_configured_or_of_a_small_family(make: ServiceMaker) -> None:
    environ = {"ACME_KEY": "k"}
    small = make(NO_ZEN, environ).small_model(ProviderID("acme"))
    assert small is not None and small.id == "big-latest"
    chosen = make({"small_model": "acme/big", **NO_ZEN}, environ).small_model(ProviderID("acme"))
    assert chosen is not None and chosen.id == "big"
    assert make({"provider": {"scripted": SCRIPTED}}).small_model(ProviderID("scripted")) is None


async def test_with_nothing_at_all_the_demonstration_is_offered(make: ServiceMaker) -> None:
    service = make(NO_ZEN)
    assert ids(service) == ["demo"]
    assert service.default_model() == ref("demo", "demo")
    assert (await service.list_all()).connected == ["demo"]
    model = service.model(ProviderID("demo"), ModelID("demo"))
    assert isinstance(service.language_model(model), DemoModel)


def test_the_demonstration_is_gone_once_there_is_a_real_model(make: ServiceMaker) -> None:
    service = make({"provider": {"scripted": SCRIPTED}, **NO_ZEN})
    with pytest.raises(ProviderModelNotFound):
        service.model(ProviderID("demo"), ModelID("demo"))


def test_who_filters_everything_away_has_no_provider(make: ServiceMaker) -> None:
    with pytest.raises(NoProviders):
        make({"enabled_providers": []}).default_model()


async def test_a_model_server_on_this_machine_takes_the_place_of_the_demonstration(make: ServiceMaker) -> None:
    async with scripted_model() as server:
        local = LocalServers({}, (("mine", "Mine (local)", server.url),))
        service = make(NO_ZEN, local=local)
        assert ids(service) == ["demo"]
        server.models = ["llama3", "nomic-embed-text"]
        await local.discover()
        assert ids(service) == ["mine"]
        assert service.default_model() == ref("mine", "llama3")
        model = service.language_model(service.model(ProviderID("mine"), ModelID("llama3")))
        assert isinstance(model, SplitThinking), "nobody says how such a server hands on what a model thinks"


async def test_a_call_uses_the_url_key_and_headers_of_its_provider(make: ServiceMaker) -> None:
    async with scripted_model() as server:
        base = server.url.removesuffix("/v1")
        options = {"baseURL": base + "/${PLACE}", "apiKey": "k1", "headers": {"X-Team": "a"}}
        config = {"provider": {"p": {"options": options, "models": {"m": {"headers": {"x-model": "b"}}}}}}
        service = make(config, {"PLACE": "v1"})
        model = service.model(ProviderID("p"), ModelID("m"))
        await service.warm(model)
        events = await whole(service.language_model(model), request_of(model.api.npm, model=model))
        assert text_of(events) == "OK."
        sent = server.requests[0].headers
        assert (sent["authorization"], sent["x-team"], sent["x-model"]) == ("Bearer k1", "a", "b")


def test_importing_the_service_loads_no_heavy_library() -> None:
    code = (
        "import sys, opencode.provider.service\n"
        "print([m for m in ('pydantic_ai','pydantic','openai','anthropic','httpx2','rapidfuzz') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
