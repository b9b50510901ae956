"""The parts of a prompt become stored parts; files are read into the prompt (spec: messages, section 3)."""

import base64
import mimetypes
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from opencode.core.errors import Invalid
from opencode.core.ids import IdGenerator, PartID
from opencode.core.log import Logger
from opencode.core.wire import UNSET, encode, replace, set_or
from opencode.permission.ruleset import evaluate
from opencode.permission.schema import PermissionRule
from opencode.session.schema import (
    AgentPart,
    AgentPartInput,
    FilePart,
    FilePartInput,
    Part,
    PartBase,
    PartInput,
    SubtaskPart,
    SubtaskPartInput,
    TextPart,
    TextPartInput,
    UserMessage,
)
from opencode.tool.tool import ToolResult

log = Logger("session.prompt")

P = TypeVar("P", bound=PartBase)

DIRECTORY = "application/x-directory"
ReadFile = Callable[[UserMessage, dict[str, object]], Awaitable[ToolResult]]
"""Reads a file or directory as the ``read`` tool does, without asking: the user named it."""
LARGEST_ATTACHMENT = 64 * 1024 * 1024


class PartExpander:
    """Turns input parts into stored parts, in input order, with ids that ascend in that order."""

    def __init__(self, ids: IdGenerator, read_file: ReadFile) -> None:
        self._ids = ids
        self._read_file = read_file

    async def expand(
        self, message: UserMessage, parts: list[PartInput], rules: Sequence[PermissionRule] = ()
    ) -> list[Part]:
        """``rules``: those of the agent that will answer.

        Raises ``Invalid`` for a URL that cannot be understood; a file that cannot be read becomes a note.
        """
        stored: list[Part] = []
        newest: str | None = None
        for part in parts:
            for made in await self._one(message, part, rules):
                # A client's own id stays; the server's follow whatever came before them.
                given = made.id or self._ids.part(after=newest)
                newest = max(newest or "", given)
                stored.append(replace(made, id=given))
        return stored

    async def _one(self, message: UserMessage, part: PartInput, rules: Sequence[PermissionRule]) -> list[Part]:
        match part:
            case TextPartInput():
                return [_stored(TextPart, message, part)]
            case AgentPartInput():
                return [_stored(AgentPart, message, part), self._text(message, _agent_note(part.name, rules))]
            case SubtaskPartInput():
                return [_stored(SubtaskPart, message, part)]
            case FilePartInput():
                return await self._file(message, part)

    async def _file(self, message: UserMessage, part: FilePartInput) -> list[Part]:
        file = _stored(FilePart, message, part)
        url = _split(part.url)
        if url.scheme == "data" and part.mime == "text/plain":
            arguments: dict[str, object] = {"filePath": set_or(part.filename, "")}
            return [*self._read_note(message, arguments, _data_text(part.url)), file]
        if url.scheme != "file":
            return [file]
        path = Path(unquote(url.path))
        try:
            return await self._local_file(message, file, path, url.query)
        except Exception as error:  # noqa: BLE001 - an edge: an unreadable file must not lose the prompt
            log.warning("file of a prompt not read", path=str(path), error=str(error))
            return self._read_note(message, {"filePath": str(path)}, f"The file {path} could not be read: {error}")

    async def _local_file(self, message: UserMessage, file: FilePart, path: Path, query: str) -> list[Part]:
        if path.is_dir():
            file = replace(file, mime=DIRECTORY)
        if file.mime not in ("text/plain", DIRECTORY):
            call = _call_text({"filePath": str(path)})
            return [self._text(message, call), replace(file, url=_data_url(path, file.mime))]
        arguments: dict[str, object] = {"filePath": str(path), **_lines_wanted(query)}
        result = await self._read_file(message, arguments)
        shown = self._read_note(message, arguments, result.output)
        if not result.attachments:
            return [*shown, file]
        name = file.filename
        return shown + [
            replace(file, id=PartID(""), mime=a.mime, url=a.url, filename=a.filename or name)
            for a in result.attachments
        ]

    def _read_note(self, message: UserMessage, arguments: dict[str, object], output: str) -> list[Part]:
        return [self._text(message, _call_text(arguments)), self._text(message, output)]

    def _text(self, message: UserMessage, text: str) -> Part:
        return TextPart(id=PartID(""), session_id=message.session_id, message_id=message.id, text=text, synthetic=True)


def _stored(kind: type[P], message: UserMessage, part: PartInput) -> P:
    """The stored part with the fields of the input; without an id if the client gave none."""
    fields = {name: getattr(part, name) for name in part.__struct_fields__}
    given = fields.pop("id")
    part_id = PartID("") if given is UNSET else given
    return kind(id=part_id, session_id=message.session_id, message_id=message.id, **fields)


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:
        raise Invalid(f"A file part holds a URL that is not valid: {error}", field="parts") from error


def _call_text(arguments: dict[str, object]) -> str:
    return f"Called the Read tool with the following input: {encode(arguments).decode()}"


def _agent_note(name: str, rules: Sequence[PermissionRule]) -> str:
    note = f" Use the context above to write a prompt, and call the task tool with the subagent: {name}"
    if evaluate("task", name, rules).action == "deny":
        note += ". The user asked for this subagent: it exists and may be called, although it is not listed."
    return note


def _lines_wanted(query: str) -> dict[str, object]:
    wanted = parse_qs(query)
    if not wanted.get("start", [""])[0].isdecimal():
        return {}
    offset = max(int(wanted["start"][0]), 1)
    end = wanted.get("end", [""])[0]
    return {"offset": offset, "limit": int(end) - offset + 1} if end.isdecimal() else {"offset": offset}


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
