"""Agents, commands and modes written as Markdown with front matter (spec: configuration, section 3)."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opencode.config.confinement import Confinement
from opencode.config.errors import ConfigFrontmatterError, ConfigInvalidError
from opencode.config.merge import Json
from opencode.config.parse import find_issues
from opencode.config.yaml import YamlError, read_yaml
from opencode.core.text_file import read_text

DIRECTORY_LIMIT = 1_000
"""Directories that are looked through: a link in a repository may lead to the whole disk."""

_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)(?:\r?\n)?^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_KEY_AND_VALUE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*:\s*(.*)")
_COMMAND_KEYS = frozenset({"template", "description", "agent", "model", "variant", "subtask"})


def read_markdown(path: Path) -> tuple[dict[str, Any], str]:
    """The front matter and the body of a file. Raises ``ConfigFrontmatterError``, ``OSError``."""
    return parse_markdown(read_text(path), path)


def parse_markdown(text: str, path: Path | str) -> tuple[dict[str, Any], str]:
    """The front matter, empty when there is none, and the rest, trimmed. Raises ``ConfigFrontmatterError``."""
    found = _FRONT_MATTER.match(text)
    if found is None:
        return {}, text.strip()
    try:
        data = _read_repaired(found.group(1))
    except YamlError as error:
        raise ConfigFrontmatterError(path, str(error)) from error
    if data is not None and not isinstance(data, dict):
        raise ConfigFrontmatterError(path, "expected `key: value` lines")
    return data or {}, text[found.end() :].strip()


def _read_repaired(front_matter: str) -> Any:
    try:
        return read_yaml(front_matter)
    except YamlError:
        # `description: Use when: always` is not YAML, but people and other tools write it.
        return read_yaml(repair(front_matter))


def repair(front_matter: str) -> str:
    """Top-level values with a colon, unless quoted or in a block, turned into literal blocks."""
    return "\n".join(_repair_line(line) for line in front_matter.splitlines())


def _repair_line(line: str) -> str:
    found = _KEY_AND_VALUE.fullmatch(line)
    if found is None:
        return line
    key, value = found.groups()
    if ":" not in value or value.startswith(('"', "'", "|", ">")):
        return line
    return f"{key}: |-\n  {value}"


@dataclass(frozen=True, slots=True)
class Definitions:
    """What one configuration directory defines, as a layer, and what of it could not be read."""

    layer: Json
    problems: list[ConfigFrontmatterError]


def read_definitions(folder: Path, within: Path | None = None) -> Definitions:
    """The commands, agents, modes and plugins of a configuration directory.

    ``within``: files that are links to somewhere outside of this directory are left out without a word.

    A file that cannot be read, or whose front matter is not YAML, is a problem and left out; so is, without a
    word, a mode that is not valid. A command or an agent that is not valid raises ``ConfigInvalidError``.
    """
    layer: Json = {}
    problems: list[ConfigFrontmatterError] = []
    admits = Confinement(root=within).admits
    for kind in _KINDS:
        for path, name in _markdown_files(folder, kind.folders, nested=kind.nested):
            if not admits(path):
                continue
            try:
                front_matter, body = read_markdown(path)
            except ConfigFrontmatterError as problem:
                problems.append(problem)
            except OSError as error:
                problems.append(ConfigFrontmatterError(path, error.strerror or str(error)))
            else:
                definition = kind.define(path, {"name": name, **front_matter}, body)
                layer.setdefault(kind.key, {}).update(definition)
    plugins = [path.as_uri() for names in ("plugin", "plugins") for path in _scripts(folder / names)]
    return Definitions({**layer, "plugin": plugins} if plugins else layer, problems)


def _command(path: Path, front_matter: Json, body: str) -> Json:
    # Commands written for other tools have keys of their own; they are left out.
    known = {key: value for key, value in front_matter.items() if key in _COMMAND_KEYS}
    command = {**known, "template": body}
    if issues := find_issues(command, "CommandConfig"):
        raise ConfigInvalidError(path, issues)
    return {str(front_matter["name"]): command}


def _agent(path: Path, front_matter: Json, body: str) -> Json:
    agent = {**front_matter, "prompt": body}
    if issues := find_issues(agent, "AgentConfig"):
        raise ConfigInvalidError(path, issues)
    return {agent["name"]: agent}


def _mode(path: Path, front_matter: Json, body: str) -> Json:
    mode = {**front_matter, "prompt": body, "mode": "primary"}
    return {} if find_issues(mode, "AgentConfig") else {mode["name"]: mode}


@dataclass(frozen=True, slots=True)
class _Kind:
    """A key of the configuration, the folders that add to it, and how a file there becomes an entry."""

    key: str
    folders: tuple[str, ...]
    define: Callable[[Path, Json, str], Json]
    nested: bool = True


_KINDS = (
    _Kind("command", ("command", "commands"), _command),
    _Kind("agent", ("agent", "agents"), _agent),
    _Kind("agent", ("mode", "modes"), _mode, nested=False),
)


def _markdown_files(folder: Path, names: tuple[str, ...], *, nested: bool) -> Iterator[tuple[Path, str]]:
    """Each Markdown file below the named folders, with its path there without the extension, sorted."""
    for name in names:
        root = folder / name
        for path in sorted(_walk(root, nested=nested)):
            if path.suffix == ".md":
                yield path, path.relative_to(root).with_suffix("").as_posix()


def _walk(root: Path, *, nested: bool) -> Iterator[Path]:
    """The files below a directory. Links are followed, but no directory is entered twice, and not more than so many."""
    entered: set[str] = set()
    for current, folders, files in os.walk(root, followlinks=True):
        entered.add(os.path.realpath(current))
        if len(entered) > DIRECTORY_LIMIT:
            return
        folders[:] = [name for name in folders if nested and os.path.realpath(f"{current}/{name}") not in entered]
        yield from (Path(current, name) for name in files)


def _scripts(folder: Path) -> list[Path]:
    return sorted(path for path in _walk(folder, nested=False) if path.suffix in (".ts", ".js"))
