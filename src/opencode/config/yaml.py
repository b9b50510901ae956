"""YAML as front matter has it: the JSON-like kinds of values only, and no aliases."""

import re
from collections.abc import Iterable
from typing import Any

DEEPEST = 64
"""Levels of nesting. The fast reader has no limit of its own: deep enough a text ends the process."""

_BOOLEAN = re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$")


class YamlError(ValueError):
    """The text is not YAML, or uses what front matter may not."""


def read_yaml(text: str) -> Any:
    """The value of a text; None for an empty one. Keys are strings. Raises ``YamlError``.

    Only ``true`` and ``false`` are booleans and a date is text, as in YAML 1.2: a description that reads "yes"
    stays what it is. Aliases are refused, because few of them make a value of any size.
    """
    import yaml  # slow, and only needed when there is front matter

    loader = _loader(yaml)
    try:
        _check(yaml, yaml.parse(text, Loader=loader))
        return _plain(yaml.load(text, Loader=loader))
    except yaml.YAMLError as error:
        raise YamlError(_reason(error)) from error
    except (ValueError, RecursionError) as error:
        raise YamlError(str(error)) from error


def _check(yaml: Any, events: Iterable[Any]) -> None:
    """Refuse what makes a small text large or deep, before anything is built from it."""
    depth = 0
    for event in events:
        if isinstance(event, yaml.AliasEvent):
            raise YamlError("aliases are not supported")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise YamlError(f"more than {DEEPEST} levels are not supported")


def _loader(yaml: Any) -> Any:
    """A safe loader without the YAML 1.1 booleans and dates."""
    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    dropped = ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")

    kept = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in dropped]
        for first, resolvers in base.yaml_implicit_resolvers.items()
    }
    loader: Any = type("FrontMatterLoader", (base,), {"yaml_implicit_resolvers": kept})
    loader.add_implicit_resolver(dropped[0], _BOOLEAN, list("tTfF"))
    return loader


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            raise YamlError(f"{type(value).__name__} values are not supported")


def _reason(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    return f"{problem} at line {mark.line + 2}, column {mark.column + 1}" if mark else str(problem)
