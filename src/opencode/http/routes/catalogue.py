"""What an instance offers: agents, commands, skills, language servers, formatters, MCP servers."""

from opencode.agent.schema import Agent
from opencode.command.schema import Command
from opencode.http.operation import operation
from opencode.http.schema import FormatterStatus, LSPStatus, McpResource, MCPStatus
from opencode.instance.instance import Instance
from opencode.skill.schema import Skill


@operation("app.agents", "GET", "/agent")
def list_agents(instance: Instance) -> list[Agent]:
    """Agents, the default one first."""
    return instance.agents.presented()


@operation("command.list", "GET", "/command")
def list_commands(instance: Instance) -> list[Command]:
    """Slash commands."""
    return instance.commands.list()


@operation("app.skills", "GET", "/skill")
def list_skills(instance: Instance) -> list[Skill]:
    """Skills."""
    return instance.skills.list()


@operation("lsp.status", "GET", "/lsp")
def lsp_status(instance: Instance) -> list[LSPStatus]:
    """Language servers that run: none, this server starts none."""
    return []


@operation("formatter.status", "GET", "/formatter")
def formatter_status(instance: Instance) -> list[FormatterStatus]:
    """Formatters: none, this server runs none."""
    return []


@operation("mcp.status", "GET", "/mcp")
def mcp_status(instance: Instance) -> dict[str, MCPStatus]:
    """MCP servers by name: none, this server connects to none."""
    return {}


@operation("experimental.resource.list", "GET", "/experimental/resource")
def list_resources(instance: Instance) -> dict[str, McpResource]:
    """Resources of the MCP servers that are connected: none."""
    return {}


operations = (
    list_agents,
    list_commands,
    list_skills,
    lsp_status,
    formatter_status,
    mcp_status,
    list_resources,
)
