"""``/provider``: all model providers, and how to sign in to them."""

from opencode.core.ids import ProviderID
from opencode.core.wire import UNSET, UnsetType, Wire, set_or
from opencode.http.operation import operation
from opencode.instance.instance import Instance
from opencode.provider.service import ProviderList
from opencode.provider.sign_in.schema import ProviderAuthAuthorization, ProviderAuthMethod


class AuthorizeProvider(Wire, forbid_unknown_fields=True):
    """Which of the ways, and the answers to its prompts."""

    method: int | float
    inputs: dict[str, str] | UnsetType = UNSET


class FinishSignIn(Wire, forbid_unknown_fields=True):
    """The code that the provider showed, where it showed one."""

    method: int | float
    code: str | UnsetType = UNSET

    def __repr__(self) -> str:
        return "FinishSignIn(...)"


@operation("provider.list", "GET", "/provider")
async def list_providers(instance: Instance) -> ProviderList:
    """Every known provider, and which of them can be used."""
    return await instance.providers.list_all()


@operation("provider.auth", "GET", "/provider/auth")
def list_auth_methods(instance: Instance) -> dict[str, list[ProviderAuthMethod]]:
    """Ways to sign in, by provider."""
    return instance.sign_ins.methods()


@operation(
    "provider.oauth.authorize",
    "POST",
    "/provider/{providerID}/oauth/authorize",
    errors=("ProviderAuthError1", "InvalidRequestError"),
    ends_with_client=True,
)
async def begin_sign_in(
    instance: Instance, provider_id: ProviderID, body: AuthorizeProvider
) -> ProviderAuthAuthorization:
    """Begin to sign in: where the user goes, and what to do there."""
    return await instance.sign_ins.authorize(provider_id, body.method, set_or(body.inputs, {}))


@operation(
    "provider.oauth.callback",
    "POST",
    "/provider/{providerID}/oauth/callback",
    errors=("ProviderAuthError1", "InvalidRequestError"),
    ends_with_client=True,
)
async def finish_sign_in(instance: Instance, provider_id: ProviderID, body: FinishSignIn) -> bool:
    """Wait until the user has signed in; instances see it once they are opened anew."""
    return await instance.sign_ins.callback(provider_id, set_or(body.code, None))


operations = (list_providers, list_auth_methods, begin_sign_in, finish_sign_in)
