"""The account a user has signed in to: what a wire takes its tokens from."""

from collections.abc import Callable

from opencode.auth.errors import RenewalRefused
from opencode.auth.schema import OAuth, OAuthCredential
from opencode.auth.store import CredentialStore
from opencode.core.clock import Clock
from opencode.core.ids import ProviderID
from opencode.provider.errors import ApiCallFailed, ProviderAuthFailed
from opencode.provider.sign_in.errors import ServerRefused, ServerUnreachable
from opencode.provider.sign_in.method import Renew, SignInContext, SignInSettings
from opencode.provider.sign_in.token_server import open_token_server

HOW = "in your client, or with: opencode auth login {}"
EARLY_MS = 60_000
"""How long before its end a token counts as expired: requests take time, and clocks differ."""


class SignedInAccount:
    """The tokens of one sign-in, renewed before they expire: once for all who wait, and stored before use."""

    def __init__(
        self,
        provider_id: ProviderID,
        credential: OAuthCredential,
        store: CredentialStore,
        renew: Renew | None,
        settings: SignInSettings,
        clock: Clock,
    ) -> None:
        self._provider_id = provider_id
        self._credential = credential
        self._store = store
        self._renew = renew
        self._settings = settings
        self._clock = clock

    @property
    def can_renew(self) -> bool:
        """Whether its tokens expire and can be had anew."""
        return self._renew is not None

    async def credential(self, refused: OAuthCredential | None = None) -> OAuthCredential:
        """Tokens that are good for a while. ``refused``: the provider does not take these any more.

        Raises ``ProviderAuthFailed`` when the user has to sign in again, ``ApiCallFailed`` when the provider that
        gives out tokens is out of reach.
        """
        if self._renew is None or (refused is None and self._lasts(self._credential)):
            return self._credential
        try:
            found = await self._store.renewed(self._provider_id, self._usable(refused), self._renewal)
        except RenewalRefused as error:
            raise self.ended(str(error)) from error
        except (ServerUnreachable, TimeoutError) as error:
            reason = str(error) or "the provider does not answer"
            raise ApiCallFailed(f"The sign-in could not be renewed: {reason}", is_retryable=True) from None
        if found is None:
            raise self.ended("it was removed")
        self._credential = found
        return found

    def ended(self, reason: str) -> ProviderAuthFailed:
        """The error for a sign-in that is worth nothing any more."""
        name = self._provider_id
        message = f"Your sign-in at {name} does not count any more: {reason}. Sign in again ({HOW.format(name)})."
        return ProviderAuthFailed(self._provider_id, message)

    def _lasts(self, credential: OAuthCredential) -> bool:
        return credential.expires_ms == 0 or credential.expires_ms - self._clock.now_ms() > EARLY_MS

    def _usable(self, refused: OAuthCredential | None) -> Callable[[OAuthCredential], bool]:
        return lambda stored: self._lasts(stored) and (refused is None or stored.access != refused.access)

    async def _renewal(self, credential: OAuthCredential) -> OAuth:
        assert self._renew is not None
        async with open_token_server() as server:
            try:
                return await self._renew(credential, SignInContext(self._settings, server, self._clock))
            except ServerRefused as error:
                raise RenewalRefused(str(error)) from None
