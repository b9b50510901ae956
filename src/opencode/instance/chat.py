"""Chat completions over sessions (spec: seed variants, section 2)."""

import mimetypes
from collections.abc import Sequence
from typing import Final

from opencode.core.errors import Invalid
from opencode.core.ids import ModelID, ProviderID, SessionID
from opencode.core.wire import UNSET, UnsetType, decode, set_or
from opencode.instance.chat_answer import completion
from opencode.instance.chat_schema import (
    ChatCompletion,
    ChatImage,
    ChatMessage,
    ChatRequest,
    ChatText,
)
from opencode.loop.prompt import PromptService
from opencode.provider.errors import ProviderModelNotFound
from opencode.provider.schema import ModelRef
from opencode.provider.service import ProviderService
from opencode.session.inputs import CreateSession, PromptInput
from opencode.session.schema import (
    FilePartInput,
    MessageWithParts,
    PartInput,
    TextPartInput,
)
from opencode.session.service import SessionService
from opencode.skill.service import SkillService
from opencode.tool.registry import ToolRegistry

TITLE_LENGTH: Final = 50


class ChatService:
    """Turns chat requests into prompts of sessions, and their answers into completions."""

    def __init__(
        self,
        directory: str,
        sessions: SessionService,
        prompts: PromptService,
        providers: ProviderService,
        skills: SkillService,
        tools: ToolRegistry,
    ) -> None:
        self._directory = directory
        self._sessions = sessions
        self._prompts = prompts
        self._providers = providers
        self._skills = skills
        self._tools = tools

    async def open(self, request: ChatRequest) -> tuple[SessionID, PromptInput]:
        """The session, a new one unless one is named, and the prompt for it.

        Raises ``Invalid`` when the last message is not the user's or the session works elsewhere,
        ``SessionNotFound``, ``ProviderModelNotFound``, ``SkillNotFound``.
        """
        *earlier, last = request.messages
        if last.role != "user":
            raise Invalid("The last message must be the user's")
        prompt = PromptInput(
            model=UNSET if request.model is UNSET else self._model(request.model),
            agent=request.agent,
            system=self._system(request, earlier) or UNSET,
            tools=self._switches(request.tools),
            parts=parts_of(last),
        )
        if request.session_id is not UNSET:
            await self._is_here(request.session_id)
            return request.session_id, prompt
        title = " ".join(text_of(last).split())[:TITLE_LENGTH]
        return (await self._sessions.create(CreateSession(title=title or UNSET))).id, prompt

    async def complete(self, request: ChatRequest) -> ChatCompletion:
        """Wait for the end of the turn. Raises as :meth:`open` and ``PromptService.prompt``, and ``ChatFailed``."""
        session_id, prompt = await self.open(request)
        return completion(decode(await self._prompts.prompt(session_id, prompt), MessageWithParts), request.model)

    async def _is_here(self, session_id: SessionID) -> None:
        directory = (await self._sessions.get(session_id)).directory
        if directory != self._directory:
            raise Invalid(f"The session works in {directory}: name that directory in the request")

    def _model(self, wanted: str) -> ModelRef:
        """The model of that name; of an id alone, the one of the first provider that has it."""
        provider, _, name = wanted.partition("/")
        usable = {one.id: one.models for one in self._providers.providers()}
        if name and provider in usable:
            self._providers.model(ProviderID(provider), ModelID(name))
            return ModelRef(provider_id=ProviderID(provider), model_id=ModelID(name))
        found = next((id for id, models in usable.items() if wanted in models), None)
        if found is None:
            names = [f"{id}/{model}" for id, models in usable.items() for model in models]
            raise ProviderModelNotFound(ProviderID(provider), ModelID(name), [], names)
        return ModelRef(provider_id=ProviderID(found), model_id=ModelID(wanted))

    def _system(self, request: ChatRequest, earlier: Sequence[ChatMessage]) -> str:
        """What the model is told besides the prompt. A new session knows nothing of what was said before."""
        texts = [set_or(request.system, ""), *(text_of(message) for message in earlier if message.role == "system")]
        names = [self._skills.get(name).name for name in set_or(request.skills, [])]
        if names:
            texts.append(f"Load these skills with the skill tool before you answer: {', '.join(names)}.")
        said = [f"{message.role}: {text_of(message)}" for message in earlier if message.role != "system"]
        if said and request.session_id is UNSET:
            texts.append("The conversation so far:\n\n" + "\n\n".join(said))
        return "\n\n".join(text for text in texts if text)

    def _switches(self, tools: dict[str, bool] | list[str] | UnsetType) -> dict[str, bool] | UnsetType:
        if not isinstance(tools, list):
            return tools
        return {id: id in tools for id in self._tools.ids()}


def text_of(message: ChatMessage) -> str:
    """The text of a message, without its images."""
    if isinstance(message.content, str):
        return message.content
    return "\n".join(piece.text for piece in message.content if isinstance(piece, ChatText))


def parts_of(message: ChatMessage) -> list[PartInput]:
    """A message as parts of a prompt."""
    if isinstance(message.content, str):
        return [TextPartInput(text=message.content)]
    return [
        _image(piece) if isinstance(piece, ChatImage) else TextPartInput(text=piece.text) for piece in message.content
    ]


def _image(piece: ChatImage) -> FilePartInput:
    url = piece.image_url.url
    stated = url.removeprefix("data:").partition(";")[0] if url.startswith("data:") else mimetypes.guess_type(url)[0]
    return FilePartInput(mime=stated or "image/png", url=url)
