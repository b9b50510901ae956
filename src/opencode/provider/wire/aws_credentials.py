"""Requests signed with an Amazon account, from the library botocore (the extra ``bedrock``)."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any

import anyio
import anyio.to_thread
import botocore.session
import httpx2
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError

from opencode.core.ids import ProviderID
from opencode.provider.connection import Connection
from opencode.provider.errors import ProviderAuthFailed

SERVICE = "bedrock"
NONE = "No Amazon credentials: set AWS_BEARER_TOKEN_BEDROCK, AWS_PROFILE or AWS_ACCESS_KEY_ID, or options.profile"
NO_SECRET = "options.accessKeyId is half of a key: options.secretAccessKey belongs to it"


class SignedRequests(httpx2.Auth):
    """Signs each request. Credentials: ``options`` (``accessKeyId``, ``secretAccessKey``, ``sessionToken``), else the
    library's own chain, with ``options.profile``; it may ask the network, so in a thread.
    """

    requires_request_body = True

    def __init__(self, connection: Connection, region: str) -> None:
        self._provider_id = ProviderID(connection.provider_id)
        self._options: Mapping[str, Any] = connection.options
        self._region = region
        self._credentials: Any = None
        self._turn = anyio.Lock()

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Raises ``ProviderAuthFailed`` when there are no credentials."""
        async with self._turn:
            try:
                credentials = await anyio.to_thread.run_sync(self._current)
            except (BotoCoreError, OSError) as error:
                raise ProviderAuthFailed(self._provider_id, f"No Amazon credentials: {error}") from error
        if credentials is None:
            raise ProviderAuthFailed(self._provider_id, NONE)
        signed = AWSRequest(
            method=request.method,
            url=str(request.url),
            data=request.content,
            headers={"content-type": request.headers["content-type"], "host": request.url.netloc.decode()},
        )
        SigV4Auth(credentials, SERVICE, self._region).add_auth(signed)
        for name in ("authorization", "x-amz-date", "x-amz-security-token"):
            if value := signed.headers.get(name):
                request.headers[name] = value
        yield request

    def _current(self) -> Any:
        if self._credentials is None:
            self._credentials = self._load()
        return None if self._credentials is None else self._credentials.get_frozen_credentials()

    def _load(self) -> Any:
        if key := self._options.get("accessKeyId"):
            secret = self._options.get("secretAccessKey")
            if not secret:
                raise ProviderAuthFailed(self._provider_id, NO_SECRET)
            return Credentials(key, secret, self._options.get("sessionToken"))
        return botocore.session.Session(profile=self._options.get("profile")).get_credentials()
