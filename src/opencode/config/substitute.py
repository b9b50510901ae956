"""``{env:NAME}`` and ``{file:path}`` in configuration texts (spec: configuration, section 4)."""

import re
from pathlib import Path

from opencode.config.environment import Environment
from opencode.config.errors import ConfigInvalidError, Issue
from opencode.core.text_file import read_text
from opencode.core.wire import encode

_ENV = re.compile(r"\{env:([^}]+)\}")
_FILE = re.compile(r"\{file:([^}]+)\}")


def substitute(text: str, *, source: Path | str, directory: Path, home: Path, environment: Environment) -> str:
    """The text with tokens replaced: environment first, then files; what was put in is not looked at again.

    A variable that is not set becomes nothing. A file's text is trimmed and escaped for a JSON string; its path
    is relative to ``directory``, ``~/`` is ``home``; tokens on ``//`` lines stay. Raises ``ConfigInvalidError``
    when a file cannot be read.
    """
    text = with_environment(text, environment)
    if "{file:" not in text:
        return text

    def content(token: re.Match[str]) -> str:
        line_start = text.rfind("\n", 0, token.start()) + 1
        if text[line_start : token.start()].lstrip().startswith("//"):
            return token.group()
        path = resolve_file(token.group(1), directory, home)
        return encode(_read(path, token.group(), source).strip()).decode()[1:-1]

    return _FILE.sub(content, text)


def substitute_value(value: str, *, source: Path | str, directory: Path, home: Path, environment: Environment) -> str:
    """The same for one text of a configuration that has been read already: nothing is escaped."""

    def content(token: re.Match[str]) -> str:
        return _read(resolve_file(token.group(1), directory, home), token.group(), source).strip()

    return _FILE.sub(content, with_environment(value, environment))


def resolve_file(path: str, directory: Path, home: Path) -> Path:
    """The file that a token names."""
    return home / path[2:] if path.startswith("~/") else directory / path


def with_environment(text: str, environment: Environment) -> str:
    """The text with the variables put in; one that is not set becomes nothing."""
    return _ENV.sub(lambda token: environment.values.get(token.group(1), ""), text)


def _read(path: Path, token: str, source: Path | str) -> str:
    try:
        text = read_text(path)
    except OSError as error:
        reason = f"{token} names {path}, which cannot be read: {error.strerror}"
        raise ConfigInvalidError(source, [Issue(path=[], message=reason)]) from error
    return text
