"""What every service of one directory stands on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from opencode.config.confinement import Confinement
from opencode.config.schema import Config
from opencode.event.bus import EventPublisher
from opencode.event.schema import EventScope
from opencode.instance.shared import Shared
from opencode.project.schema import Project
from opencode.session.service import SessionService
from opencode.session.store import SessionStore
from opencode.snapshot.service import SnapshotService


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The place, its settings, its records.

    ``environ`` is for commands: what they leave running ends with the instance.
    """

    directory: Path
    worktree: Path
    project: Project
    config: Config
    confinement: Confinement
    environ: Mapping[str, str]
    scope: EventScope
    events: EventPublisher
    store: SessionStore
    snapshots: SnapshotService
    sessions: SessionService
    shared: Shared
