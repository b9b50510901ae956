"""Places for configuration files, and short ways to write and load them."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from opencode.config.environment import Environment
from opencode.config.load import LoadedConfig, load_config_with_problems
from opencode.config.schema import Config
from opencode.core.paths import Paths

Json = dict[str, Any]


@dataclass
class Places:
    """A user's home, and a project in a repository below it: ``repo/app`` is the directory that is opened."""

    root: Path
    values: dict[str, str] = field(default_factory=dict)

    @property
    def repo(self) -> Path:
        return self.root / "repo"

    @property
    def app(self) -> Path:
        return self.repo / "app"

    @property
    def paths(self) -> Paths:
        return Paths.from_environ({"HOME": str(self.root / "home")})

    @property
    def environment(self) -> Environment:
        return Environment({"OPENCODE_TEST_MANAGED_CONFIG_DIR": str(self.root / "managed"), **self.values})

    def write(self, path: Path, content: Json | str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    async def load_all(self) -> LoadedConfig:
        return await load_config_with_problems(self.app, self.repo, self.paths, self.environment)

    async def load(self) -> Config:
        return (await self.load_all()).config


Load = Callable[[], Awaitable[Config]]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(tmp_path)
    made.app.mkdir(parents=True)
    return made
