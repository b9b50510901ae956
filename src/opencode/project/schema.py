"""Projects as they are stored and sent, changes to them, and their events (spec: project and worktree, 1)."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, field

from opencode.core.ids import ProjectID
from opencode.core.wire import UNSET, UnsetType, Wire, set_or
from opencode.event.schema import Event

GLOBAL = ProjectID("global")
"""The project of every directory that has no history of its own."""

Milliseconds = Annotated[int, Meta(ge=0)]
ProjectVcs = Literal["git"]


class ProjectIcon(Wire):
    """How clients show the project. ``override`` is the user's, ``url`` was found; ``emoji`` is ours."""

    url: str | UnsetType = UNSET
    override: str | UnsetType = UNSET
    color: str | UnsetType = UNSET
    emoji: str | UnsetType = UNSET


class ProjectCommands(Wire):
    """What to run on certain occasions."""

    start: Annotated[str, Meta(description="Shell script for a new worktree")] | UnsetType = UNSET


class ProjectTime(Wire):
    """Milliseconds since the epoch. ``initialized``: when the ``init`` command had run."""

    created: Milliseconds
    updated: Milliseconds
    initialized: Milliseconds | UnsetType = UNSET


class Project(Wire):
    """A repository, wherever its clones are, or ``global``. ``sandboxes``: its directories beside ``worktree``."""

    id: ProjectID
    worktree: str
    vcs: ProjectVcs | UnsetType = UNSET
    name: str | UnsetType = UNSET
    icon: ProjectIcon | UnsetType = UNSET
    commands: ProjectCommands | UnsetType = UNSET
    time: ProjectTime
    sandboxes: list[str] = []


class ProjectAnswer(Project):
    """A project with what older clients look for (spec: seed variants, 3.2)."""

    directory: str
    color: str | UnsetType = UNSET
    vcs_dir: str | UnsetType = field(default=UNSET, name="vcsDir")

    @classmethod
    def of(cls, project: Project) -> "ProjectAnswer":
        """The answer for a stored project."""
        fields = {name: getattr(project, name) for name in project.__struct_fields__}
        return cls(
            **fields,
            directory=project.worktree,
            color=set_or(project.icon, ProjectIcon()).color,
            vcs_dir=UNSET if project.vcs is UNSET else f"{project.worktree.rstrip('/')}/.git",
        )


class UpdateProject(Wire):
    """What to change of a project; absent fields stay.

    ``icon`` may be a text, an emoji or a URL, and ``color`` is ``icon.color``: older clients send them so.
    """

    name: str | UnsetType = UNSET
    icon: ProjectIcon | str | UnsetType = UNSET
    commands: ProjectCommands | UnsetType = UNSET
    color: str | UnsetType = UNSET


class ProjectDirectory(Wire):
    """A directory that was opened as part of a project."""

    directory: str
    strategy: str | UnsetType = UNSET


class ProjectUpdated(Event):
    """A project was opened or changed. The properties are the project's own fields."""

    type: ClassVar[str] = "project.updated"
    id: ProjectID
    worktree: str
    vcs: ProjectVcs | UnsetType = UNSET
    name: str | UnsetType = UNSET
    icon: ProjectIcon | UnsetType = UNSET
    commands: ProjectCommands | UnsetType = UNSET
    time: ProjectTime
    sandboxes: list[str] = []

    @classmethod
    def of(cls, project: Project) -> "ProjectUpdated":
        """The event that tells of a project as it is now."""
        return cls(**{name: getattr(project, name) for name in Project.__struct_fields__})


class VcsInfo(Wire):
    """The branches of a repository; null where there is none. ``branch`` is ``HEAD`` when it is detached."""

    branch: str | None = None
    default_branch: str | None = field(default=None, name="default_branch")


class VcsBranchUpdated(Event):
    """Another branch was checked out."""

    type: ClassVar[str] = "vcs.branch.updated"
    durable: ClassVar[bool] = False
    branch: str | UnsetType = UNSET
