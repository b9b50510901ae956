"""``opencode auth login``: store a key, or go through the login of an account (spec: CLI, section 5)."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import anyio
import click

from opencode.auth.schema import ApiAuth, Auth
from opencode.auth.store import CONTENT_VARIABLE, CredentialStore
from opencode.cli.auth_organisation import login_at_organisation
from opencode.cli.auth_questions import answers, is_interactive, method_named, secret
from opencode.cli.errors import CliError
from opencode.cli.local_client import with_client
from opencode.cli.options import GlobalOptions
from opencode.cli.surroundings import Surroundings, surroundings
from opencode.client.client import OpenCodeClient
from opencode.core.version import SERVER_VERSION
from opencode.core.wire import UNSET
from opencode.provider.catalogue import Catalogue
from opencode.provider.choice import suggestions
from opencode.provider.sign_in.schema import ProviderAuthMethod

FIRST: Final = ("opencode", "anthropic", "github-copilot", "openai", "google", "openrouter", "vercel")
"""What most people look for, in the order in which it is offered."""
PROVIDER_ID: Final = re.compile(r"[0-9a-z][0-9a-z._-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginOptions:
    """One login. ``url``: of an organisation. ``inputs``: answers to what the method asks. ``yes``: run its command."""

    url: str | None = None
    provider: str | None = None
    method: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    yes: bool = False


def login_command(globals_: GlobalOptions, options: LoginOptions) -> int:
    """Log in at an organisation's address, with the methods that the server offers, or with an API key."""
    with surroundings(globals_) as around:
        _warn_about_variable(around)
        if options.url is not None:
            auth = anyio.run(login_at_organisation, options.url, options.yes)
            return _store(around, options.url, auth)
        provider_id = _provider(around, options.provider)
        if options.method is None and not is_interactive():
            # A script that names no method has a key for us; no server is needed for that.
            return _store(around, provider_id, ApiAuth(key=secret("API key")))

    async def work(client: OpenCodeClient) -> int:
        return await login_with(client, provider_id, options)

    return with_client(globals_, work)


async def login_with(client: OpenCodeClient, provider_id: str, options: LoginOptions) -> int:
    """Log in with the method that is named or chosen. Raises ``CliError`` and the client's errors."""
    methods = (await client.auth_methods()).get(provider_id) or [ProviderAuthMethod(type="api", label="API key")]
    index = method_named(methods, options.method)
    said = answers(methods[index], options.inputs)
    if methods[index].type == "api":
        await client.set_auth(provider_id, ApiAuth(key=secret("API key"), metadata=said or UNSET))
    else:
        await _authorize(client, provider_id, index, said)
    return _done()


async def _authorize(client: OpenCodeClient, provider_id: str, method: int, said: dict[str, str]) -> None:
    """Send the person to the provider, and wait for what comes back from there."""
    begun = await client.authorize(provider_id, method, said)
    click.echo(f"Go to: {begun.url}", err=True)
    if begun.instructions:
        click.echo(begun.instructions, err=True)
    code = secret("Authorization code") if begun.method == "code" else None
    if code is None:
        click.echo("Waiting for authorization...", err=True)
    if not await client.finish_authorization(provider_id, method, code):
        raise CliError("The provider did not accept the login")


def _provider(around: Surroundings, wanted: str | None) -> str:
    """The id of the provider that is meant by an id or a name. Raises ``CliError``."""
    catalogue = Catalogue(around.paths, around.environment.values)
    if catalogue.is_new:
        anyio.run(catalogue.refresh, f"opencode-server/{SERVER_VERSION}")
    names = {provider.id: provider.name for provider in catalogue.providers().values()}
    if wanted is None:
        if not is_interactive():
            raise CliError("Name the provider: opencode auth login --provider ID < key.txt")
        wanted = _asked_provider(names)
    name = wanted.strip().lower()
    found = next((key for key, known in names.items() if name in (key.lower(), known.lower())), None)
    if found is not None or name in FIRST:  # the short list of the package does not have them all
        return found or name
    near = suggestions(wanted, names)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    if not PROVIDER_ID.fullmatch(name):
        raise CliError(f'Unknown provider "{wanted}".{hint}')
    click.echo(f'The catalogue does not know "{name}": describe it under "provider" in opencode.json.{hint}', err=True)
    return name


def _asked_provider(names: Mapping[str, str]) -> str:
    offered = [provider_id for provider_id in FIRST if provider_id in names]
    for number, provider_id in enumerate(offered, 1):
        click.echo(f"{number:3} {names[provider_id]}", err=True)
    said = str(click.prompt("Provider (a number, or the id or name of any other)", err=True)).strip()
    return offered[int(said) - 1] if said.isdecimal() and 0 < int(said) <= len(offered) else said


def _store(around: Surroundings, provider_id: str, auth: Auth) -> int:
    anyio.run(CredentialStore(around.paths, {}).set, provider_id, auth)
    return _done()


def _done() -> int:
    print("Login successful", flush=True)
    return 0


def _warn_about_variable(around: Surroundings) -> None:
    if around.environment.get(CONTENT_VARIABLE):
        print(f"{CONTENT_VARIABLE} is set: what is stored now is not read", file=sys.stderr, flush=True)
