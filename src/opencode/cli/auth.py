"""``opencode auth list`` and ``logout``: what is stored for model providers (spec: CLI, section 5)."""

from pathlib import Path
from typing import Final, Literal

import anyio
import msgspec

from opencode.auth.schema import ApiCredential, Credential, OAuthCredential
from opencode.auth.store import CONTENT_VARIABLE, CredentialStore
from opencode.cli.auth_questions import is_interactive, pick
from opencode.cli.errors import CliError
from opencode.cli.options import GlobalOptions
from opencode.cli.surroundings import Surroundings, surroundings
from opencode.core.wire import Wire
from opencode.provider.catalogue import Catalogue

FILE: Final = "auth.json"


class StoredCredential(Wire):
    """A credential without its secret. ``id``: of the provider, or the URL of an organisation."""

    id: str
    name: str
    type: Literal["api", "oauth", "wellknown"]


class VariableThatIsSet(Wire):
    """A variable of the environment that a provider takes its key from."""

    id: str
    name: str
    variable: str


class KnownCredentials(Wire):
    """Everything that opens a provider, and the file where it is stored."""

    path: str
    credentials: list[StoredCredential]
    environment: list[VariableThatIsSet]


def list_command(globals_: GlobalOptions, *, as_json: bool) -> int:
    """Print what is stored and which variables are set; never a secret."""
    with surroundings(globals_) as around:
        known = known_credentials(around)
        if as_json:
            print(msgspec.json.format(msgspec.json.encode(known), indent=2).decode())
        else:
            print(shown(known, around.paths.home))
    return 0


def logout_command(globals_: GlobalOptions, provider: str | None) -> int:
    """Forget the credential of a provider, named by id or name; a person at a terminal may choose it."""
    with surroundings(globals_) as around:
        if around.environment.get(CONTENT_VARIABLE):
            raise CliError(f"The credentials come from {CONTENT_VARIABLE}, not from a file")
        stored = known_credentials(around).credentials
        if not stored:
            raise CliError("No credentials found")
        chosen = _named(stored, provider) if provider is not None else _picked(stored)
        anyio.run(CredentialStore(around.paths, {}).remove, chosen.id)
        print(f"Logged out of {chosen.name}", flush=True)
    return 0


def known_credentials(around: Surroundings) -> KnownCredentials:
    """What is stored, in the order of the file, and the variables that are set, in that of the catalogue."""
    environ = around.environment.values
    providers = Catalogue(around.paths, environ).providers()
    stored = CredentialStore(around.paths, environ).all()
    return KnownCredentials(
        path=str(around.paths.data / FILE),
        credentials=[
            StoredCredential(id=key, name=providers[key].name if key in providers else key, type=_type(credential))
            for key, credential in stored.items()
        ],
        environment=[
            VariableThatIsSet(id=provider.id, name=provider.name, variable=name)
            for provider in providers.values()
            for name in provider.env
            if environ.get(name)
        ],
    )


def shown(known: KnownCredentials, home: Path) -> str:
    """The lists as OpenCode prints them."""
    path = known.path.replace(str(home), "~", 1)
    lines = _listing(f"Credentials {path}", [f"{each.name} {each.type}" for each in known.credentials], "credential")
    if known.environment:
        variables = [f"{each.name} {each.variable}" for each in known.environment]
        lines += ["", *_listing("Environment", variables, "environment variable")]
    return "\n".join(lines)


def _listing(title: str, entries: list[str], noun: str) -> list[str]:
    rows = [line for entry in entries for line in (f"●  {entry}", "│")]
    return [f"┌  {title}", "│", *rows, f"└  {len(entries)} {noun}{'' if len(entries) == 1 else 's'}"]


def _type(credential: Credential) -> Literal["api", "oauth", "wellknown"]:
    if isinstance(credential, ApiCredential):
        return "api"
    return "oauth" if isinstance(credential, OAuthCredential) else "wellknown"


def _named(stored: list[StoredCredential], wanted: str) -> StoredCredential:
    name = wanted.rstrip("/").lower()
    found = [each for each in stored if name in (each.id.lower(), each.name.lower())]
    if not found:
        raise CliError(f'No credential is stored for "{wanted}", only for {", ".join(each.id for each in stored)}')
    return found[0]


def _picked(stored: list[StoredCredential]) -> StoredCredential:
    if not is_interactive():
        raise CliError("Name the provider: opencode auth logout PROVIDER")
    return pick("Credential to remove", stored, lambda each: f"{each.name} ({each.type})")
