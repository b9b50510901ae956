"""Projects: which one a directory belongs to, and what is kept about each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from opencode.core.clock import Clock
from opencode.core.ids import ProjectID
from opencode.core.wire import UNSET, UnsetType, replace, set_or
from opencode.event.bus import EventBus
from opencode.event.schema import EventScope
from opencode.project import store
from opencode.project.errors import GitInitFailed, ProjectNotFound
from opencode.project.git import Git
from opencode.project.resolve import ROOT, Resolution, resolve_directory
from opencode.project.schema import (
    GLOBAL,
    Project,
    ProjectCommands,
    ProjectDirectory,
    ProjectIcon,
    ProjectTime,
    ProjectUpdated,
    UpdateProject,
)
from opencode.project.store import ProjectStore
from opencode.storage.database import Database, Transaction

TellMoved = Callable[[Transaction, EventScope, bytes], None]
"""Announces that a session's record has changed: sessions belong to a higher layer."""

_URL_STARTS = ("http://", "https://", "data:", "file:", "/")


@dataclass(frozen=True, slots=True)
class ResolvedProject:
    """A directory with its project. ``worktree``: the top of the directory's own work tree, ``/`` without one."""

    project: Project
    worktree: Path
    directory: Path


class ProjectService:
    """Finds and keeps the projects of the server; announces every change to all clients."""

    def __init__(
        self,
        database: Database,
        bus: EventBus,
        clock: Clock,
        environ: Mapping[str, str],
        tell_moved: TellMoved = lambda tx, scope, record: None,
    ) -> None:
        self._database = database
        self._store = ProjectStore(database)
        self._bus = bus
        self._clock = clock
        self._tell_moved = tell_moved
        self._fake_git = environ.get("OPENCODE_FAKE_VCS") == "git"
        self.git = Git(environ)

    async def resolve(self, directory: Path) -> ResolvedProject:
        """The project of a directory, which need not exist; opened, stored and announced.

        Sessions that were made there while it had no project of its own come along. Publishes ``project.updated``,
        and ``session.updated`` for each of those.
        """
        found = await resolve_directory(directory, self.git, fake_git=self._fake_git)
        project = await self._database.write(lambda tx: self._opened(tx, found, directory))
        return ResolvedProject(project, found.sandbox, directory)

    async def get(self, project_id: ProjectID) -> Project:
        """One project. Raises ``ProjectNotFound``."""
        project = self._store.get(project_id)
        if project is None:
            raise ProjectNotFound(project_id)
        return project

    async def directories(self, project_id: ProjectID) -> list[ProjectDirectory]:
        """The directories that were opened, in order; none for an unknown project."""
        return self._store.directories(project_id)

    async def update(self, project_id: ProjectID, change: UpdateProject) -> Project:
        """Change what is given. Publishes ``project.updated``. Raises ``ProjectNotFound``."""
        return await self._change(
            project_id,
            lambda project: replace(
                project,
                name=set_or(change.name, project.name),
                icon=_changed_icon(project.icon, change),
                commands=_changed_commands(project.commands, change),
            ),
        )

    async def add_sandbox(self, project_id: ProjectID, directory: Path) -> Project:
        """Remember a directory beside the main one. Publishes ``project.updated``. Raises ``ProjectNotFound``."""
        path = str(directory)
        return await self._change(
            project_id, lambda project: replace(project, sandboxes=list(dict.fromkeys([*project.sandboxes, path])))
        )

    async def remove_sandbox(self, project_id: ProjectID, directory: Path) -> Project:
        """Forget such a directory. Publishes ``project.updated``. Raises ``ProjectNotFound``."""
        path = str(directory)
        return await self._change(
            project_id, lambda project: replace(project, sandboxes=[one for one in project.sandboxes if one != path])
        )

    async def mark_initialized(self, project_id: ProjectID) -> Project:
        """Note that the ``init`` command has run. Publishes ``project.updated``. Raises ``ProjectNotFound``."""
        now_ms = self._clock.now_ms()
        return await self._change(
            project_id, lambda project: replace(project, time=replace(project.time, initialized=now_ms))
        )

    async def init_git(self, directory: Path) -> ResolvedProject:
        """Make the directory a repository and resolve it anew. Raises ``GitInitFailed``."""
        done = await self.git.run(directory, "init", "--quiet")
        if done is None:
            raise GitInitFailed("git cannot be started there; is it installed, and does the directory exist?")
        if done.exit_code != 0:
            raise GitInitFailed(done.stderr.decode("utf-8", "replace").strip())
        return await self.resolve(directory)

    async def list(self) -> list[Project]:
        """All projects, oldest first."""
        return self._store.all()

    def _opened(self, tx: Transaction, found: Resolution, directory: Path) -> Project:
        now_ms = self._clock.now_ms()
        project = opened_project(store.load(tx, found.id), found, now_ms)
        root = str(directory if found.sandbox == ROOT else found.sandbox)
        store.remember_directory(tx, project.id, root, now_ms)
        if project.id != GLOBAL:
            places = {str(found.worktree), str(found.sandbox), str(directory)}
            for place, record in store.adopt_sessions(tx, project.id, places):
                self._tell_moved(tx, EventScope(directory=place, project=project.id), record)
        self._save(tx, project)
        return project

    async def _change(self, project_id: ProjectID, change: Callable[[Project], Project]) -> Project:
        def apply(tx: Transaction) -> Project:
            project = store.load(tx, project_id)
            if project is None:
                raise ProjectNotFound(project_id)
            changed = change(project)
            changed = replace(changed, time=replace(changed.time, updated=self._clock.now_ms()))
            self._save(tx, changed)
            return changed

        return await self._database.write(apply)

    def _save(self, tx: Transaction, project: Project) -> None:
        store.save(tx, project)
        scope = EventScope(directory="global", project=project.id)
        self._bus.scoped(scope).append(tx, ProjectUpdated.of(project))


def opened_project(stored: Project | None, found: Resolution, now_ms: int) -> Project:
    """The record of a project after one of its directories was opened.

    A repository keeps the work tree it was first seen with while that exists; other clones and linked worktrees
    are sandboxes. Sandboxes that are gone are dropped. ``global`` has the work tree that was opened last.
    """
    vcs: str | UnsetType = "git" if found.is_git else UNSET
    worktree = str(found.worktree)
    if stored is None:
        stored = Project(id=found.id, worktree=worktree, time=ProjectTime(created=now_ms, updated=now_ms))
    if found.id == GLOBAL:
        return replace(stored, worktree=worktree, vcs=vcs, time=replace(stored.time, updated=now_ms))
    if Path(stored.worktree).is_dir():
        worktree = stored.worktree
    known = dict.fromkeys([*stored.sandboxes, str(found.worktree), str(found.sandbox)])
    sandboxes = [path for path in known if path != worktree and Path(path).is_dir()]
    time = replace(stored.time, updated=now_ms)
    return replace(stored, worktree=worktree, vcs=vcs, sandboxes=sandboxes, time=time)


def _changed_icon(icon: ProjectIcon | UnsetType, change: UpdateProject) -> ProjectIcon | UnsetType:
    """The icon with what is given; an empty text takes a part away, and no parts make no icon."""
    given = change.icon
    if isinstance(given, str):
        given = ProjectIcon(override=given) if given.startswith(_URL_STARTS) else ProjectIcon(emoji=given)
    parts = {name: getattr(set_or(icon, ProjectIcon()), name) for name in ProjectIcon.__struct_fields__}
    for name in parts:
        parts[name] = set_or(getattr(set_or(given, ProjectIcon()), name), parts[name])
    parts["color"] = set_or(change.color, parts["color"])
    kept = {name: value for name, value in parts.items() if value not in (UNSET, "")}
    return ProjectIcon(**kept) if kept else UNSET


def _changed_commands(commands: ProjectCommands | UnsetType, change: UpdateProject) -> ProjectCommands | UnsetType:
    changed = set_or(change.commands, commands)
    return changed if changed is not UNSET and changed.start not in (UNSET, "") else UNSET
