"""``opencode models``: the models that can be used here (spec: CLI, section 2)."""

import sys
from collections.abc import Iterable, Iterator

import anyio
import msgspec

from opencode.cli.errors import CliError
from opencode.cli.local_client import with_client
from opencode.cli.options import GlobalOptions
from opencode.cli.surroundings import surroundings
from opencode.client.client import OpenCodeClient
from opencode.core.version import SERVER_VERSION
from opencode.provider.catalogue import Catalogue
from opencode.provider.choice import suggestions
from opencode.provider.schema import Model, Provider


def models_command(
    globals_: GlobalOptions, provider: str | None, *, verbose: bool, refresh: bool, as_json: bool
) -> int:
    """Print the models of one provider or of all. ``refresh``: fetch the catalogue anew before."""
    if refresh:
        refresh_catalogue(globals_)

    async def work(client: OpenCodeClient) -> int:
        models = list(listed((await client.providers()).providers, provider))
        if as_json:
            print(msgspec.json.format(msgspec.json.encode(models), indent=2).decode())
        else:
            for model in models:
                print(f"{model.provider_id}/{model.id}")
                if verbose:
                    print(msgspec.json.format(msgspec.json.encode(model), indent=2).decode())
        return 0

    return with_client(globals_, work)


def listed(providers: Iterable[Provider], wanted: str | None) -> Iterator[Model]:
    """The models by name, those of OpenCode's own providers first. Raises ``CliError`` for an unknown provider."""
    known = {provider.id: provider for provider in providers}
    if wanted is not None and wanted not in known:
        near = suggestions(wanted, known)
        raise CliError(f"Provider not found: {wanted}" + (f". Did you mean {' or '.join(near)}?" if near else ""))
    for provider in sorted(known.values(), key=lambda provider: (not provider.id.startswith("opencode"), provider.id)):
        if wanted in (None, provider.id):
            yield from (model for _, model in sorted(provider.models.items()))


def refresh_catalogue(globals_: GlobalOptions) -> None:
    """Fetch models.dev and say on stderr what came of it. Raises ``CliError`` when that is switched off."""
    with surroundings(globals_) as around:
        catalogue = Catalogue(around.paths, around.environment.values)
        if not catalogue.can_refresh:
            raise CliError(
                "The environment says not to fetch models (OPENCODE_DISABLE_MODELS_FETCH, OPENCODE_MODELS_PATH)"
            )

        async def refreshed() -> bool:
            return await catalogue.refresh(f"opencode-server/{SERVER_VERSION}", force=True)

        if anyio.run(refreshed):
            print("Models cache refreshed", file=sys.stderr, flush=True)
        else:
            print("There is nothing newer, or models.dev cannot be reached", file=sys.stderr, flush=True)
