"""The agents that are always there, unless configuration removes them."""

from pathlib import Path
from typing import Any

from opencode.agent.rules import RulePlaces, allow, rule
from opencode.agent.schema import Agent, AgentMode
from opencode.permission.schema import PermissionRuleset

_BUILD = "Does the work: reads, edits and runs whatever your permissions allow."
_PLAN = "Plan mode. Looks and thinks, but changes nothing except plan files."
_GENERAL = (
    "All-round agent for research and multi-step work. Give it a self-contained task; run several at once when "
    "the tasks do not depend on each other."
)
_EXPLORE = (
    "Fast read-only agent for finding things in a codebase: files by name, code by pattern, or the answer to a "
    'question such as "where are sessions stored?". Say how thorough it should be: "quick" for one look-up, '
    '"medium" for a normal search, "very thorough" to try several places and naming conventions.'
)


def builtin_agents(places: RulePlaces, user: PermissionRuleset) -> list[Agent]:
    """The built-in agents in their own order, with the user's rules after those of each agent."""
    defaults = places.defaults()

    def agent(name: str, mode: AgentMode, own: PermissionRuleset, **fields: Any) -> Agent:
        return Agent(name=name, mode=mode, native=True, permission=[*defaults, *own, *user], options={}, **fields)

    def internal(name: str, **fields: Any) -> Agent:
        """One that the server calls for itself, without tools."""
        return agent(name, "primary", [rule("*", "deny")], hidden=True, prompt=_prompt(name), **fields)

    return [
        agent("build", "primary", allow("question", "plan_enter"), description=_BUILD),
        agent("plan", "primary", places.plan(), description=_PLAN),
        agent("general", "subagent", [rule("todowrite", "deny")], description=_GENERAL),
        agent("explore", "subagent", places.explore(), description=_EXPLORE, prompt=_prompt("explore")),
        internal("compaction"),
        internal("title", temperature=0.5),
        internal("summary"),
    ]


def _prompt(name: str) -> str:
    return (Path(__file__).parent / "prompts" / f"{name}.md").read_text("utf-8").strip()
