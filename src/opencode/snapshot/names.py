"""Spells file names, which on disk are bytes, as text that survives JSON."""

import re
from collections.abc import Iterable
from pathlib import Path

_ESCAPES = {0x07: "a", 0x08: "b", 0x09: "t", 0x0A: "n", 0x0B: "v", 0x0C: "f", 0x0D: "r", 0x22: '"', 0x5C: "\\"}
_LETTERS = {letter: byte for byte, letter in _ESCAPES.items()}
_QUOTED = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)


def text(name: bytes) -> str:
    """The name as text; in quotes with octal escapes, as git writes it, when it is not UTF-8."""
    try:
        plain = name.decode()
    except UnicodeDecodeError:
        return _quote(name)
    return _quote(name) if plain.startswith('"') else plain


def from_text(spelled: str) -> bytes:
    """The bytes of a name that :func:`text`, or git itself, has spelled."""
    if len(spelled) < 2 or not (spelled.startswith('"') and spelled.endswith('"')):
        return spelled.encode("utf-8", "surrogateescape")
    return _QUOTED.sub(_unescape, spelled[1:-1].encode("utf-8", "surrogateescape"))


def absolute(worktree: Path, name: bytes) -> str:
    """The absolute path of a name in the worktree; only the name is ever in quotes."""
    return f"{str(worktree).rstrip('/')}/{text(name)}"


def relative(worktree: Path, path: str) -> bytes | None:
    """The name in the worktree of an absolute path; None for whatever could lie outside of it."""
    root = f"{str(worktree).rstrip('/')}/"
    if not path.startswith(root):
        return None
    name = from_text(path.removeprefix(root))
    return name if is_inside(name) else None


def is_inside(name: bytes) -> bool:
    """Whether a relative name stays below where it starts and out of git's own directory."""
    parts = name.split(b"/")
    return bool(name) and not any(part in (b"", b".", b"..") or part.lower() == b".git" for part in parts)


def parents(name: bytes) -> list[bytes]:
    """The directories above a name, nearest first, without the root."""
    found = []
    while folder := name.rpartition(b"/")[0]:
        found.append(folder)
        name = folder
    return found


def split(output: bytes) -> list[bytes]:
    """The names of an output that ends each with a NUL byte."""
    return output.split(b"\0")[:-1]


def joined(names: Iterable[bytes]) -> bytes:
    """The names as git reads them with ``-z``."""
    return b"".join(name + b"\0" for name in names)


def _quote(name: bytes) -> str:
    return '"' + "".join(_escape(byte) for byte in name) + '"'


def _escape(byte: int) -> str:
    if byte in _ESCAPES:
        return "\\" + _ESCAPES[byte]
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}"


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if code.isdigit():
        return bytes([int(code, 8) & 0xFF])
    letter = code.decode("latin-1")
    return bytes([_LETTERS[letter]]) if letter in _LETTERS else code
