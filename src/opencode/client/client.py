"""The operations of the server that programs need most, typed."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote

import httpx2

from opencode.auth.schema import Auth
from opencode.client.answer import check
from opencode.client.errors import RequestFailed, ServerUnreachable
from opencode.client.schema import Agent, Health, ProvidersAnswer
from opencode.client.stream import EventStream
from opencode.core.wire import Wire, decode, encode
from opencode.permission.schema import PermissionReply, PermissionRequest
from opencode.project.schema import ProjectAnswer
from opencode.provider.sign_in.schema import ProviderAuthAuthorization, ProviderAuthMethod
from opencode.question.schema import QuestionAnswers, QuestionRequest
from opencode.session.inputs import CommandInput, CreateSession, PromptInput
from opencode.session.schema import MessageWithParts, Session, SessionStatus
from opencode.session.statistics_schema import UsageStatistics
from opencode.transfer.schema import ImportedSession, ImportSession, RestoreSession, SessionContent

T = TypeVar("T")

DEFAULT_USERNAME: Final = "opencode"
_PLAIN: Final = httpx2.Timeout(30.0)
_TURN: Final = httpx2.Timeout(10.0, read=None)  # a turn takes as long as it takes


class OpenCodeClient:
    """Talks to one server about one directory (the server's own when none is given).

    An async context manager. Every operation raises ``RequestFailed`` when the server refuses and
    ``ServerUnreachable`` when there is no answer.
    """

    def __init__(
        self,
        base_url: str,
        *,
        directory: str | None = None,
        username: str = DEFAULT_USERNAME,
        password: str | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._http = httpx2.AsyncClient(
            base_url=self.base_url,
            auth=httpx2.BasicAuth(username, password) if password else None,
            headers={"x-opencode-directory": quote(directory, safe="")} if directory else None,
            timeout=_PLAIN,
            transport=transport,
            trust_env=False,  # a proxy of the environment is not meant for the loopback
        )

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, traceback)

    # --- server ----------------------------------------------------------------------------------------------------

    async def health(self) -> Health:
        """Whether it lives, and which API version it speaks."""
        return await self._get("/global/health", Health)

    async def agents(self) -> list[Agent]:
        """All agents, the default one first."""
        return await self._get("/agent", list[Agent])

    async def providers(self) -> ProvidersAnswer:
        """The usable providers with their models."""
        return await self._get("/config/providers", ProvidersAnswer)

    async def current_project(self) -> ProjectAnswer:
        """The project of the directory."""
        return await self._get("/project/current", ProjectAnswer)

    async def statistics(self, *, days: int | None = None, project_id: str | None = None) -> UsageStatistics:
        """What sessions have used; ``days``: those of the last so many, 0 of today."""
        query = {"days": None if days is None else str(days), "project": project_id}
        given = {name: value for name, value in query.items() if value is not None}
        return await self._get("/experimental/stats", UsageStatistics, given)

    @asynccontextmanager
    async def events(self, since: str | None = None) -> AsyncIterator[EventStream]:
        """The directory's events from now on, or from the cursor ``since`` on; open once this is entered."""
        with self._reaching():
            stream = await EventStream(self._http, since).__aenter__()
        try:
            yield stream
        finally:
            await stream.__aexit__(None, None, None)

    # --- credentials -----------------------------------------------------------------------------------------------

    async def set_auth(self, provider_id: str, auth: Auth) -> None:
        """Store a credential; directories that are open see it once they are opened anew."""
        await self._send(f"/auth/{_segment(provider_id)}", auth, method="PUT")

    async def auth_methods(self) -> dict[str, list[ProviderAuthMethod]]:
        """Ways to log in, by provider; those that only take an API key are absent."""
        return await self._get("/provider/auth", dict[str, list[ProviderAuthMethod]])

    async def authorize(self, provider_id: str, method: int, inputs: Mapping[str, str]) -> ProviderAuthAuthorization:
        """Begin the login by the method with this index: where the person has to go."""
        body = {"method": method, "inputs": dict(inputs)}
        return await self._post(
            f"/provider/{_segment(provider_id)}/oauth/authorize", body, ProviderAuthAuthorization, _TURN
        )

    async def finish_authorization(self, provider_id: str, method: int, code: str | None = None) -> bool:
        """End the login: with the code, or when the person is done, however long that takes."""
        body = {"method": method} | ({"code": code} if code is not None else {})
        return await self._post(f"/provider/{_segment(provider_id)}/oauth/callback", body, bool, _TURN)

    # --- sessions --------------------------------------------------------------------------------------------------

    async def create_session(self, body: CreateSession | None = None) -> Session:
        return await self._post("/session", body or CreateSession(), Session)

    async def sessions(self, *, roots: bool = False, limit: int | None = None) -> list[Session]:
        """Sessions of the directory's project, newest first; ``roots``: without those of subagents."""
        query = {"roots": "true"} if roots else {}
        return await self._get("/session", list[Session], query | ({"limit": str(limit)} if limit else {}))

    async def session(self, session_id: str) -> Session:
        return await self._get(f"/session/{_segment(session_id)}", Session)

    async def fork(self, session_id: str) -> Session:
        """A copy of the session with all its messages."""
        return await self._post(f"/session/{_segment(session_id)}/fork", None, Session)

    async def import_session(self, body: ImportSession) -> ImportedSession:
        """Make an exported session one of the directory."""
        return await self._post("/session/import", body, ImportedSession, _TURN)

    async def restore_session(self, body: RestoreSession) -> ImportedSession:
        """Store a session as it was in another data directory."""
        return await self._post("/global/session", body, ImportedSession, _TURN)

    async def session_content(self, session_id: str) -> SessionContent | None:
        """What is stored of a session, to compare with; ``None`` when it is not known."""
        try:
            return await self._get(f"/global/session/{_segment(session_id)}", SessionContent)
        except RequestFailed as error:
            if error.status == 404:
                return None
            raise

    async def share(self, session_id: str) -> Session:
        return await self._post(f"/session/{_segment(session_id)}/share", None, Session)

    async def statuses(self) -> dict[str, SessionStatus]:
        """What each busy session does; idle ones are absent."""
        return await self._get("/session/status", dict[str, SessionStatus])

    async def messages(self, session_id: str, limit: int | None = None) -> list[MessageWithParts]:
        """Oldest first; ``limit`` keeps the newest."""
        query = {"limit": str(limit)} if limit else {}
        return await self._get(f"/session/{_segment(session_id)}/message", list[MessageWithParts], query)

    async def prompt(self, session_id: str, body: PromptInput) -> MessageWithParts:
        """Send a prompt and wait for the end of the turn: its last message."""
        return await self._post(f"/session/{_segment(session_id)}/message", body, MessageWithParts, _TURN)

    async def prompt_async(self, session_id: str, body: PromptInput) -> None:
        """Send a prompt; when this returns it is stored. What comes of it is on the event stream."""
        await self._send(f"/session/{_segment(session_id)}/prompt_async", body)

    async def command(self, session_id: str, body: CommandInput) -> MessageWithParts:
        """Run a slash command and wait for the end of the turn."""
        return await self._post(f"/session/{_segment(session_id)}/command", body, MessageWithParts, _TURN)

    async def abort(self, session_id: str) -> bool:
        """Stop what the session does; true when it has stopped."""
        return await self._post(f"/session/{_segment(session_id)}/abort", None, bool)

    # --- permissions and questions ----------------------------------------------------------------------------------

    async def permissions(self) -> list[PermissionRequest]:
        """The requests that wait for a reply."""
        return await self._get("/permission", list[PermissionRequest])

    async def reply_permission(self, request_id: str, reply: PermissionReply, message: str | None = None) -> bool:
        body = {"reply": reply} | ({"message": message} if message else {})
        return await self._post(f"/permission/{_segment(request_id)}/reply", body, bool)

    async def questions(self) -> list[QuestionRequest]:
        """The questions that wait for answers."""
        return await self._get("/question", list[QuestionRequest])

    async def reply_question(self, request_id: str, answers: QuestionAnswers) -> bool:
        return await self._post(f"/question/{_segment(request_id)}/reply", {"answers": answers}, bool)

    async def reject_question(self, request_id: str) -> bool:
        return await self._post(f"/question/{_segment(request_id)}/reject", None, bool)

    # --- requests --------------------------------------------------------------------------------------------------

    async def _get(self, path: str, kind: type[T], query: Mapping[str, str] | None = None) -> T:
        with self._reaching():
            response = await self._http.get(path, params=dict(query or {}))
            await check(response)
        return decode(response.content, kind)

    async def _post(
        self, path: str, body: Wire | Mapping[str, Any] | None, kind: type[T], timeout: httpx2.Timeout = _PLAIN
    ) -> T:
        return decode(await self._send(path, body, timeout), kind)

    async def _send(
        self,
        path: str,
        body: Wire | Mapping[str, Any] | None,
        timeout: httpx2.Timeout = _PLAIN,
        *,
        method: str = "POST",
    ) -> bytes:
        headers = {"Content-Type": "application/json"} if body is not None else None
        content = encode(body) if body is not None else None
        with self._reaching():
            response = await self._http.request(method, path, content=content, headers=headers, timeout=timeout)
            await check(response)
        return response.content

    def _reaching(self) -> "_Reaching":
        return _Reaching(self.base_url)


class _Reaching:
    """Turns the transport's errors into :class:`ServerUnreachable`."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, httpx2.TransportError):
            raise ServerUnreachable(self._base_url, str(error) or type(error).__name__) from error


def _segment(value: str) -> str:
    """An id as one path segment, whatever characters it has."""
    return quote(value, safe="")
