"""What ``opencode run`` sends: the text from arguments and stdin, and the attached files (spec: CLI, section 4)."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TextIO

from opencode.cli.errors import CliError
from opencode.session.inputs import AttachedFile

INLINE_LIMIT_BYTES: Final = 10 * 1024 * 1024
_TITLE_LENGTH: Final = 50


def message_text(arguments: Sequence[str], stdin: TextIO) -> str:
    """The arguments joined by spaces, those with spaces in quotes when there are several; then what is piped in."""
    if len(arguments) > 1:
        arguments = [f'"{word.replace(chr(34), chr(92) + chr(34))}"' if " " in word else word for word in arguments]
    text = " ".join(arguments)
    if stdin.isatty():
        return text
    piped = stdin.read()
    return "\n".join(part for part in (text, piped) if part)


def session_title(wanted: str | None, message: str) -> str | None:
    """The title given; for an empty one the message's beginning."""
    if wanted != "":
        return wanted
    return message if len(message) <= _TITLE_LENGTH else message[:_TITLE_LENGTH] + "..."


def file_parts(paths: Sequence[str], base: Path, *, inline: bool) -> list[AttachedFile]:
    """One part per path; ``inline``: with the content, for a server that may not see our files.

    Raises ``CliError`` for what does not exist or is too large to send.
    """
    return [_file_part(base / path, inline=inline) for path in paths]


def _file_part(path: Path, *, inline: bool) -> AttachedFile:
    path = path.absolute()
    if path.is_dir():
        return AttachedFile(mime="application/x-directory", filename=path.name, url=path.as_uri())
    if not path.exists():
        raise CliError(f"File not found: {path}")
    return AttachedFile(mime="text/plain", filename=path.name, url=_data_url(path) if inline else path.as_uri())


def _data_url(path: Path) -> str:
    if path.stat().st_size > INLINE_LIMIT_BYTES:
        raise CliError(f"File too large to send to another server (limit {INLINE_LIMIT_BYTES >> 20} MiB): {path}")
    return "data:text/plain;base64," + base64.b64encode(path.read_bytes()).decode()
