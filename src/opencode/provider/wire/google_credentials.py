"""Access tokens of Google Cloud, from the library google-auth (the extra ``vertex``)."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any

import anyio
import anyio.to_thread
import google.auth
import google.auth.exceptions
import google.auth.transport
import httpx2
from google.oauth2 import service_account

from opencode.core.ids import ProviderID
from opencode.provider.connection import Connection
from opencode.provider.errors import ProviderAuthFailed

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
TOKEN_SECONDS = 30.0


class GoogleCloudAuth(httpx2.Auth):
    """Adds a token to each request and gets a new one when it is about to expire; the library may wait, so in a thread.

    Credentials: ``options.googleAuthOptions`` (``credentials`` or ``keyFilename``), else those of the machine.
    """

    def __init__(self, connection: Connection) -> None:
        self._provider_id = ProviderID(connection.provider_id)
        self._options: Mapping[str, Any] = connection.options.get("googleAuthOptions") or {}
        self._credentials: Any = None
        self._turn = anyio.Lock()

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Raises ``ProviderAuthFailed`` when there are no credentials or no token is given for them."""
        async with self._turn:
            try:
                token = await anyio.to_thread.run_sync(self._token)
            except (google.auth.exceptions.GoogleAuthError, OSError, ValueError) as error:
                raise ProviderAuthFailed(self._provider_id, f"Google Cloud gives no access token: {error}") from error
        request.headers["authorization"] = f"Bearer {token}"
        yield request

    def _token(self) -> str:
        if self._credentials is None:
            self._credentials = self._load()
        if not self._credentials.valid:
            self._credentials.refresh(_Transport())
        return str(self._credentials.token)

    def _load(self) -> Any:
        if info := self._options.get("credentials"):
            return service_account.Credentials.from_service_account_info(info, scopes=SCOPES)  # type: ignore[no-untyped-call]
        if path := self._options.get("keyFilename"):
            return service_account.Credentials.from_service_account_file(path, scopes=SCOPES)  # type: ignore[no-untyped-call]
        return google.auth.default(scopes=SCOPES, request=_Transport())[0]


class _Transport(google.auth.transport.Request):
    """How the library makes its own requests."""

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> "_Response":
        try:
            answer = httpx2.request(method, url, content=body, headers=headers, timeout=timeout or TOKEN_SECONDS)
        except httpx2.HTTPError as error:
            raise google.auth.exceptions.TransportError(error) from error  # type: ignore[no-untyped-call]
        return _Response(answer)


class _Response(google.auth.transport.Response):
    def __init__(self, answer: httpx2.Response) -> None:
        self._answer = answer

    @property
    def status(self) -> int:
        return self._answer.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        return self._answer.headers

    @property
    def data(self) -> bytes:
        return self._answer.content
