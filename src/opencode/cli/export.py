"""``opencode export``: a session with its messages as JSON, as OpenCode writes it (spec: CLI, section 2)."""

import json
import sys
from datetime import datetime
from typing import Any, Final

import click
import msgspec

from opencode.cli.errors import CliError
from opencode.cli.local_client import with_client
from opencode.cli.options import GlobalOptions
from opencode.cli.sanitize import sanitized
from opencode.client.client import OpenCodeClient
from opencode.client.errors import RequestFailed
from opencode.session.schema import Session

CHOICES: Final = 30


def export_command(globals_: GlobalOptions, session_id: str | None, *, sanitize: bool) -> int:
    """Print the session on stdout. Without an id, a person at the terminal is asked."""
    if session_id is None and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise CliError("Name the session to export: opencode export SESSION_ID")

    async def work(client: OpenCodeClient) -> int:
        chosen = session_id or await choose(client)
        print(f"Exporting session: {chosen}", file=sys.stderr, flush=True)
        write(await exported(client, chosen), sanitize=sanitize)
        return 0

    return with_client(globals_, work)


async def exported(client: OpenCodeClient, session_id: str) -> dict[str, Any]:
    """``{info, messages}``. Raises ``CliError`` for an unknown session."""
    try:
        info = await client.session(session_id)
        messages = await client.messages(session_id)
    except RequestFailed as error:
        if error.status in (400, 404):
            raise CliError(f"Session not found: {session_id}") from error
        raise
    return {"info": msgspec.to_builtins(info), "messages": msgspec.to_builtins(messages)}


def write(export: dict[str, Any], *, sanitize: bool) -> None:
    """The export on stdout, indented by two."""
    text = json.dumps(sanitized(export) if sanitize else export, indent=2, ensure_ascii=False)
    # Half a surrogate pair, which JSON can hold, has no place in UTF-8.
    sys.stdout.buffer.write(text.encode("utf-8", "replace") + b"\n")
    sys.stdout.flush()


async def choose(client: OpenCodeClient) -> str:
    """The session a person picks from the newest of the directory's project. Raises ``CliError`` without any."""
    sessions = await client.sessions(roots=True, limit=CHOICES)
    if not sessions:
        raise CliError("There are no sessions here")
    for number, session in enumerate(sessions, 1):
        print(f"{number:3} {line(session)}", file=sys.stderr)
    number = click.prompt("Session to export", type=click.IntRange(1, len(sessions)), default=1, err=True)
    return str(sessions[number - 1].id)


def line(session: Session) -> str:
    """A session in a list: when it was used, what it is called, the end of its id."""
    updated = datetime.fromtimestamp(session.time.updated / 1000).strftime("%Y-%m-%d %H:%M")
    return f"{updated}  {session.title}  …{session.id[-8:]}"
