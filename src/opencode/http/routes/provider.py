"""``/provider``: all model providers, and how to sign in to them."""

from opencode.http.operation import operation
from opencode.instance.instance import Instance
from opencode.provider.service import ProviderAuthMethod, ProviderList


@operation("provider.list", "GET", "/provider")
async def list_providers(instance: Instance) -> ProviderList:
    """Every known provider, and which of them can be used."""
    return await instance.providers.list_all()


@operation("provider.auth", "GET", "/provider/auth")
def list_auth_methods(instance: Instance) -> dict[str, list[ProviderAuthMethod]]:
    """Ways to sign in, by provider."""
    return instance.providers.auth_methods()


operations = (list_providers, list_auth_methods)
