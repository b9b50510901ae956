"""Read every source of configuration and make one tree of them. Reading runs nothing that a source names."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anyio import to_thread

from opencode.config.confinement import UNCONFINED, Confinement
from opencode.config.environment import Environment
from opencode.config.errors import ConfigFrontmatterError, ConfigInvalidError, ConfigJsonError, ConfigWithheldError
from opencode.config.finish import finish
from opencode.config.foreign import ForeignFile
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
from opencode.config.parse import find_issues, normalise, parse_config, without_other_names
from opencode.config.redirect import redirected
from opencode.config.remote import RemoteConfig
from opencode.config.schema import Config
from opencode.config.substitute import substitute
from opencode.config.trust import how_to_trust, is_trusted
from opencode.core.paths import Paths
from opencode.core.text_file import read_text

ConfigProblem = ConfigFrontmatterError | ConfigWithheldError


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A configuration, what was left out of it and why, and what the project's files may not do."""

    config: Config
    problems: tuple[ConfigProblem, ...]
    confinement: Confinement = UNCONFINED


async def load_config(directory: Path, worktree: Path, paths: Paths, environment: Environment) -> Config:
    """The configuration of a directory: all sources in the order that :mod:`opencode.config.locate` gives.

    Raises ``ConfigJsonError`` and ``ConfigInvalidError``, which name the file.
    """
    return (await load_config_with_problems(directory, worktree, paths, environment)).config


async def load_config_with_problems(
    directory: Path, worktree: Path, paths: Paths, environment: Environment, remote: Sequence[RemoteConfig] = ()
) -> LoadedConfig:
    """Like :func:`load_config`, with what was left out, for a server that tells its clients.

    ``remote``: what the user's organisations say, the lowest of all sources.
    """
    return await to_thread.run_sync(_load, directory, worktree, ConfigReader(paths, environment, tuple(remote)))


def _load(directory: Path, worktree: Path, reader: "ConfigReader") -> LoadedConfig:
    problems: list[ConfigProblem] = []
    project = directory if worktree == worktree.parent else worktree
    root = None if is_trusted(project, reader.paths, reader.environment) else project
    sources = list(reader.sources(directory, worktree, root, problems))
    confinement = UNCONFINED if root is None else _confinement(root, sources, how_to_trust(root, reader.paths))
    layers: list[Json] = []
    for source in sources:
        if isinstance(source, ForeignFile):
            filled, problem = source.filled(confinement)
            layers.append(reader.checked(filled, source=source.source, directory=source.source.parent))
            problems += [problem] if problem else []
        else:
            layers.append(source)
    data = finish(merge_layers(layers), reader.environment)
    return LoadedConfig(parse_config(data), tuple(problems), confinement)


def _confinement(root: Path, sources: "list[Json | ForeignFile]", remedy: str) -> Confinement:
    foreign = [source.data for source in sources if isinstance(source, ForeignFile)]
    own = [source for source in sources if not isinstance(source, ForeignFile)]
    everything = [source.data if isinstance(source, ForeignFile) else source for source in sources]
    # Not checked yet: only what is an object can be merged.
    providers = [
        [{"provider": entries} for layer in layers if isinstance(entries := layer.get("provider"), dict)]
        for layers in (everything, own)
    ]
    added = {entry for layer in foreign for entry in _texts(layer.get("instructions"))}
    mine = {entry for layer in own for entry in _texts(layer.get("instructions"))}
    return Confinement(
        root=root,
        redirected=redirected(*map(merge_layers, providers)),
        instructions=frozenset(added - mine),
        remedy=remedy,
    )


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


@dataclass(frozen=True, slots=True)
class ConfigReader:
    """Reads single sources into checked layers."""

    paths: Paths
    environment: Environment
    remote: tuple[RemoteConfig, ...] = ()

    def sources(
        self, directory: Path, worktree: Path, root: Path | None, problems: list[ConfigProblem]
    ) -> Iterator[Json | ForeignFile]:
        """The sources of a directory, lowest first; unreadable front matter is added to ``problems``.

        ``root``: the project, when it is not trusted; its files are then given as they are, to be filled.
        """
        own = (self.paths.config, self.paths.home / ".opencode", *self._extra_directory(directory))
        yield from (self.text(found.text, source=found.source, directory=directory) for found in self.remote)
        yield self.global_layer()
        if named := self.environment.get("OPENCODE_CONFIG"):
            yield self.file(directory / named)
        if not self.environment.flag("OPENCODE_DISABLE_PROJECT_CONFIG"):
            read = self.file if root is None else self.foreign_file
            yield self._shared_name(directory / "config.json", read)
            yield from map(read, project_files(directory, worktree))
        for folder in config_directories(directory, worktree, self.paths, self.environment):
            within = None if folder in own else root
            if has_files(folder, self.paths):
                read = self.file if within is None else self.foreign_file
                yield from (read(folder / name) for name in DIRECTORY_NAMES)
            definitions = read_definitions(folder, within)
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
        text = _content(path)
        return {} if text is None else self.text(text, source=path, directory=path.parent)

    def foreign_file(self, path: Path) -> Json | ForeignFile:
        """A file of a project that is not trusted, as it is written; an empty layer when there is no such file."""
        text = _content(path)
        data = {} if text is None else read_jsonc(text, path)
        if not isinstance(data, dict):
            raise ConfigInvalidError(path, find_issues(data))
        return ForeignFile(data, path, self.paths.home, self.environment) if data else {}

    def text(self, text: str, *, source: Path | str, directory: Path) -> Json:
        """The layer of one text; paths in it are relative to ``directory``."""
        replaced = substitute(
            text, source=source, directory=directory, home=self.paths.home, environment=self.environment
        )
        return self.checked(read_jsonc(replaced, source, original=text), source=source, directory=directory)

    def checked(self, data: Any, *, source: Path | str, directory: Path) -> Json:
        """The layer of what a text says. Raises ``ConfigInvalidError``."""
        data = without_other_names(data)
        if issues := find_issues(data):
            raise ConfigInvalidError(source, issues)
        layer = normalise(data)
        if "plugin" in layer:
            layer["plugin"] = [_resolve_plugin(plugin, directory) for plugin in layer["plugin"]]
        return layer

    def _shared_name(self, path: Path, read: Callable[[Path], Json | ForeignFile]) -> Json | ForeignFile:
        """A file whose name other programs use too: what is not a configuration is theirs."""
        try:
            found = read(path)
        except (ConfigJsonError, ConfigInvalidError):
            return {}
        return {} if isinstance(found, ForeignFile) and find_issues(found.data) else found

    def _extra_directory(self, directory: Path) -> list[Path]:
        extra = self.environment.get("OPENCODE_CONFIG_DIR")
        return [directory / extra] if extra else []


def _content(path: Path) -> str | None:
    """The text of a file; None when there is none. Raises ``ConfigJsonError``."""
    try:
        return read_text(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigJsonError(path, f"the file cannot be read: {error.strerror}") from error


def _resolve_plugin(plugin: str | list[object], directory: Path) -> str | list[object]:
    """A path relative to its file as a ``file://`` URL; a package stays as it is."""
    if not isinstance(plugin, str):
        return [_resolve_plugin(str(plugin[0]), directory), *plugin[1:]]
    if plugin.startswith(("./", "../", "/")):
        return Path(directory, plugin).resolve().as_uri()
    return plugin
