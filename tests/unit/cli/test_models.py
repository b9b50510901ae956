"""Which models are listed, and in which order."""

import pytest

from opencode.cli.errors import CliError
from opencode.cli.models import listed
from opencode.core.ids import ModelID, ProviderID
from opencode.core.wire import replace
from opencode.provider.schema import Provider
from tests.support.wires import CHAT, model_of


def provider(name: str, *models: str) -> Provider:
    made = {model: replace(model_of(CHAT), id=ModelID(model), provider_id=ProviderID(name)) for model in models}
    return Provider(id=ProviderID(name), name=name.title(), source="env", env=[], options={}, models=made)


PROVIDERS = [provider("openai", "o3", "gpt-5"), provider("opencode", "big"), provider("anthropic", "claude/a")]


def named(wanted: str | None) -> list[str]:
    return [f"{model.provider_id}/{model.id}" for model in listed(PROVIDERS, wanted)]


def test_the_own_provider_comes_first_and_everything_else_by_name() -> None:
    assert named(None) == ["opencode/big", "anthropic/claude/a", "openai/gpt-5", "openai/o3"]


def test_one_provider_can_be_chosen() -> None:
    assert named("openai") == ["openai/gpt-5", "openai/o3"]


def test_an_unknown_provider_is_an_error_with_near_names() -> None:
    with pytest.raises(CliError, match=r"^Provider not found: opnai. Did you mean openai"):
        named("opnai")
