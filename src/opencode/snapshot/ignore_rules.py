"""The store's own list of what is ignored: the user's rules outside the work tree, and files that are too large."""

from pathlib import Path

from opencode.snapshot.stamps import Stamp, stamp_of

RULES_FILE = b".gitignore"
_LEFT_OUT = b"# Too large for snapshots:\n"
_SPECIAL = frozenset(b"\\*?[]!# ")


class IgnoreRules:
    """Keeps ``info/exclude`` of the store equal to the user's rules and the names left out for their size.

    The rules in the work tree's ``.gitignore`` files need no copy: git reads them where they are.
    """

    def __init__(self, store: Path, sources: list[Path]) -> None:
        self.left_out: dict[bytes, Stamp] = {}
        self._target = store / "info" / "exclude"
        self._sources = sources
        self._seen: list[Stamp] | None = None

    def refresh(self) -> bool:
        """Copy the user's rules if they changed; whether they did."""
        stamps = [stamp_of(source) for source in self._sources]
        if stamps == self._seen:
            return False
        self._write()
        self._seen = stamps
        return True

    def leave_out(self, found: dict[bytes, Stamp]) -> None:
        """Ignore these names from now on. Raises ``OSError``."""
        self.left_out.update(found)
        self._write()

    def take_back(self, found: list[bytes]) -> None:
        """Ignore these names no longer. Raises ``OSError``."""
        for name in found:
            self.left_out.pop(name, None)
        self._write()

    def _write(self) -> None:
        rules = b"".join(_content(source) for source in self._sources)
        if self.left_out:
            rules += _LEFT_OUT + b"".join(b"/" + _pattern(name) + b"\n" for name in sorted(self.left_out))
        if not self._target.exists() or self._target.read_bytes() != rules:
            self._target.write_bytes(rules)


def has_rules(found: list[bytes]) -> bool:
    """Whether one of the names is a file with ignore rules."""
    return any(name == RULES_FILE or name.endswith(b"/" + RULES_FILE) for name in found)


def _content(source: Path) -> bytes:
    try:
        content = source.read_bytes()
    except OSError:
        return b""
    return content if not content or content.endswith(b"\n") else content + b"\n"


def _pattern(name: bytes) -> bytes:
    """The name as a pattern that matches it; a line break, which no pattern can hold, becomes a wildcard."""
    return b"".join(_pattern_byte(byte) for byte in name)


def _pattern_byte(byte: int) -> bytes:
    if byte == 0x0A:
        return b"?"
    return b"\\" + bytes([byte]) if byte in _SPECIAL else bytes([byte])
