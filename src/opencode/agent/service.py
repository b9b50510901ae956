"""The agents of one directory."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from opencode.agent.builtin import builtin_agents
from opencode.agent.errors import AgentNotFound, NoDefaultAgent
from opencode.agent.rules import RulePlaces
from opencode.agent.schema import Agent
from opencode.config.schema import AgentConfig, Config
from opencode.core.ids import ModelID, ProviderID
from opencode.core.masking import masked
from opencode.core.paths import Paths
from opencode.core.wire import UNSET, replace, set_or
from opencode.permission.ruleset import rules_from_config
from opencode.permission.schema import PermissionRuleset
from opencode.provider.schema import ModelRef

_SAME_FIELDS = ("variant", "prompt", "description", "temperature", "top_p", "mode", "color", "hidden", "name", "steps")


class AgentService:
    """Knows every agent: built in, changed or added by configuration. Fixed for the life of the instance."""

    def __init__(self, config: Config, paths: Paths, root: Path, skill_directories: Sequence[Path] = ()) -> None:
        """``root``: the worktree, or the directory where there is no repository."""
        scratch = Path(tempfile.gettempdir()) / "opencode"
        places = RulePlaces(paths, root, scratch, skill_directories)
        self._default = set_or(config.default_agent, None)
        self._agents = agents_from_config(config, places)

    def get(self, name: str) -> Agent:
        """One agent. Raises ``AgentNotFound``, which names the visible ones."""
        if name not in self._agents:
            raise AgentNotFound(name, [agent.name for agent in self.list() if agent.is_visible])
        return self._agents[name]

    def presented(self) -> list[Agent]:
        """All agents as :meth:`list` gives them, with secrets in their options masked: for clients."""
        return [replace(agent, options=masked(agent.options)) if agent.options else agent for agent in self.list()]

    def list(self) -> list[Agent]:
        """All agents, hidden ones too: the default first, then by name. Source: operation ``app.agents``."""
        first = self._default or "build"
        return sorted(self._agents.values(), key=lambda agent: (agent.name != first, agent.name))

    def default(self) -> Agent:
        """The agent that answers when a prompt names none. Raises ``NoDefaultAgent``, ``AgentNotFound``."""
        if self._default is not None:
            return self._configured_default(self._default)
        for agent in self._agents.values():
            if agent.is_primary:
                return agent
        raise NoDefaultAgent("There is no primary agent: all are disabled, hidden or subagents.")

    def _configured_default(self, name: str) -> Agent:
        agent = self.get(name)
        if agent.mode == "subagent":
            raise NoDefaultAgent(f'The default agent "{name}" is a subagent: choose a primary one.')
        if not agent.is_visible:
            raise NoDefaultAgent(f'The default agent "{name}" is hidden: choose a visible one.')
        return agent


def agents_from_config(config: Config, places: RulePlaces) -> dict[str, Agent]:
    """Built-in agents with the configuration's changes, then its own agents, by the name they are called by."""
    home = places.paths.home
    user = rules_from_config(set_or(config.permission, {}), home)
    agents = {agent.name: agent for agent in builtin_agents(places, user)}
    for name, entry in config.agent.items():
        if entry.disable is True:
            agents.pop(name, None)
            continue
        base = agents.get(name) or Agent(
            name=name, mode="all", native=False, permission=[*places.defaults(), *user], options={}
        )
        agents[name] = _changed(base, entry, rules_from_config(entry.permission, home))
    return {
        name: replace(agent, permission=places.with_tool_output(agent.permission)) for name, agent in agents.items()
    }


def parse_model(text: str) -> ModelRef:
    """``provider/model``, split at the first slash: model ids may contain more."""
    provider, _, model = text.partition("/")
    return ModelRef(provider_id=ProviderID(provider), model_id=ModelID(model))


def _changed(agent: Agent, entry: AgentConfig, rules: PermissionRuleset) -> Agent:
    """The agent with what the entry says; what it leaves open stays."""
    changes = {name: value for name in _SAME_FIELDS if (value := getattr(entry, name)) is not UNSET}
    if entry.model is not UNSET:
        changes["model"] = parse_model(entry.model)
    return replace(
        agent,
        **changes,
        options=_deep_merged(agent.options, entry.options),
        permission=[*agent.permission, *rules],
    )


def _deep_merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _deep_merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
