"""Makes what a server said comparable between runs: ids, times, paths and addresses become placeholders."""

import re
from collections.abc import Mapping
from typing import Any

_ID = re.compile(r"\b(?:(ses|msg|prt|per|que)_[0-9A-Za-z]{16,}|[0-9A-HJKMNP-TV-Z]{26})\b")
_ISO = re.compile(r"\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z?\b")
_HASH = re.compile(r"\b[0-9a-f]{40}\b")
_PORT = re.compile(r"127\.0\.0\.1:\d+")
_EPOCH_MS = 1_500_000_000_000
_VARYING = {"slug": "<slug>", "version": "<version>"}


class Normaliser:
    """Replaces what varies. Ids are numbered in the order of their first appearance, so references stay visible.

    ``names`` maps texts, such as paths, to their placeholders; longer texts win.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = sorted(names.items(), key=lambda item: -len(item[0]))
        self._ids: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def __call__(self, value: Any) -> Any:
        match value:
            case dict():
                return {self._text(key): _VARYING.get(key) or self(inner) for key, inner in value.items()}
            case list() | tuple():
                return [self(inner) for inner in value]
            case str():
                return self._text(value)
            case bool():
                return value
            case int() | float() if value > _EPOCH_MS:
                return "<time>"
            case _:
                return value

    def _text(self, text: str) -> str:
        for name, placeholder in self._names:
            text = text.replace(name, placeholder)
        text = _PORT.sub("<host>", text)
        text = _ISO.sub("<iso>", text)
        text = _HASH.sub(lambda found: f"<{self._numbered(found[0], 'hash')}>", text)
        return _ID.sub(lambda found: self._numbered(found[0], found[1] or "call"), text)

    def _numbered(self, identifier: str, kind: str) -> str:
        if identifier not in self._ids:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._ids[identifier] = f"{kind}_{self._counts[kind]}"
        return self._ids[identifier]
