"""Read every source of configuration and make one tree of them. Reading runs nothing that a source names."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread

from opencode.config.environment import Environment
from opencode.config.errors import ConfigFrontmatterError, ConfigInvalidError, ConfigJsonError
from opencode.config.finish import finish
from opencode.config.jsonc import read_jsonc
from opencode.config.locate import (
    DIRECTORY_NAMES,
    GLOBAL_NAMES,
    MANAGED_NAMES,
    config_directories,
    has_files,
    managed_directory,
    project_files,
)
from opencode.config.markdown import read_definitions
from opencode.config.merge import Json, merge_deep, merge_layers
from opencode.config.parse import find_issues, normalise, parse_config
from opencode.config.schema import Config
from opencode.config.substitute import substitute
from opencode.config.text import read_text
from opencode.core.paths import Paths


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A configuration, and the files that were left out of it because their front matter cannot be read."""

    config: Config
    problems: tuple[ConfigFrontmatterError, ...]


async def load_config(directory: Path, worktree: Path, paths: Paths, environment: Environment) -> Config:
    """The configuration of a directory: all sources in the order that :mod:`opencode.config.locate` gives.

    Raises ``ConfigJsonError`` and ``ConfigInvalidError``, which name the file.
    """
    return (await load_config_with_problems(directory, worktree, paths, environment)).config


async def load_config_with_problems(
    directory: Path, worktree: Path, paths: Paths, environment: Environment
) -> LoadedConfig:
    """Like :func:`load_config`, with what was left out, for a server that tells its clients."""
    return await to_thread.run_sync(_load, directory, worktree, ConfigReader(paths, environment))


def _load(directory: Path, worktree: Path, reader: "ConfigReader") -> LoadedConfig:
    problems: list[ConfigFrontmatterError] = []
    layers = list(reader.layers(directory, worktree, problems))
    data = finish(merge_layers(layers), reader.environment)
    return LoadedConfig(parse_config(data), tuple(problems))


@dataclass(frozen=True, slots=True)
class ConfigReader:
    """Reads single sources into checked layers."""

    paths: Paths
    environment: Environment

    def layers(self, directory: Path, worktree: Path, problems: list[ConfigFrontmatterError]) -> Iterator[Json]:
        """The layers of a directory, lowest first; unreadable front matter is added to ``problems``."""
        yield self.global_layer()
        if named := self.environment.get("OPENCODE_CONFIG"):
            yield self.file(directory / named)
        if not self.environment.flag("OPENCODE_DISABLE_PROJECT_CONFIG"):
            yield self._shared_name(directory / "config.json")
            yield from map(self.file, project_files(directory, worktree))
        for folder in config_directories(directory, worktree, self.paths, self.environment):
            if has_files(folder, self.paths):
                yield from (self.file(folder / name) for name in DIRECTORY_NAMES)
            definitions = read_definitions(folder)
            problems.extend(definitions.problems)
            yield normalise(definitions.layer)
        if content := self.environment.get("OPENCODE_CONFIG_CONTENT"):
            yield self.text(content, source="OPENCODE_CONFIG_CONTENT", directory=directory)
        yield from (self.file(managed_directory(self.environment) / name) for name in MANAGED_NAMES)

    def global_layer(self) -> Json:
        """The user's own files; among these even ``plugin`` and ``instructions`` are replaced."""
        merged: Json = {}
        for name in GLOBAL_NAMES:
            merged = merge_deep(merged, self.file(self.paths.config / name))
        return merged

    def file(self, path: Path) -> Json:
        """The layer of one file; empty when there is no such file."""
        try:
            text = read_text(path)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            raise ConfigJsonError(path, f"the file cannot be read: {error.strerror}") from error
        return self.text(text, source=path, directory=path.parent)

    def text(self, text: str, *, source: Path | str, directory: Path) -> Json:
        """The layer of one text; paths in it are relative to ``directory``."""
        replaced = substitute(
            text, source=source, directory=directory, home=self.paths.home, environment=self.environment
        )
        data = read_jsonc(replaced, source, original=text)
        if issues := find_issues(data):
            raise ConfigInvalidError(source, issues)
        layer = normalise(data)
        if "plugin" in layer:
            layer["plugin"] = [_resolve_plugin(plugin, directory) for plugin in layer["plugin"]]
        return layer

    def _shared_name(self, path: Path) -> Json:
        """A file whose name other programs use too: what is not a configuration is theirs."""
        try:
            return self.file(path)
        except (ConfigJsonError, ConfigInvalidError):
            return {}


def _resolve_plugin(plugin: str | list[object], directory: Path) -> str | list[object]:
    """A path relative to its file as a ``file://`` URL; a package stays as it is."""
    if not isinstance(plugin, str):
        return [_resolve_plugin(str(plugin[0]), directory), *plugin[1:]]
    if plugin.startswith(("./", "../", "/")):
        return Path(directory, plugin).resolve().as_uri()
    return plugin
