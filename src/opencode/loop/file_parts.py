"""Files in a prompt: text is read into it, media travel inside it (spec: messages, sections 3.4 and 3.5)."""

import base64
import mimetypes
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from anyio import to_thread

from opencode.core.errors import Invalid
from opencode.core.log import Logger
from opencode.core.wire import encode, replace, set_or
from opencode.loop.input_parts import NO_ID, stored, synthetic
from opencode.session.schema import FilePart, FilePartInput, Part, UserMessage
from opencode.tool.tool import ToolResult

log = Logger("session.prompt")

DIRECTORY = "application/x-directory"
LARGEST_ATTACHMENT = 64 * 1024 * 1024

ReadFile = Callable[[UserMessage, dict[str, object]], Awaitable[ToolResult]]
"""Reads a file or directory as the ``read`` tool does, without asking: the user named it."""
SymbolLines = Callable[[Path, int], Awaitable[tuple[int, int] | None]]
"""The first and last line of the symbol that begins at a line of a file, if somebody knows (a language server)."""
CountAsRead = Callable[[UserMessage, Path], None]
"""Notes that the session knows a file."""
ReportFault = Callable[[UserMessage, str], Awaitable[None]]
"""Tells clients why a file is missing in a prompt."""


async def no_symbols(path: Path, line: int) -> None:
    """Where no language server is asked."""


class FileParts:
    """What becomes of the files in prompts."""

    def __init__(
        self,
        read_file: ReadFile,
        count_as_read: CountAsRead,
        report: ReportFault,
        symbol_lines: SymbolLines = no_symbols,
    ) -> None:
        self._read_file = read_file
        self._count_as_read = count_as_read
        self._report = report
        self._symbol_lines = symbol_lines

    async def expand(self, message: UserMessage, part: FilePartInput) -> list[Part]:
        """The parts to store. A file that cannot be read becomes a note.

        Publishes ``session.error`` for that. Raises ``Invalid`` for a URL that cannot be understood.
        """
        file, url = stored(FilePart, message, part), _split(part.url)
        if url.scheme == "data" and part.mime == "text/plain":
            return [*_read_note(message, {"filePath": set_or(part.filename, "")}, _data_text(part.url)), file]
        if url.scheme != "file":
            return [file]
        path = Path(unquote(url.path))
        if not path.is_absolute():
            raise Invalid(f"The URL of a file part must hold an absolute path: {part.url}", field="parts")
        arguments: dict[str, object] = {"filePath": str(path)}
        try:
            if path.is_dir():
                file = replace(file, mime=DIRECTORY)
            if file.mime not in ("text/plain", DIRECTORY):
                return await self._attached(message, file, path)
            if file.mime != DIRECTORY:
                arguments |= await self._lines_wanted(path, url.query)
            return await self._read(message, file, arguments)
        except Exception as error:  # noqa: BLE001 - an edge: an unreadable file must not lose the prompt
            log.warning("file of a prompt not read", path=str(path), error=str(error))
            await self._report(message, str(error))
            return _read_note(message, arguments, f"The file {path} could not be read: {error}")

    async def _attached(self, message: UserMessage, file: FilePart, path: Path) -> list[Part]:
        self._count_as_read(message, path)
        url = await to_thread.run_sync(_data_url, path, file.mime)
        return [synthetic(message, _call_text({"filePath": str(path)})), replace(file, url=url)]

    async def _read(self, message: UserMessage, file: FilePart, arguments: dict[str, object]) -> list[Part]:
        result = await self._read_file(message, arguments)
        shown = _read_note(message, arguments, result.output)
        if not result.attachments:
            return [*shown, file]
        return shown + [
            replace(file, id=NO_ID, mime=a.mime, url=a.url, filename=a.filename or file.filename)
            for a in result.attachments
        ]

    async def _lines_wanted(self, path: Path, query: str) -> dict[str, object]:
        """``?start=&end=``. Where both are one line it stands for the symbol that begins there."""
        start, end = (_number(query, name) for name in ("start", "end"))
        if start is None:
            return {}
        if start == end and (lines := await self._symbol_lines(path, start)) is not None:
            start, end = lines
        offset = max(start, 1)
        return {"offset": offset} if end is None else {"offset": offset, "limit": end - offset + 1}


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:
        raise Invalid(f"A file part holds a URL that is not valid: {error}", field="parts") from error


def _read_note(message: UserMessage, arguments: dict[str, object], output: str) -> list[Part]:
    return [synthetic(message, _call_text(arguments)), synthetic(message, output)]


def _call_text(arguments: dict[str, object]) -> str:
    return f"Called the Read tool with the following input: {encode(arguments).decode()}"


def _number(query: str, name: str) -> int | None:
    text = parse_qs(query).get(name, [""])[0]
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _data_text(url: str) -> str:
    head, _, payload = url.partition(",")
    try:
        raw = base64.b64decode(payload, validate=False) if head.endswith(";base64") else unquote(payload).encode()
    except ValueError as error:
        raise Invalid("A file part holds a data URL that is not valid base64", field="parts") from error
    return raw.decode(errors="replace")


def _data_url(path: Path, mime: str) -> str:
    if path.stat().st_size > LARGEST_ATTACHMENT:
        raise ValueError(f"larger than {LARGEST_ATTACHMENT // 1024 // 1024} MiB")
    kind = mime or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
