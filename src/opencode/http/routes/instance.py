"""What one directory is, and closing it."""

from functools import partial

from opencode.http.answer import Later
from opencode.http.operation import operation
from opencode.http.schema import PathInfo
from opencode.instance.instance import Instance
from opencode.instance.registry import InstanceRegistry
from opencode.instance.shared import Shared
from opencode.project.schema import VcsInfo


@operation("path.get", "GET", "/path")
def get_path(instance: Instance, shared: Shared) -> PathInfo:
    """Where things are."""
    return PathInfo(
        home=str(shared.paths.home),
        state=str(shared.paths.state),
        config=str(shared.paths.config),
        worktree=str(instance.worktree),
        directory=str(instance.directory),
    )


@operation("vcs.get", "GET", "/vcs")
async def get_vcs(instance: Instance) -> VcsInfo:
    """The branch that is checked out, and the default one."""
    return await instance.vcs.info()


@operation("instance.dispose", "POST", "/instance/dispose")
def dispose(instance: Instance, registry: InstanceRegistry) -> Later[bool]:
    """Close the instance; the next request opens it anew."""
    return Later(True, partial(registry.dispose, str(instance.directory)))


operations = (get_path, get_vcs, dispose)
