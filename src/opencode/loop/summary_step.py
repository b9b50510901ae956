"""One call of a model that condenses a conversation: stored like any other step, without tools."""

from collections.abc import Mapping
from pathlib import Path

from opencode.agent.schema import Agent
from opencode.core.wire import UNSET
from opencode.loop.doom_loop import DoomLoopGuard
from opencode.loop.processor import Prepared, StepProcessor, StepResult, StepServices
from opencode.loop.request import RequestBuilder
from opencode.loop.tool_calls import ToolCalls, ToolContexts
from opencode.provider.request import ModelRequest, TextContent, UserTurn
from opencode.provider.sampling import max_output_tokens
from opencode.provider.schema import Model
from opencode.provider.service import ProviderService
from opencode.session.changes import PutMessage
from opencode.session.schema import AssistantMessage, MessagePath, MessageTime, Session, ToolPart, UserMessage
from opencode.tool.tool import ToolContext


class SummarySteps:
    """Asks models for summaries in one directory."""

    def __init__(
        self,
        services: StepServices,
        providers: ProviderService,
        requests: RequestBuilder,
        directory: Path,
        worktree: Path,
        environ: Mapping[str, str],
    ) -> None:
        self._services = services
        self._providers = providers
        self._requests = requests
        self._directory = directory
        self._worktree = worktree
        self._environ = environ

    def max_output(self, model: Model) -> int:
        """How long an answer of the model may get, in tokens."""
        return max_output_tokens(model, self._environ)

    async def run(self, session: Session, marker: UserMessage, agent: Agent, model: Model, text: str) -> StepResult:
        """Store the summary as the answer to the marker. The message is complete when this returns."""
        fallbacks = self._services.fallbacks
        asked, model = model, fallbacks.in_use(session.id, model)
        message = self._message(marker, agent, model)
        await self._services.store.commit(PutMessage(message))

        def prepared(model: Model) -> Prepared:
            request = self._request(session, marker, agent, model, text)
            return Prepared(self._providers.language_model(model), request, self._no_calls(message))

        async def next_model() -> Prepared | None:
            other = fallbacks.next(session.id, asked)
            return None if other is None else prepared(other)

        call = prepared(model)
        processor = StepProcessor(self._services, message, call.calls, next_model=next_model)
        return await processor.run(call.language_model, call.request)

    def _request(self, session: Session, marker: UserMessage, agent: Agent, model: Model, text: str) -> ModelRequest:
        return self._requests.turn(
            session=session,
            provider_options=self._providers.provider_options(model.provider_id),
            model=model,
            agent=agent,
            variant=None if marker.model.variant is UNSET else marker.model.variant,
            system="" if agent.prompt is UNSET else agent.prompt,
            messages=[UserTurn(content=[TextContent(text=text)])],
            tools=[],
        )

    def _message(self, marker: UserMessage, agent: Agent, model: Model) -> AssistantMessage:
        services = self._services
        return AssistantMessage(
            id=services.ids.message(after=services.store.newest_message_id(marker.session_id)),
            session_id=marker.session_id,
            parent_id=marker.id,
            mode=agent.name,
            agent=agent.name,
            summary=True,
            path=MessagePath(cwd=str(self._directory), root=str(self._worktree)),
            model_id=model.id,
            provider_id=model.provider_id,
            time=MessageTime(created=services.clock.now_ms()),
            variant=marker.model.variant,
        )

    def _no_calls(self, message: AssistantMessage) -> ToolCalls:
        """For a model that calls a tool all the same: the call fails, nothing runs."""
        services = self._services
        context = ToolContext(
            session_id=message.session_id,
            message_id=message.id,
            call_id="",
            agent=message.agent,
            directory=self._directory,
            worktree=self._worktree,
            model=None,
            history=[],
            ask=_refuse,
            report=_refuse,
        )
        contexts, guard = ToolContexts(context, _refuse), DoomLoopGuard([], _pass)
        return ToolCalls(message, {}, contexts, services.store, services.ids, services.clock, guard)


async def _refuse(*_: object, **__: object) -> None:
    raise RuntimeError("a summary has no tools")


async def _pass(_: ToolPart) -> None:
    """No call of a summary is repeated: none runs."""
