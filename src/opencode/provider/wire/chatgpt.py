"""A ChatGPT subscription: the Responses wire at an address of its own, with the account in place of a key."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opencode.auth.schema import OAuthCredential
from opencode.core.wire import replace
from opencode.provider.connection import Connection
from opencode.provider.request import ModelRequest
from opencode.provider.wire.openai_responses import OpenAIResponses

if TYPE_CHECKING:
    import httpx2

CHATGPT_URL = "https://chatgpt.com/backend-api/codex"
ORIGINATOR = "opencode"
NO_INSTRUCTIONS = "Answer what you are asked."
"""Something must stand there."""


class ChatGPTResponses(OpenAIResponses):
    """Nothing is stored there, the system text goes into ``instructions``, and there is no limit of tokens.

    A configured base URL does not count: it is for keys, and the account's tokens are not sent there.
    ``options.oauth.apiURL`` is another address.
    """

    def base_url(self, connection: Connection) -> str:
        own = connection.options.get("oauth")
        return str(own.get("apiURL") or CHATGPT_URL).rstrip("/") if isinstance(own, dict) else CHATGPT_URL

    def headers(self, connection: Connection, request: ModelRequest) -> Mapping[str, str]:
        return {"originator": ORIGINATOR, "session_id": request.session_id}

    def body(self, request: ModelRequest) -> Mapping[str, Any]:
        instructions = "\n".join(request.system) or NO_INSTRUCTIONS
        options = {**request.options, "store": False, "instructions": instructions}
        return super().body(replace(request, system=[], max_output_tokens=None, options=options))

    def auth(self, connection: Connection) -> "httpx2.Auth | None":
        from opencode.provider.wire.account_auth import AccountAuth  # slow to import: only where a request is made

        return AccountAuth(connection.account, _headers) if connection.account else None


def _headers(credential: OAuthCredential) -> Mapping[str, str]:
    bearer = {"authorization": f"Bearer {credential.access.reveal()}"}
    account = credential.extra.get("accountId")
    is_usable = isinstance(account, str) and account.isascii() and account.isprintable()
    return {**bearer, "chatgpt-account-id": account} if is_usable and account else bearer
