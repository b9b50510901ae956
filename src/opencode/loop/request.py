"""What the model is sent for one step (spec: LLM and errors, section 1)."""

from collections.abc import Mapping, Sequence
from typing import Any

from opencode.agent.schema import Agent
from opencode.core.wire import UNSET, replace
from opencode.provider.options import deep_merge, default_options, small_options
from opencode.provider.request import ModelMessage, ModelRequest, ToolChoice, ToolDefinition
from opencode.provider.sampling import default_sampling, max_output_tokens
from opencode.provider.schema import Model
from opencode.session.schema import Session


class RequestBuilder:
    """Merges what model, agent and variant say about a call."""

    def __init__(self, environ: Mapping[str, str], version: str) -> None:
        self._environ = environ
        self._version = version

    def turn(
        self,
        *,
        session: Session,
        provider_options: Mapping[str, Any],
        model: Model,
        agent: Agent,
        variant: str | None,
        system: str,
        messages: list[ModelMessage],
        tools: Sequence[ToolDefinition],
        tool_choice: ToolChoice = "auto",
    ) -> ModelRequest:
        """An ordinary step. ``tool_choice`` counts only where there are tools."""
        chosen = {} if variant is None or model.variants is UNSET else model.variants.get(variant, {})
        base = default_options(model, session.id, provider_options)
        options = deep_merge(base, model.options, agent.options, chosen)
        request = self._request(session, model, agent, [system], messages, options)
        return replace(request, tools=list(tools), tool_choice=tool_choice if tools else "auto")

    def small(
        self, *, session: Session, model: Model, agent: Agent, system: str, messages: list[ModelMessage]
    ) -> ModelRequest:
        """A side call without tools, with as little reasoning as the model allows."""
        options = deep_merge(small_options(model), model.options, agent.options)
        return self._request(session, model, agent, [system], messages, options)

    def _request(
        self,
        session: Session,
        model: Model,
        agent: Agent,
        system: list[str],
        messages: list[ModelMessage],
        options: dict[str, object],
    ) -> ModelRequest:
        sampling = default_sampling(model)
        temperature = sampling.temperature if agent.temperature is UNSET else agent.temperature
        return ModelRequest(
            model=model,
            session_id=session.id,
            system=[text for text in system if text],
            messages=messages,
            temperature=temperature if model.capabilities.temperature else None,
            top_p=sampling.top_p if agent.top_p is UNSET else agent.top_p,
            top_k=sampling.top_k,
            max_output_tokens=max_output_tokens(model, self._environ),
            options=options,
            headers=self._headers(session, model),
        )

    def _headers(self, session: Session, model: Model) -> dict[str, str]:
        agent = f"opencode-server/{self._version}"
        own: dict[str, str] = {"User-Agent": agent, "x-session-affinity": session.id, "X-Session-Id": session.id}
        if session.parent_id is not UNSET:
            own["x-parent-session-id"] = session.parent_id
        return {**own, **model.headers}
