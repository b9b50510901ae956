"""What all directories of one server process share."""

from dataclasses import dataclass

from opencode.auth.store import CredentialStore
from opencode.auth.well_known import WellKnown
from opencode.config.environment import Environment
from opencode.config.service import ConfigService
from opencode.core.clock import Clock
from opencode.core.ids import IdGenerator
from opencode.core.paths import Paths
from opencode.core.tasks import BackgroundJobs
from opencode.event.bus import EventBus
from opencode.instance.live_parts import LiveParts
from opencode.instance.registry import InstanceRegistry
from opencode.instance.tui import TuiControl
from opencode.project.service import ProjectService
from opencode.provider.catalogue import Catalogue
from opencode.provider.local import LocalServers
from opencode.session.search import SessionSearch
from opencode.session.share import Sharing
from opencode.storage.database import Database
from opencode.transfer.service import SessionImports


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """The services of the process; lives as long as the server."""

    environment: Environment
    paths: Paths
    clock: Clock
    ids: IdGenerator
    database: Database
    bus: EventBus
    projects: ProjectService
    credentials: CredentialStore
    well_known: WellKnown
    catalogue: Catalogue
    local_servers: LocalServers
    config: ConfigService
    jobs: BackgroundJobs
    live_parts: LiveParts
    imports: SessionImports
    search: SessionSearch
    sharing: Sharing
    tui: TuiControl
    registry: InstanceRegistry

    async def open(self, directory: str) -> object:
        """The instance of a directory, opened now if it is not."""
        return await self.registry.open(directory)

    def directory_of_session(self, session_id: str) -> str | None:
        """The directory a stored session belongs to."""
        rows = self.database.read("SELECT directory FROM session WHERE id = ?", (session_id,))
        return rows[0][0] if rows else None
