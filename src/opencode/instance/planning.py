"""Plan mode with files, where it is switched on."""

from opencode.config.environment import Environment
from opencode.instance.ground import Ground
from opencode.loop.plan_mode import PlanMode

SWITCH = "OPENCODE_EXPERIMENTAL_PLAN_MODE"


def plan_mode(ground: Ground) -> PlanMode | None:
    """The plans of a directory: in the repository where there is one, else in the data directory."""
    shared = ground.shared
    if not shared.environment.experimental(SWITCH):
        return None
    in_repository = ground.project.vcs == "git"
    folder = ground.worktree / ".opencode" / "plans" if in_repository else shared.paths.data / "plans"
    shown_from = ground.worktree if in_repository else ground.directory
    has_tool = hands_over_plans(shared.environment)
    return PlanMode(ground.store, shared.ids, shared.clock, folder, shown_from, has_tool=has_tool)


def hands_over_plans(environment: Environment) -> bool:
    """Whether the client of this server lets the planner hand over by itself (spec: tools core, section 2)."""
    return (environment.get("OPENCODE_CLIENT") or "cli") == "cli"
