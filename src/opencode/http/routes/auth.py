"""``/auth``: stored credentials. They go in and never come out."""

from opencode.auth.schema import Auth
from opencode.core.ids import ProviderID
from opencode.http.operation import operation
from opencode.instance.shared import Shared


@operation("auth.set", "PUT", "/auth/{providerID}")
async def set_auth(shared: Shared, provider_id: ProviderID, body: Auth) -> bool:
    """Store the credential of a provider; instances see it once they are opened anew."""
    await shared.credentials.set(provider_id, body)
    return True


@operation("auth.remove", "DELETE", "/auth/{providerID}", errors=("BadRequest",))
async def remove_auth(shared: Shared, provider_id: ProviderID) -> bool:
    """Forget the credential of a provider."""
    await shared.credentials.remove(provider_id)
    return True


operations = (set_auth, remove_auth)
