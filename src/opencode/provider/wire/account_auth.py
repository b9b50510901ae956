"""Requests in the name of an account that the user has signed in to."""

from collections.abc import AsyncGenerator, Callable, Mapping

import httpx2

from opencode.auth.schema import OAuthCredential
from opencode.provider.connection import Account

Headers = Callable[[OAuthCredential], Mapping[str, str]]


class AccountAuth(httpx2.Auth):
    """Adds the account's headers to each request; tokens that are refused are renewed once.

    ``fatal``: statuses that mean that the sign-in is worth nothing.
    """

    def __init__(self, account: Account, headers: Headers, fatal: frozenset[int] = frozenset({401})) -> None:
        self._account = account
        self._headers = headers
        self._fatal = fatal

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Raises ``ProviderAuthFailed`` when the user has to sign in again, ``ApiCallFailed`` when nobody can tell."""
        credential = await self._account.credential()
        request.headers.update(self._headers(credential))
        response = yield request
        if response.status_code == 401 and self._account.can_renew:
            request.headers.update(self._headers(await self._account.credential(refused=credential)))
            response = yield request
        if response.status_code in self._fatal:
            raise self._account.ended(f"the provider answered {response.status_code}")
