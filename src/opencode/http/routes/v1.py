"""``/v1``: sessions for clients that expect an API in the manner of OpenAI's (spec: seed variants, section 2)."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Literal

from opencode.core.errors import Invalid
from opencode.core.ids import SessionID
from opencode.core.wire import UNSET, UnsetType
from opencode.http.answer import Raw, Stream
from opencode.http.chat_stream import ChatStream
from opencode.http.operation import operation
from opencode.http.request import Request
from opencode.instance.chat_schema import ChatChunk, ChatCompletion, ChatMessage, ChatRequest, Named
from opencode.instance.instance import Instance
from opencode.session.inputs import CreateSession, SessionFilter
from opencode.session.schema import Session

KNOWN = ("BadRequest", "NotFoundError")
EVENTS = "text/event-stream"


class ModelItem(Named):
    """A model that can be used; ``id`` is ``provider/model``, ``created`` in seconds."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str
    name: str


class ModelItems(Named):
    """Models."""

    object: Literal["list"] = "list"
    data: list[ModelItem]


class SkillItem(Named):
    """A skill."""

    name: str
    description: str | UnsetType = UNSET
    location: str


class SkillItems(Named):
    """Skills."""

    object: Literal["list"] = "list"
    data: list[SkillItem]


class ToolItem(Named):
    """A tool; ``parameters`` is a JSON schema."""

    id: str
    name: str
    description: str
    parameters: Any


class ToolItems(Named):
    """Tools."""

    object: Literal["list"] = "list"
    data: list[ToolItem]


class SessionItems(Named):
    """Sessions."""

    object: Literal["list"] = "list"
    data: list[Session]


class SayQuery(Named):
    """What a request without a body can say."""

    message: str
    model: str | UnsetType = UNSET
    session_id: SessionID | UnsetType = UNSET


@operation("v1.chat", "POST", "/v1/chat", source="seed", errors=KNOWN, slow=True)
async def chat(instance: Instance, body: ChatRequest) -> ChatCompletion:
    """Send a prompt and wait for the answer."""
    return await instance.chat.complete(body)


@operation("v1.chat.stream", "POST", "/v1/chat/stream", source="seed", errors=KNOWN)
async def stream_chat(instance: Instance, body: ChatRequest) -> Stream[ChatChunk]:
    """Send a prompt and get the texts of the answer as they grow."""
    return await _streamed(instance, body)


@operation("v1.chat.stream.get", "GET", "/v1/chat/stream", source="seed", errors=KNOWN)
async def stream_said(instance: Instance, request: Request, query: SayQuery) -> Stream[ChatChunk]:
    """The same, for clients that cannot send a body. They have to ask for ``text/event-stream``, as an ``EventSource``
    does: what else a page can make a browser get, an image or a link, must not start a turn.
    """
    if request.method != "GET" or EVENTS not in (request.header(b"accept") or ""):
        raise Invalid(f"Ask for the stream with GET and the header Accept: {EVENTS}")
    said = ChatMessage(role="user", content=query.message)
    return await _streamed(instance, ChatRequest(messages=[said], model=query.model, session_id=query.session_id))


@operation("v1.models", "GET", "/v1/models", source="seed")
def list_models(instance: Instance) -> ModelItems:
    """Models that can be used."""
    items = [
        ModelItem(
            id=f"{provider.id}/{model.id}", created=_seconds(model.release_date), owned_by=provider.id, name=model.name
        )
        for provider in instance.providers.providers()
        for model in provider.models.values()
    ]
    return ModelItems(data=items)


@operation("v1.skills", "GET", "/v1/skills", source="seed")
def list_skills(instance: Instance) -> SkillItems:
    """Skills."""
    skills = instance.skills.list()
    return SkillItems(
        data=[SkillItem(name=one.name, description=one.description, location=one.location) for one in skills]
    )


@operation("v1.tools", "GET", "/v1/tools", source="seed", errors=("BadRequest",))
def list_tools(instance: Instance) -> ToolItems:
    """Tools that the default model gets."""
    default = instance.providers.default_model()
    tools = instance.tools.listed(instance.providers.model(default.provider_id, default.model_id))
    return ToolItems(
        data=[
            ToolItem(
                id=tool.definition.name,
                name=tool.definition.name,
                description=tool.definition.description,
                parameters=tool.definition.parameters,
            )
            for tool in tools
        ]
    )


@operation("v1.sessions", "GET", "/v1/sessions", source="seed")
def list_sessions(instance: Instance) -> Raw[SessionItems]:
    """Sessions of the project, newest update first."""
    return Raw(b'{"object":"list","data":%b}' % instance.sessions.list_raw(SessionFilter()))


@operation("v1.sessions.create", "POST", "/v1/sessions", source="seed", errors=("NotFoundError",))
async def create_session(instance: Instance, body: CreateSession) -> Session:
    """Create a session in the directory."""
    return await instance.shares.share_new(await instance.sessions.create(body))


async def _streamed(instance: Instance, request: ChatRequest) -> Stream[ChatChunk]:
    session_id, prompt = await instance.chat.open(request)
    return Stream(ChatStream(instance, session_id, prompt))


def _seconds(date: str) -> int:
    """Since the epoch; 0 where the day is not known."""
    with suppress(ValueError):
        return int(datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp())
    return 0


operations = (chat, stream_chat, stream_said, list_models, list_skills, list_tools, list_sessions, create_session)
