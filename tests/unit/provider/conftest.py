"""A provider service over files in a scratch home."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from opencode.auth.store import CredentialStore
from opencode.config.schema import Config
from opencode.core.paths import Paths
from opencode.core.wire import decode, encode
from opencode.provider.adapters import AdapterPool
from opencode.provider.catalogue import Catalogue
from opencode.provider.local import LocalServers
from opencode.provider.service import ProviderService

ServiceMaker = Callable[..., ProviderService]

CATALOGUE = {
    "acme": {
        "id": "acme",
        "name": "Acme",
        "env": ["ACME_KEY"],
        "npm": "@ai-sdk/openai-compatible",
        "api": "https://acme.example/${ACME_REGION}/v1",
        "models": {
            "big": {"id": "big", "name": "Big", "tool_call": True, "limit": {"context": 10, "output": 5}},
            "big-latest": {"id": "big-latest", "name": "Big latest", "tool_call": True, "family": "claude-haiku"},
            "old": {"id": "old", "name": "Old", "status": "deprecated"},
            "early": {"id": "early", "name": "Early", "status": "alpha"},
        },
    },
    "twokeys": {"id": "twokeys", "name": "Two", "env": ["ID", "SECRET"], "models": {"m": {"id": "m", "name": "M"}}},
    "opencode": {
        "id": "opencode",
        "name": "Zen",
        "env": ["OPENCODE_API_KEY"],
        "api": "https://zen.example/v1",
        "models": {
            "free": {"id": "free", "name": "Free", "cost": {"input": 0, "output": 0}},
            "paid": {"id": "paid", "name": "Paid", "cost": {"input": 1, "output": 2}},
        },
    },
}


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.from_environ({"OPENCODE_TEST_HOME": str(tmp_path)})


@pytest.fixture
def make(paths: Paths) -> ServiceMaker:
    """Builds a service from a configuration, an environment and a catalogue."""

    def build(
        config: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
        catalogue: Mapping[str, Any] = CATALOGUE,
        local: LocalServers | None = None,
    ) -> ProviderService:
        paths.cache.mkdir(parents=True, exist_ok=True)
        (paths.cache / "models.json").write_text(json.dumps(catalogue))
        environ = dict(environ or {})
        return ProviderService(
            config=decode(encode(config or {}), Config),
            catalogue=Catalogue(paths, environ),
            credentials=CredentialStore(paths, environ),
            local=local or LocalServers({"OPENCODE_DISABLE_LOCAL_MODELS": "1"}),
            paths=paths,
            environ=environ,
            adapters=AdapterPool(),
        )

    return build
