"""JSON with comments and trailing commas: read it, or say where it is broken."""

import re
from pathlib import Path
from typing import Any

import pyjson5

from opencode.config.errors import ConfigJsonError

SHORTEST_SECRET = 12
_TEXT = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:)?')
_TOKENS = {"JSON5Value": "a value", "IdentifierStart": "a name in double quotes", "NumericLiteral": "number"}
_NEAR = re.compile(r" (?:starting )?near (\d+)")
_CODE_POINT = re.compile(r"U\+([0-9a-fA-F]{4,6})")
_BYTES = re.compile(r"b'(\w+)'")


def read_jsonc(text: str, path: Path | str, original: str | None = None) -> Any:
    """The value of a text; an empty text is an empty object.

    ``original`` is the text before substitution. Faults are shown in it, so that no secret gets into a message.
    Raises ``ConfigJsonError`` with line, column and what is expected.
    """
    if not text.strip("\ufeff \t\r\n"):
        return {}
    try:
        return pyjson5.decode(text)
    except pyjson5.Json5DecoderException as fault:
        reason = _fault_in(original) if original is not None and original != text else explain_fault(text, fault)
        raise ConfigJsonError(path, reason) from None


def _fault_in(original: str) -> str:
    try:
        pyjson5.decode(original)
    except pyjson5.Json5DecoderException as fault:
        return explain_fault(original, fault)
    return "not valid JSON once {env:...} and {file:...} are replaced; is there a quote or a line break in a value?"


def explain_fault(text: str, fault: Exception) -> str:
    """The fault in words, its line and column (from 1), the line itself and a caret under the place."""
    message = str(fault.args[0])
    near = _NEAR.search(message)
    # The reader counts characters from 1; at the end of the text it names the last one.
    index = min(max(int(near.group(1)) - 1, 0), len(text)) if near else 0
    line = text.count("\n", 0, index) + 1
    start = text.rfind("\n", 0, index) + 1
    shown = _without_secrets(text[start:].split("\n", 1)[0].rstrip("\r"))
    column = index - start + 1
    caret = "".join("\t" if char == "\t" else " " for char in shown[: column - 1]) + "^"
    return f"{_words(_NEAR.sub('', message))} at line {line}, column {column}\n{shown}\n{caret}"


def _without_secrets(line: str) -> str:
    """The line with texts that look like credentials blanked, so that the caret still stands under its place."""
    return _TEXT.sub(lambda found: found[0] if found[2] or _is_open(found[1]) else _blank(found[1]), line)


def _is_open(text: str) -> bool:
    is_short = len(text) < SHORTEST_SECRET + 2
    return is_short or "{env:" in text or "{file:" in text or " " in text or "/" in text


def _blank(text: str) -> str:
    return '"' + "*" * (len(text) - 2) + '"'


def _words(message: str) -> str:
    message = _BYTES.sub(lambda found: _TOKENS.get(found.group(1), found.group(1)), message)
    return _CODE_POINT.sub(lambda found: repr(chr(int(found.group(1), 16))), message)
