"""``/find``: text, paths and symbols of the project."""

from typing import Annotated, Literal

from msgspec import Meta

from opencode.core.wire import UNSET, UnsetType, Wire, set_or
from opencode.file.schema import LineMatch, PathKind
from opencode.http.operation import operation
from opencode.http.schema import FoundLine, FoundPiece, FoundText, Symbol
from opencode.instance.instance import Instance

DEFAULT_LIMIT = 10


class TextQuery(Wire):
    """``pattern``: a regular expression."""

    directory: str | UnsetType = UNSET
    workspace: str | UnsetType = UNSET
    pattern: str


class FileQuery(Wire):
    """``query``: letters of the path, in order. ``dirs`` is the older way to say ``type``."""

    directory: str | UnsetType = UNSET
    workspace: str | UnsetType = UNSET
    query: str
    dirs: Literal["true", "false"] | UnsetType = UNSET
    type: PathKind | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=200)] | UnsetType = UNSET


class SymbolQuery(Wire):
    """``query``: a part of the name."""

    directory: str | UnsetType = UNSET
    workspace: str | UnsetType = UNSET
    query: str


def found_line(match: LineMatch) -> FoundLine:
    """A match in the shape of ripgrep's own answers."""
    pieces = [FoundPiece(match=FoundText(text=one.text), start=one.start, end=one.end) for one in match.submatches]
    return FoundLine(
        path=FoundText(text=match.path),
        lines=FoundText(text=match.text),
        line_number=match.line,
        absolute_offset=match.offset,
        submatches=pieces,
    )


@operation("find.text", "GET", "/find", ends_with_client=True)
async def find_text(instance: Instance, query: TextQuery) -> list[FoundLine]:
    """Lines that match a regular expression: ten of a file, a thousand in all, ignored files left out."""
    return [found_line(match) for match in await instance.lookup.lines(query.pattern)]


@operation("find.files", "GET", "/find/file", ends_with_client=True)
async def find_files(instance: Instance, query: FileQuery) -> list[str]:
    """Paths that have the letters of the query, best first; directories end with a slash."""
    kind: PathKind | None = "file" if query.dirs == "false" else None
    return await instance.lookup.paths(
        query.query, kind=set_or(query.type, kind), limit=set_or(query.limit, DEFAULT_LIMIT)
    )


@operation("find.symbols", "GET", "/find/symbol")
def find_symbols(instance: Instance, query: SymbolQuery) -> list[Symbol]:
    """Symbols of the code: none, this server starts no language servers."""
    return []


operations = (find_text, find_files, find_symbols)
