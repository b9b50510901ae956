"""``opencode import``: a session from a file, from a share page, or all of them from an installed OpenCode."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from opencode.cli.errors import CliError
from opencode.cli.import_official import import_official
from opencode.cli.local_client import with_client
from opencode.cli.options import GlobalOptions
from opencode.cli.share_link import fetch, is_link
from opencode.client.client import OpenCodeClient
from opencode.transfer.errors import Unreadable
from opencode.transfer.export_file import ExportFile
from opencode.transfer.reading import OfficialReader, Problems, Skipped
from opencode.transfer.schema import ImportSession


def import_command(globals_: GlobalOptions, file: str | None, official: str | None) -> int:
    """Import an exported session, or with ``official`` (a path; empty: OpenCode's data directory) all there are."""
    if official is not None:
        if file is not None and official:
            raise CliError("Name either a file or a data directory")
        return import_official(globals_, official or file or None)
    if file is None:
        raise CliError("Name the file to import, or import all sessions of OpenCode with --from-opencode")

    async def work(client: OpenCodeClient) -> int:
        problems = Problems()
        document = read_document(file, await fetch(file) if is_link(file) else read_file(Path(file)), problems)
        done = await client.import_session(document)
        print_skipped(problems.found.values())
        print(f"Imported session: {done.session.id}", flush=True)
        added = f"{done.messages} messages and {done.parts} parts added"
        print(f"{done.session.title}: {added}", file=sys.stderr, flush=True)
        return 0

    return with_client(globals_, work)


def read_file(path: Path) -> Any:
    """The JSON of a file. Raises ``CliError``."""
    try:
        return msgspec.json.decode(path.read_bytes())
    except FileNotFoundError as error:
        raise CliError(f"File not found: {path}") from error
    except OSError as error:
        raise CliError(f"{path} cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise CliError(f"{path} holds no JSON: {error}") from error


def read_document(name: str, value: Any, problems: Problems) -> ImportSession:
    """The session in an export. Raises ``CliError`` when there is none."""
    try:
        source = ExportFile.of(name, value)
    except Unreadable as error:
        raise CliError(str(error)) from error
    reader = OfficialReader(source, problems)
    session = next(reader.sessions(), None)
    if session is None:
        reasons = "; ".join(skipped.reason for skipped in problems.found.values())
        raise CliError(f"The session in {name} cannot be read: {reasons}")
    return ImportSession(info=reader.outline(session).session, messages=list(reader.messages(session)))


def print_skipped(skipped: Iterable[Skipped]) -> None:
    """Name on stderr what was left out."""
    for one in skipped:
        print(f"skipped {one.place}: {one.reason}", file=sys.stderr, flush=True)
