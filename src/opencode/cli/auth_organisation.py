"""Logging in at an organisation: its address names a command whose output is the token."""

from typing import Final
from urllib.parse import urlsplit

import anyio
import click
import httpx2
import msgspec

from opencode.auth.schema import WellKnownAuth
from opencode.cli.auth_questions import is_interactive
from opencode.cli.errors import CliError
from opencode.core.wire import Wire

COMMAND_SECONDS: Final = 300.0
FETCH_SECONDS: Final = 10.0


class _Login(Wire):
    command: list[str]
    env: str


class _WellKnown(Wire):
    auth: _Login


async def login_at_organisation(url: str, agreed: bool) -> WellKnownAuth:
    """The token that the organisation's command puts out. Nothing is run that nobody has agreed to.

    Raises ``CliError``.
    """
    login = await _described(url.rstrip("/"))
    if not login.command:
        raise CliError(f"{url} names no login command")
    shown = " ".join(login.command)
    click.echo(f"{url} wants to run on this machine: {shown}", err=True)
    if not agreed:
        if not is_interactive():
            raise CliError("Nobody is there to agree to that command; --yes runs it")
        click.confirm("Run it?", abort=True, err=True)
    return WellKnownAuth(key=login.env, token=await _token(login.command))


async def _described(url: str) -> _Login:
    if urlsplit(url).scheme not in ("http", "https"):
        raise CliError(f"{url} is no address: it must begin with https://")
    try:
        async with httpx2.AsyncClient(timeout=FETCH_SECONDS, follow_redirects=True) as client:
            response = await client.get(f"{url}/.well-known/opencode")
        response.raise_for_status()
        return msgspec.json.decode(response.content, type=_WellKnown).auth
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise CliError(f"{url} does not say how to log in: {error}") from error
    except msgspec.DecodeError as error:
        raise CliError(f"What {url}/.well-known/opencode says is not understood: {error}") from error


async def _token(command: list[str]) -> str:
    """What the command prints; it may talk to the person on stderr."""
    try:
        with anyio.fail_after(COMMAND_SECONDS):
            ended = await anyio.run_process(command, stdin=None, stderr=None, check=False)
    except TimeoutError as error:
        raise CliError(f"The command did not end within {COMMAND_SECONDS:.0f} seconds") from error
    except OSError as error:
        raise CliError(f"The command cannot be run: {error.strerror}") from error
    token = ended.stdout.decode("utf-8", "replace").strip()
    if ended.returncode or not token:
        raise CliError(f"The command ended with status {ended.returncode} and printed {'a' if token else 'no'} token")
    return token
