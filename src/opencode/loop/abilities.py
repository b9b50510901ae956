"""Who can answer and what they can use."""

from dataclasses import dataclass

from opencode.agent.service import AgentService
from opencode.permission.service import PermissionService
from opencode.provider.service import ProviderService
from opencode.tool.registry import ToolRegistry


@dataclass(frozen=True, slots=True)
class Abilities:
    """The agents, models, tools and permissions of one instance."""

    agents: AgentService
    providers: ProviderService
    tools: ToolRegistry
    permissions: PermissionService
